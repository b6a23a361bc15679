"""Engines: what runs an exported backbone, on one thread each; parallelism is Spark's.

Their packages are imported when they are opened, so that a worker needs the one that it uses.
"""

import functools
import importlib
import importlib.util
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
# Tiles at once, so few that the network's activations stay in the core's cache; twice as many up to
# a side in pixels: a tenth faster at 112.
_AT_ONCE, _SMALL_INPUT = 2, 160
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
    # Spark's workers get here too, with an engine that the driver has.
    raise AerialError(
        f"The engine {engine!r} with precision {precision!r} cannot be run here, on "
        f"{platform.node()}{_reason(engine, asked)}. There is: {offered}; or engine=auto."
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
        return (
            f": the package {engine} is not installed, and every machine that runs Spark's workers "
            "needs it"
        )
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


@dataclass(frozen=True)
class Engine:
    """Turns tiles into features.

    Parameters
    ----------
    batch
        Number of tiles at once that is fastest, a tile; measured on one core.
    run_with_cells
        Gives the features, float32 ``(n, n_features)``, of tiles, uint8 ``(n, size, size, 3)``, and
        the network's second output; None where it has none.
    """

    batch: int
    run_with_cells: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]

    def run(self, tiles: np.ndarray) -> np.ndarray:
        """Features of tiles."""
        return self.run_with_cells(tiles)[0]

    def run_in_batches(self, tiles: np.ndarray) -> np.ndarray:
        """Features of any number of tiles but none, as many at a time as is fastest."""
        return self.run_all(tiles)[0]

    def run_all(self, tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Features of any number of tiles but none, and their cells where the network has them."""
        starts = range(0, len(tiles), self.batch)
        found = [self.run_with_cells(tiles[at : at + self.batch]) for at in starts]
        cells = [each for _, each in found if each is not None]
        return np.concatenate([each for each, _ in found]), np.concatenate(cells) if cells else None


def open_engine(engine: str, precision: str, network: bytes) -> Engine:
    """Open a backbone in an engine, which is imported now.

    Parameters
    ----------
    engine, precision
        What runs it.
    network
        `aerial_kedro.features.artifact.Backbone.network_for` of that engine.

    Raises
    ------
    AerialError
        If the engine or precision cannot run here, runs in Java, or is still ``auto``.
    """
    check_engine(engine, precision)
    if engine == "onnxruntime":
        return _open_onnxruntime(network)
    if engine == "openvino":
        return _open_openvino(network, precision)
    if engine == "torch":
        from aerial_kedro.features.torch_engine import open_program  # noqa: PLC0415

        return Engine(*open_program(network, precision))
    if is_plug_in(engine):
        raise AerialError(
            f"The engine {engine!r} runs in Spark's Java and nowhere else. Here can be run: "
            f"{name_engines_for(precision)}."
        )
    raise AerialError(f"The engine {engine!r} has to be chosen before it can be opened.")


def _open_onnxruntime(onnx: bytes) -> Engine:
    """Open an ONNX file, which itself says whether it is fp32 or int8.

    Other options of a session gain nothing: see `benchmarks.engines`.
    """
    import onnxruntime as ort  # noqa: PLC0415

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])

    def run(tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        features, *cells = session.run(None, {"tiles": tiles})
        return np.asarray(features), np.asarray(cells[0]) if cells else None

    side = session.get_inputs()[0].shape[1]
    return Engine(_tiles_at_once(side if isinstance(side, int) else None), run)


def _open_openvino(onnx: bytes, precision: str) -> Engine:
    """Open an ONNX file; ``bf16`` rounds what is not quantized in it where OpenVINO sees it fit."""
    import openvino as ov

    core = ov.Core()
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        # Every worker would pin its thread to the same first core.
        "ENABLE_CPU_PINNING": False,
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
    }
    network = core.read_model(onnx)
    shape = network.input("tiles").partial_shape
    at_once = _tiles_at_once(shape[1].get_length() if shape[1].is_static else None)
    # For a batch of any size OpenVINO plans less well: an eighth slower, a third at 112 pixels.
    shape[0] = at_once
    network.reshape({"tiles": shape})
    model = core.compile_model(network, "CPU", settings)

    def run(tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        count = len(tiles)
        if missing := -count % at_once:
            tiles = np.concatenate([tiles, np.zeros((missing, *tiles.shape[1:]), tiles.dtype)])
        parts = [
            # Copies: the results lie in memory that the next call writes to.
            [np.array(each) for each in model({"tiles": tiles[at : at + at_once]}).values()]
            for at in range(0, len(tiles), at_once)
        ]
        features, *cells = (np.concatenate(each)[:count] for each in zip(*parts, strict=True))
        return features.astype(np.float32, copy=False), cells[0] if cells else None

    return Engine(at_once, run)


def _tiles_at_once(side: int | None) -> int:
    return 2 * _AT_ONCE if side is not None and side <= _SMALL_INPUT else _AT_ONCE
