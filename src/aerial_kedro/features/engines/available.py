"""Which engines and precisions this machine can run."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import Path

from aerial_kedro.errors import AerialError

PRECISIONS = ("fp32", "int8", "bf16")
# What each engine can do on a machine that has everything.
ENGINES = {
    "onnxruntime": ("fp32", "int8"),
    "openvino": ("fp32", "int8", "bf16"),
    "torch": ("fp32", "bf16"),
    "synapseml": ("fp32",),
}
AUTO = "auto"
# It runs in the executors' Java, on tiles that are image files; the others run in Python, on any.
JAVA_ENGINE = "synapseml"
# Where a package is imported by another name.
_MODULES = {"synapseml": "synapse.ml"}
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
    for engine, precisions in ENGINES.items():
        if not _is_installed(engine):
            continue
        able = rounding or (engine == "torch" and has_graphics_card())
        found[engine] = tuple(each for each in precisions if each != "bf16" or able)
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
    """Engines that run a precision here on any tile, ``onnxruntime`` first."""
    can = available().items()
    return [name for name, each in can if precision in each and name != JAVA_ENGINE]


def without_java(precision: str) -> str:
    """Name what can be run where `JAVA_ENGINE` cannot, as parameters."""
    return " or ".join(f"engine={name}" for name in engines_for(precision))


def _reason(engine: str, precision: str) -> str:
    if engine in ENGINES and not _is_installed(engine):
        return f": the package {engine} is not installed"
    if precision == "bf16" and "bf16" in ENGINES.get(engine, PRECISIONS):
        return ": the processor has no instructions for bf16"
    return ""


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(_MODULES.get(package, package)) is not None
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
