"""ONNX Runtime on one thread."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort


class OnnxRuntimeEngine:
    """A backbone in ONNX Runtime; the file itself says whether it is fp32 or int8.

    Parameters
    ----------
    onnx
        The ONNX file.
    """

    # Few, so that the network's activations stay in the core's cache.
    batch = 2

    def __init__(self, onnx: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])

    def run(self, tiles: np.ndarray) -> np.ndarray:
        """Features of a batch of tiles."""
        return np.asarray(self._session.run(["features"], {"tiles": tiles})[0])
