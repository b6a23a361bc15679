"""The exported file gives the features that torch gives."""

import copy
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import timm
import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, Weights
from aerial_kedro.features.definitions import cut_classifier, define_backbone
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.export import FeatureNetwork, export_backbone
from aerial_kedro.features.precision_loss import smallest_cosine
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.features.weights import read_weights

Build = Callable[[str], nn.Module]


def run(backbone: Backbone, tiles: np.ndarray) -> np.ndarray:
    return open_engine("onnxruntime", "fp32", backbone.onnx).run(tiles)


def assert_cells_are_torchs(
    backbone: Backbone, network: nn.Module, layers: tuple[str, ...], tiles: np.ndarray
) -> None:
    """The file's numbers of cells are those that torch computes of the layers named."""
    assert backbone.card.cell_layers == layers
    definition = define_backbone(backbone.card.name)
    own = FeatureNetwork(cut_classifier(copy.deepcopy(network), definition), definition).eval()
    with torch.inference_mode():
        expected = own(torch.from_numpy(tiles))[1].numpy()
    found = open_engine("onnxruntime", "fp32", backbone.onnx).run_with_cells(tiles)[1]
    assert found is not None
    assert found.shape == expected.shape
    assert found == pytest.approx(expected, abs=2e-3 * float(np.abs(expected).max()))


def test_the_default_equals_timms_own_output(lite0: Backbone, tiles224: np.ndarray) -> None:
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=1000)
    state = read_weights(find_weights("efficientnet_lite0")).state
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    network.eval().reset_classifier(0)
    pixels = (torch.from_numpy(tiles224).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5
    with torch.inference_mode():
        expected = network(pixels).numpy()
    found = run(lite0, tiles224)
    assert found.shape == (5, 1280)
    assert smallest_cosine(found, expected) > 0.99999
    assert found == pytest.approx(expected, abs=0.01 * float(expected.max()))


def test_the_card_describes_the_file(lite0: Backbone) -> None:
    card = lite0.card
    assert (card.name, card.architecture) == ("efficientnet_lite0", "timm/tf_efficientnet_lite0")
    assert (card.input_size, card.n_features, card.opset) == (224, 1280, 13)
    assert card.mean == card.std == (0.5, 0.5, 0.5)
    assert card.weights_sha256.startswith("579344248a93e230")
    assert card.onnx_sha256 == hashlib.sha256(lite0.onnx).hexdigest()
    assert card.parity_cosine > 0.9999


def test_the_graph_takes_bytes_and_any_number_of_tiles(lite0: Backbone) -> None:
    graph = onnx.load_from_string(lite0.onnx).graph
    (tiles,), (features, numbers) = graph.input, graph.output
    assert (tiles.name, features.name, numbers.name) == ("tiles", "features", "cell_numbers")
    assert tiles.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    for output in (features, numbers):
        assert output.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    shape = tiles.type.tensor_type.shape.dim
    for each in (tiles, features, numbers):
        assert each.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert [each.dim_value for each in shape[1:]] == [224, 224, 3]


def test_the_preprocessing_is_inside(lite0: Backbone, tiles224: np.ndarray) -> None:
    brighter = (tiles224 // 2 + 100).astype(np.uint8)
    assert smallest_cosine(run(lite0, tiles224), run(lite0, brighter)) < 0.99
    with pytest.raises(Exception, match="uint8"):
        run(lite0, tiles224.astype(np.float32))


@pytest.mark.parametrize(
    ("name", "features", "layers"),
    [
        # Maps of 6, 13 and 27 positions a side; of 7, 14 and 28; of 13, 27 and 54.
        ("alexnet", 4096, ("avgpool", "features.11", "features.4")),
        ("resnet18", 512, ("layer4", "layer3", "layer2")),
        ("squeezenet1_1", 512, ("classifier.2", "features.7", "features.4")),
    ],
)
def test_torchvisions_backbones_by_weights_path(
    name: str,
    features: int,
    layers: tuple[str, ...],
    random_network: Build,
    weights_file: Callable[..., Path],
) -> None:
    network = random_network(name)
    definition = define_backbone(name)
    path = weights_file(network.state_dict())
    backbone = export_backbone(
        definition, read_weights(find_weights(definition.name, str(path))), seed=1
    )
    assert (backbone.card.n_features, backbone.card.opset) == (features, 13)
    assert backbone.card.weights_source == "file weights.pth"

    kept: list[torch.Tensor] = []
    last = {
        "alexnet": lambda: network.classifier[6],
        "resnet18": lambda: network.fc,
        "squeezenet1_1": lambda: network.classifier[1],
    }[name]()
    last.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    tiles = np.random.default_rng(5).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    assert_cells_are_torchs(backbone, network, layers, tiles)
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (definition.mean, definition.std))
    with torch.inference_mode():
        network((torch.from_numpy(tiles).permute(0, 3, 1, 2) / 255 - mean) / std)
    expected = kept[0].mean(dim=(2, 3)) if name == "squeezenet1_1" else kept[0]
    assert smallest_cosine(run(backbone, tiles), expected.numpy()) > 0.9999


def test_networks_that_need_a_newer_opset_get_one(random_network: Build) -> None:
    definition = define_backbone("vit_tiny_patch16_224")
    network = random_network("vit_tiny_patch16_224")
    backbone = export_backbone(definition, Weights(network.state_dict(), "seed", "0"), seed=1)
    assert backbone.card.opset == 17
    assert backbone.card.n_features == 192
    tiles = np.random.default_rng(5).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    assert_cells_are_torchs(backbone, network, ("norm",), tiles)


def test_broken_weights_are_no_backbone(random_network: Build) -> None:
    state = dict(random_network("squeezenet1_1").state_dict())
    state["features.0.weight"] = torch.full_like(state["features.0.weight"], float("nan"))
    with pytest.raises(AerialError, match=r"differs from torch: cosine nan, at least 0\.9999"):
        export_backbone(define_backbone("squeezenet1_1"), Weights(state, "seed", "0"), seed=1)


def test_a_definition_with_another_normalisation_gives_other_features(
    random_network: Build,
) -> None:
    definition = define_backbone("squeezenet1_1")
    weights = Weights(random_network("squeezenet1_1").state_dict(), "seed", "0")
    tiles = np.random.default_rng(5).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    plain = dataclasses.replace(definition, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    first, second = (
        run(export_backbone(each, weights, seed=1), tiles) for each in (definition, plain)
    )
    assert np.abs(first - second).max() > 1e-3


class TestCosine:
    def test_is_the_least_over_the_rows(self) -> None:
        first = np.array([[1.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
        second = np.array([[5.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
        assert smallest_cosine(first, second) == pytest.approx(np.sqrt(0.5))

    def test_of_zeros(self) -> None:
        zeros, ones = np.zeros((2, 3)), np.ones((2, 3))
        assert smallest_cosine(zeros, zeros) == 1
        assert smallest_cosine(zeros, ones) == 0

    def test_of_nan_is_nan(self) -> None:
        assert np.isnan(smallest_cosine(np.full((1, 3), np.nan), np.ones((1, 3))))
