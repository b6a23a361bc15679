"""OpenVINO on one thread."""

from __future__ import annotations

import numpy as np
import openvino as ov

_PRECISION_HINTS = {"fp32": "f32", "int8": "f32", "bf16": "bf16"}


class OpenVinoEngine:
    """A backbone in OpenVINO.

    Parameters
    ----------
    onnx
        The ONNX file; one that is quantized runs in int8.
    precision
        ``bf16`` rounds everything else of an fp32 file, where OpenVINO sees it fit.
    """

    batch = 1

    def __init__(self, onnx: bytes, precision: str) -> None:
        core = ov.Core()
        settings = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            # Every worker would pin its thread to the same first core.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": _PRECISION_HINTS[precision],
        }
        self._model = core.compile_model(core.read_model(onnx), "CPU", settings)

    def run(self, tiles: np.ndarray) -> np.ndarray:
        """Features of a batch of tiles."""
        # A copy: the result lies in memory that the next call writes to.
        return np.array(self._model({"tiles": tiles})["features"], dtype=np.float32)
