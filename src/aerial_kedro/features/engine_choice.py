"""What runs a backbone, and what the choice was made from."""

import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from aerial_kedro.features.engines import ENGINES, has_graphics_card
from aerial_kedro.parameters import CheckedModel


class Conditions(CheckedModel):
    """What a measurement of engines holds for: it is made again where any of it differs.

    Parameters
    ----------
    processor
        Model of the processor, as the kernel names it.
    packages
        Engine to the version of its package.
    graphics_card
        Whether PyTorch calculates on a graphics card.
    network
        Digest of the network's ONNX file.
    precision
        Precision that it was measured in.
    """

    processor: str
    packages: dict[str, str]
    graphics_card: bool
    network: str
    precision: str


class EngineRecord(CheckedModel):
    """What runs a backbone, and what was found where that was measured.

    Parameters
    ----------
    engine, precision
        The engine and precision that run; neither is ``auto``.
    milliseconds
        Engine to what a tile took in the measurement, the median of its rounds; empty where none
        was made.
    quartiles
        Engine to the first and third quartile of the rounds.
    left_out
        Engine to why it was not measured.
    doubt
        Why the measurement decided nothing, so that the default runs; empty where it did.
    """

    engine: str
    precision: str
    milliseconds: dict[str, float] = Field(default_factory=dict)
    quartiles: dict[str, tuple[float, float]] = Field(default_factory=dict)
    left_out: dict[str, str] = Field(default_factory=dict)
    doubt: str = ""


class EngineChoice(EngineRecord):
    """What runs the backbone, and for how long that may be taken.

    Parameters
    ----------
    conditions
        What the measurement holds for; None where none was made.
    """

    conditions: Conditions | None = None

    @property
    def is_to_keep(self) -> bool:
        """Whether a later run may take it: it was measured, and without doubt."""
        return self.conditions is not None and not self.doubt

    def describe_times(self) -> str:
        """Name the milliseconds of each engine, and between what half of the rounds lies."""
        return ", ".join(
            f"{name} {took:.2f} ({self.quartiles[name][0]:.2f} to {self.quartiles[name][1]:.2f})"
            for name, took in self.milliseconds.items()
        )


def read_conditions(
    engines: Sequence[str],
    network: str,
    precision: str,
    cpuinfo: Path = Path("/proc/cpuinfo"),
) -> Conditions:
    """Find out what a measurement that is made now would hold for.

    Parameters
    ----------
    engines
        Engines that can run; their packages are not imported.
    network, precision
        As `Conditions` has them.
    cpuinfo
        Where the kernel describes the processor.
    """
    return Conditions(
        processor=_name_processor(cpuinfo),
        packages={name: _version_of(ENGINES[name].module) for name in engines},
        graphics_card="torch" in engines and has_graphics_card(),
        network=network,
        precision=precision,
    )


def _version_of(module: str) -> str:
    try:
        return importlib.metadata.version(module)
    except importlib.metadata.PackageNotFoundError:  # a package of another name has the module
        packages = importlib.metadata.packages_distributions().get(module)
        return f"{packages[0]} {importlib.metadata.version(packages[0])}" if packages else "unknown"


def _name_processor(cpuinfo: Path) -> str:
    """Name model, family and number: clouds call processors of several generations the same."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:  # no Linux
        return platform.processor() or platform.machine()
    facts = {name.strip(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    named = [facts.get(name, "") for name in ("model name", "cpu family", "model")]
    return " ".join(filter(None, named)) or platform.machine()
