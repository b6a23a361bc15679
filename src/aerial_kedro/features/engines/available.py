"""Which engines and precisions this machine can run."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from aerial_kedro.errors import AerialError

PRECISIONS = ("fp32", "int8", "bf16")
AUTO = "auto"


@dataclass(frozen=True)
class EngineInfo:
    """What is known of an engine without importing it.

    Parameters
    ----------
    precisions
        Precisions that it has on a machine that has everything.
    module
        Module that must be importable.
    plug_in
        Module of this project that has Spark itself compute features with it (see
        `aerial_kedro.features.featurizer`); None where Spark's Python workers run it.
    """

    precisions: tuple[str, ...]
    module: str
    plug_in: str | None = None


ENGINES = {
    "onnxruntime": EngineInfo(("fp32", "int8"), "onnxruntime"),
    "openvino": EngineInfo(("fp32", "int8", "bf16"), "openvino"),
    "torch": EngineInfo(("fp32", "bf16"), "torch"),
    "synapseml": EngineInfo(("fp32",), "synapse.ml", "aerial_kedro.synapseml.image_featurizer"),
}
# As /proc/cpuinfo spells the processor's instructions for bf16.
_BF16_FLAGS = {"avx512_bf16", "amx_bf16"}


def available(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, tuple[str, ...]]:
    """Engines and precisions that run here.

    Parameters
    ----------
    cpuinfo
        Where the kernel describes the processor.

    Returns
    -------
    dict
        Engine to its precisions; engines whose package is not installed are left out.
    """
    rounding = _has_bf16(cpuinfo)
    found = {}
    for engine, info in ENGINES.items():
        if not _is_installed(info.module):
            continue
        able = rounding or (engine == "torch" and has_graphics_card())
        found[engine] = tuple(each for each in info.precisions if each != "bf16" or able)
    return found


def check_engine(engine: str, precision: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Refuse an engine or precision that cannot run here; ``auto`` is one of both.

    Parameters
    ----------
    engine, precision
        As the run parameters name them.
    cpuinfo
        Where the kernel describes the processor.

    Raises
    ------
    AerialError
        With what can.
    """
    can = available(cpuinfo)
    asked = "fp32" if precision == AUTO else precision
    if any(asked in each for name, each in can.items() if engine in {AUTO, name}):
        return
    offered = "; ".join(f"{name}: {', '.join(each)}" for name, each in can.items())
    raise AerialError(
        f"The engine {engine!r} with precision {precision!r} cannot be run here"
        f"{_reason(engine, asked)}. There is: {offered}; or engine=auto."
    )


def engines_for(precision: str) -> list[str]:
    """List the engines that run a precision in Python here, ``onnxruntime`` first.

    They take any tile; engines that are plug-ins of Spark are left out.
    """
    can = available().items()
    return [name for name, each in can if precision in each and not is_plug_in(name)]


def is_plug_in(engine: str) -> bool:
    """Return whether Spark itself runs an engine, rather than its Python workers."""
    return engine in ENGINES and ENGINES[engine].plug_in is not None


def name_engines_for(precision: str) -> str:
    """Name the `engines_for` a precision as parameters, for messages."""
    return " or ".join(f"engine={name}" for name in engines_for(precision))


def _reason(engine: str, precision: str) -> str:
    info = ENGINES.get(engine)
    if info is not None and not _is_installed(info.module):
        return f": the package {engine} is not installed"
    if precision == "bf16" and "bf16" in (info.precisions if info else PRECISIONS):
        return ": the processor has no instructions for bf16"
    return ""


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:  # kept out by whoever runs this interpreter
        return False


@functools.cache
def _has_bf16(cpuinfo: Path) -> bool:
    try:
        text = cpuinfo.read_text(encoding="utf-8")
    except OSError:  # no Linux
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return not _BF16_FLAGS.isdisjoint(flags.split())


@functools.cache
def has_graphics_card() -> bool:
    """Whether PyTorch is there and sees a CUDA device that calculates in bf16."""
    if not _is_installed("torch"):
        return False
    # PyTorch takes seconds to import: not for a machine without NVIDIA's driver.
    if not Path("/proc/driver/nvidia").exists():
        return False
    torch = importlib.import_module("torch")
    return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported())
