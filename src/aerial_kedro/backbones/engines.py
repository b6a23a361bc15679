"""Engines: what runs the one ONNX file, one thread each."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import onnxruntime as ort

from aerial_kedro.errors import AerialError

AVAILABLE = {"onnxruntime": ("fp32",)}


class Engine(Protocol):
    """Turns tiles into features."""

    def run(self, tiles: np.ndarray) -> np.ndarray:
        """Features, float32 ``(n, n_features)``, of tiles, uint8 ``(n, size, size, 3)``."""


class OnnxRuntimeEngine:
    """ONNX Runtime on one core: parallelism is Spark's, a task a core."""

    def __init__(self, onnx: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])

    def run(self, tiles: np.ndarray) -> np.ndarray:
        """Features of a batch of tiles."""
        return np.asarray(self._session.run(["features"], {"tiles": tiles})[0])


def check_engine(engine: str, precision: str) -> None:
    """Refuse an engine or precision that cannot run here.

    Raises
    ------
    AerialError
        With what can.
    """
    if precision not in AVAILABLE.get(engine, ()):
        can = "; ".join(f"{name}: {', '.join(each)}" for name, each in AVAILABLE.items())
        raise AerialError(
            f"The engine {engine!r} with precision {precision!r} cannot be run. There is: {can}."
        )


def open_engine(engine: str, precision: str, onnx: bytes) -> Engine:
    """Open the backbone in an engine.

    Raises
    ------
    AerialError
        If the engine or precision cannot run here.
    """
    check_engine(engine, precision)
    return OnnxRuntimeEngine(onnx)
