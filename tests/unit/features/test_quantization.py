"""An int8 backbone is near its fp32 original, and named after what it was calibrated on."""

from __future__ import annotations

import hashlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, BackboneCard, feature_key
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.precision_loss import cosines
from aerial_kedro.features.quantization import (
    leading_convolutions,
    name_calibration,
    quantize_backbone,
)


def scenery(count: int, seed: int) -> np.ndarray:
    """Tiles of coarse and fine detail in a colour of their own, unlike noise."""
    rng = np.random.default_rng(seed)
    tiles = np.zeros((count, 224, 224, 3))
    for step in (4, 16, 56):
        cells = rng.normal(0, 20, (count, 224 // step, 224 // step, 3))
        tiles += cells.repeat(step, axis=1).repeat(step, axis=2)
    tiles += rng.uniform(60, 190, (count, 1, 1, 3))
    return tiles.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def int8(lite0: Backbone) -> Backbone:
    return quantize_backbone(lite0, scenery(24, seed=1), "0123456789abcdef")


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_features_are_near_those_in_fp32_on_other_tiles(
    engine: str, lite0: Backbone, int8: Backbone
) -> None:
    tiles = scenery(8, seed=2)
    expected = open_engine("onnxruntime", "fp32", lite0.onnx).run(tiles)
    found = open_engine(engine, "int8", int8.network_for(engine)).run(tiles)
    assert found.shape == expected.shape
    # Weights of seven bits cost some of the likeness that eight have on a processor with VNNI.
    assert 0.95 < cosines(found, expected).min() < 0.999999


def test_weights_keep_clear_of_what_overflows_without_vnni(int8: Backbone) -> None:
    """Two products of 255 and 64 fit into 16 bits, two of 255 and 127 do not."""
    graph = onnx.load_from_string(int8.onnx).graph
    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    weights = [makers.get(node.input[1]) for node in graph.node if node.op_type == "Conv"]
    largest = [
        np.abs(values[each.input[0]].astype(int)).max()
        for each in weights
        if each is not None and each.op_type == "DequantizeLinear"
    ]
    assert largest
    assert max(largest) <= 64


def test_all_convolutions_but_the_leading_ones_are_quantized(int8: Backbone) -> None:
    graph = onnx.load_from_string(int8.onnx).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    plain = [
        node.name
        for node in graph.node
        if node.op_type == "Conv" and makers.get(node.input[1]) != "DequantizeLinear"
    ]
    assert len(plain) == 3
    assert plain == leading_convolutions(graph)
    assert "conv_stem" in plain[0]


def test_weights_have_a_scale_for_each_channel(int8: Backbone) -> None:
    graph = onnx.load_from_string(int8.onnx).graph
    makers = {name: node for node in graph.node for name in node.output}
    sizes = {each.name: list(each.dims) for each in graph.initializer}
    for node in graph.node:
        weight = makers.get(node.input[1]) if node.op_type == "Conv" else None
        if weight is not None and weight.op_type == "DequantizeLinear":
            assert sizes[weight.input[1]] == sizes[weight.input[0]][:1]


def test_the_card_says_what_it_is(lite0: Backbone, int8: Backbone) -> None:
    assert (int8.card.precision, int8.card.calibration) == ("int8", "0123456789abcdef")
    assert int8.card.onnx_sha256 == hashlib.sha256(int8.onnx).hexdigest()
    assert len(int8.onnx) < 0.4 * len(lite0.onnx)


def test_the_same_tiles_give_the_same_file(lite0: Backbone) -> None:
    one, other = (quantize_backbone(lite0, scenery(4, seed=1), "") for _ in range(2))
    assert one == other


def test_another_calibration_is_another_feature_key(int8: Backbone) -> None:
    other = int8.card.model_copy(update={"calibration": "fedcba9876543210"})
    keys = {feature_key(card, "onnxruntime", "int8", "1") for card in (int8.card, other)}
    assert len(keys) == 2


def test_calibrations_are_named_after_the_tiles_in_any_order() -> None:
    name = name_calibration([("a", "v1"), ("b", "v1")])
    assert name == name_calibration([("b", "v1"), ("a", "v1")])
    assert len({name, name_calibration([("a", "v1"), ("b", "v2")]), name_calibration([])}) == 3


def test_without_a_tile_there_is_no_calibration(lite0: Backbone) -> None:
    with pytest.raises(AerialError, match=r"No tile could be read.*precision=fp32"):
        quantize_backbone(lite0, np.empty((0, 224, 224, 3), np.uint8), "")


def test_a_network_without_convolutions_to_quantize_is_refused(lite0: Backbone) -> None:
    tiles = helper.make_tensor_value_info("tiles", TensorProto.UINT8, ["batch", 4])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 4])
    cast = helper.make_node("Cast", ["tiles"], ["features"], to=TensorProto.FLOAT)
    model = helper.make_model(helper.make_graph([cast], "plain", [tiles], [features]))
    card: BackboneCard = lite0.card
    with pytest.raises(AerialError, match="no convolutions"):
        quantize_backbone(Backbone(model.SerializeToString(), card), scenery(1, 1), "")
