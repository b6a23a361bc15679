"""Networks with another input: what they give, and what is refused, with what fits."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Weights, feature_key
from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.export import export_backbone
from aerial_kedro.features.grain import Grain
from aerial_kedro.features.input_sizes import check_input
from aerial_kedro.features.known import BackboneDefinition

Build = Callable[[str], nn.Module]
DEFINITION = BackboneDefinition("small", "timm", "small", 224, (0.5,) * 3, (0.25,) * 3)


@pytest.mark.parametrize(("gsd_m", "size"), [(2.0, 112), (0.9, 252)])
def test_the_export_is_made_for_the_input_and_keeps_the_grid_of_cells(
    gsd_m: float, size: int, random_network: Build
) -> None:
    definition = define_backbone("resnet18")
    weights = Weights(random_network("resnet18").state_dict(), "seed", "0")
    own, other = (
        export_backbone(definition, weights, seed=1, grain=grain)
        for grain in (None, Grain(224, gsd_m))
    )
    assert (own.card.input_size, other.card.input_size) == (224, size)
    (tiles,) = onnx.load_from_string(other.onnx).graph.input
    assert [each.dim_value for each in tiles.type.tensor_type.shape.dim[1:]] == [size, size, 3]
    found = open_engine("onnxruntime", "fp32", other.onnx).run_with_cells(
        np.random.default_rng(1).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    )
    assert found[0].shape == (3, own.card.n_features)
    assert found[1] is not None
    assert found[1].shape[:3] == (3, 7, 7)
    assert other.card.parity_cosine > 0.9999
    keys = {feature_key(each.card, "onnxruntime", "fp32", "1") for each in (own, other)}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [("vit_tiny_patch16_224", "112"), ("alexnet", "averages maps of 2 positions a side to 6")],
)
def test_a_network_of_one_input_is_refused_with_what_fits(
    name: str, reason: str, random_network: Build
) -> None:
    weights = Weights(random_network(name).state_dict(), "seed", "0")
    with pytest.raises(
        AerialError, match=rf"'{name}' cannot take tiles of 112 .*gsd_m=2 .*{reason}.*gsd_m=1 \(224"
    ):
        export_backbone(define_backbone(name), weights, seed=1, grain=Grain(224, 2.0))


class Halving(nn.Module):
    """Takes what five halvings leave whole, as networks that add maps of two scales do."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if pixels.shape[-1] % 32:
            raise RuntimeError("The size of tensor a (28) must match\nmore of it")
        return pixels.mean((2, 3))


def test_what_fits_is_taken_when_it_is_asked_for() -> None:
    with pytest.raises(AerialError) as refused:
        check_input(Halving(), DEFINITION, 112, Grain(224, 2.0))
    message = str(refused.value)
    assert "more of it" not in message
    offered = {
        int(pixels): float(gsd_m)
        for gsd_m, pixels in re.findall(r"gsd_m=([\d.]+) \((\d+) pixels", message)
    }
    assert set(offered) == {96, 128, 224}
    for pixels, gsd_m in offered.items():
        assert Grain(224, gsd_m).choose_input(224) == pixels
        check_input(Halving(), DEFINITION, pixels, Grain(224, gsd_m))


def test_trying_leaves_a_network_as_it_was(random_network: Build) -> None:
    network = random_network("alexnet")
    with pytest.raises(AerialError):
        check_input(network, DEFINITION, 112, Grain(224, 2.0))
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 112, 112)).shape == (1, 1000)
