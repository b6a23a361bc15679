"""Another entrance and exit for an exported backbone: colour planes in, one row of numbers out.

SynapseML's `ImageFeaturizer` hands a network decimals by colour planes and takes one vector back.
What lies between entrance and exit is the exported graph, untouched.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from aerial_kedro.features.featurize import STATISTICS_STEP

INPUT, OUTPUT = "pixels", "row"
N_STATISTICS = 12
_TO_THE_END = 2**31 - 1
_PREFIX = "statistics_"


def take_colour_planes(network: bytes) -> bytes:
    """Let a backbone take colour planes, and give its features and the image statistics in a row.

    Parameters
    ----------
    network
        `aerial_kedro.features.artifact.Backbone.onnx`.

    Returns
    -------
    bytes
        An ONNX file. Input ``pixels``: whole numbers 0–255 as float32, ``(batch, 3, size, size)``;
        output ``row``: float32, ``(batch, n_features + 12)``, the features and then what
        `aerial_kedro.features.featurize.image_statistics` calculates.
    """
    model = onnx.load_from_string(network)
    graph = model.graph
    tiles, features = graph.input[0], graph.output[0]
    size, length = (each.type.tensor_type.shape.dim[1].dim_value for each in (tiles, features))
    entrance = [
        helper.make_node("Transpose", [INPUT], ["pixels_last"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["pixels_last"], [tiles.name], to=TensorProto.UINT8),
    ]
    statistics = _statistics()
    leave = helper.make_node("Concat", [features.name, *statistics[-1].output], [OUTPUT], axis=1)
    nodes = [*entrance, *graph.node, *statistics, leave]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.initializer.extend(_constants())
    graph.input.append(_decimals(INPUT, [3, size, size]))
    graph.output.append(_decimals(OUTPUT, [length + N_STATISTICS]))
    return bytes(model.SerializeToString())


def _decimals(name: str, shape: list[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])


def _constants() -> list[TensorProto]:
    values = {
        "starts": np.array([0, 0]),
        "ends": np.array([_TO_THE_END, _TO_THE_END]),
        "axes": np.array([2, 3]),
        "steps": np.array([STATISTICS_STEP, STATISTICS_STEP]),
        "most": np.array(255, dtype=np.float32),
    }
    return [numpy_helper.from_array(value, _PREFIX + name) for name, value in values.items()]


def _statistics() -> list[NodeProto]:
    """Mean, standard deviation, least and greatest value of each colour, on every fourth pixel."""
    kept: dict[str, Any] = {"axes": [2, 3], "keepdims": 1}
    flat: dict[str, Any] = {"axes": [2, 3], "keepdims": 0}
    return [
        _node("Slice", ["starts", "ends", "axes", "steps"], "thinned", of_pixels=True),
        _node("Div", ["thinned", "most"], "scaled"),
        _node("ReduceMean", ["scaled"], "centre", **kept),
        _node("Sub", ["scaled", "centre"], "apart"),
        _node("Mul", ["apart", "apart"], "squares"),
        _node("ReduceMean", ["squares"], "variance", **flat),
        _node("Sqrt", ["variance"], "deviation"),
        _node("ReduceMean", ["scaled"], "mean", **flat),
        _node("ReduceMin", ["scaled"], "least", **flat),
        _node("ReduceMax", ["scaled"], "greatest", **flat),
        _node("Concat", ["mean", "deviation", "least", "greatest"], "all", axis=1),
    ]


def _node(
    kind: str, inputs: list[str], output: str, *, of_pixels: bool = False, **attributes: Any
) -> NodeProto:
    names = [INPUT] * of_pixels + [_PREFIX + each for each in inputs]
    return helper.make_node(kind, names, [_PREFIX + output], **attributes)
