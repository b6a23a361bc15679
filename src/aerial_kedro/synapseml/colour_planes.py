"""Another entrance and exit for an exported backbone: colour planes in, one row of numbers out.

SynapseML's `ImageFeaturizer` hands a network decimals by colour planes and takes one vector back.
What lies between entrance and exit is the exported graph, untouched.
"""

import onnx
from onnx import TensorProto, helper

from aerial_kedro.features.featurize import STATISTICS_STEP

INPUT, OUTPUT = "pixels", "row"
N_STATISTICS = 12
# Mean, standard deviation, least and greatest value of each colour, on every fourth pixel.
_STATISTICS = f"""
statistics (float[batch, 3, rows, columns] {INPUT}) => (float[batch, {N_STATISTICS}] statistics_all)
<
  int64[2] statistics_starts = {{0, 0}},
  int64[2] statistics_ends = {{{2**31 - 1}, {2**31 - 1}}},
  int64[2] statistics_axes = {{2, 3}},
  int64[2] statistics_steps = {{{STATISTICS_STEP}, {STATISTICS_STEP}}},
  float statistics_most = {{255.0}}
>
{{
  statistics_thinned = Slice({INPUT}, statistics_starts, statistics_ends, statistics_axes,
                             statistics_steps)
  statistics_scaled = Div(statistics_thinned, statistics_most)
  statistics_centre = ReduceMean<axes = [2, 3], keepdims = 1>(statistics_scaled)
  statistics_apart = Sub(statistics_scaled, statistics_centre)
  statistics_squares = Mul(statistics_apart, statistics_apart)
  statistics_variance = ReduceMean<axes = [2, 3], keepdims = 0>(statistics_squares)
  statistics_deviation = Sqrt(statistics_variance)
  statistics_mean = ReduceMean<axes = [2, 3], keepdims = 0>(statistics_scaled)
  statistics_least = ReduceMin<axes = [2, 3], keepdims = 0>(statistics_scaled)
  statistics_greatest = ReduceMax<axes = [2, 3], keepdims = 0>(statistics_scaled)
  statistics_all = Concat<axis = 1>(statistics_mean, statistics_deviation, statistics_least,
                                    statistics_greatest)
}}
"""


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
    statistics = onnx.parser.parse_graph(_STATISTICS)
    row = [features.name, statistics.output[0].name]
    leave = helper.make_node("Concat", row, [OUTPUT], axis=1)
    nodes = [*entrance, *graph.node, *statistics.node, leave]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.initializer.extend(statistics.initializer)
    graph.input.append(_decimals(INPUT, [3, size, size]))
    graph.output.append(_decimals(OUTPUT, [length + N_STATISTICS]))
    return bytes(model.SerializeToString())


def _decimals(name: str, shape: list[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
