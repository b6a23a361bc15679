"""Numbers of cells from a network's maps: which layers give them, and what they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from timm.models.deit import VisionTransformerDistilled
from timm.models.mlp_mixer import MlpMixer
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer as VisionTransformerOfTimm
from torch import nn
from torchvision.models import VisionTransformer

from aerial_kedro.features.cell_maps import (
    CellLayer,
    CellMaps,
    cell_layers,
    numbers_of_cells,
    weights_of_cells,
)
from aerial_kedro.features.definitions import build_classifier, cut_classifier, define_backbone
from aerial_kedro.features.export import FeatureNetwork
from aerial_kedro.features.known import BackboneDefinition

TILES = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 3, 56, 56)).astype(np.float32))
SIZE = 224


def definition(library: str = "timm", name: str = "small") -> BackboneDefinition:
    return BackboneDefinition(name, library, name, SIZE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def torchvision_transformer() -> nn.Module:
    network = VisionTransformer(SIZE, 32, num_layers=2, num_heads=2, hidden_dim=24, mlp_dim=48)
    network.heads = nn.Identity()
    return network


def residual_network() -> nn.Module:
    known = define_backbone("resnet18")
    return cut_classifier(build_classifier(known), known)


def without_maps() -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(SIZE // 2), nn.Flatten(), nn.Linear(12, 5))


def names(layers: list[CellLayer]) -> list[tuple[str, str, bool]]:
    return [(each.name, each.layout, each.with_spread) for each in layers]


NETWORKS = {
    "resnet": (
        residual_network,
        [
            ("layer4", "channels", False),
            ("layer3", "channels", False),
            ("layer2", "channels", True),
        ],
    ),
    "transformer of torchvision": (torchvision_transformer, [("encoder", "tokens", False)]),
    "transformer of timm": (
        lambda: VisionTransformerOfTimm(depth=2, embed_dim=24, num_heads=2, num_classes=0),
        [("norm", "tokens", False)],
    ),
    "transformer with two prefix tokens": (
        lambda: VisionTransformerDistilled(depth=2, embed_dim=24, num_heads=2, num_classes=0),
        [("norm", "tokens", False)],
    ),
    "windows": (
        lambda: SwinTransformer(
            embed_dim=24, depths=(1, 1, 1, 1), num_heads=(2, 2, 2, 2), num_classes=0
        ),
        [("norm", "rows", False), ("layers.2", "rows", False), ("layers.1", "rows", True)],
    ),
    "mixer": (
        lambda: MlpMixer(patch_size=32, num_blocks=2, embed_dim=32, num_classes=0),
        [("norm", "tokens", False)],
    ),
    "no maps": (without_maps, []),
}  # fmt: skip


@pytest.fixture(scope="module")
def networks() -> dict[str, nn.Module]:
    torch.manual_seed(7)
    return {name: build().eval() for name, (build, _) in NETWORKS.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_of_networks(name: str, networks: dict[str, nn.Module]) -> None:
    found = names(cell_layers(networks[name], definition()))
    assert found == NETWORKS[name][1]


def test_a_definition_that_names_stages_is_followed() -> None:
    known = define_backbone("efficientnet_lite0")
    found = cell_layers(nn.Identity(), known)  # not even run
    assert names(found) == [
        ("blocks.6", "channels", False),
        ("blocks.4", "channels", False),
        ("blocks.2", "channels", True),
    ]


# Weights at random make a mixer mix places as it likes.
@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in {"no maps", "mixer"}])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 5)])
def test_rows_of_cells_go_south_and_columns_east(
    row: int, column: int, name: str, networks: dict[str, nn.Module]
) -> None:
    """Where a square of the picture changes, the numbers of that cell change most."""
    flat = np.full((1, SIZE, SIZE, 3), 128, dtype=np.uint8)
    noisy = flat.copy()
    place = np.s_[0, 32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
    noisy[place] = np.random.default_rng(2).integers(0, 256, noisy[place].shape)
    network = FeatureNetwork(networks[name], definition()).eval()
    with torch.inference_mode():
        before, after = (network(torch.from_numpy(each))[1][0].numpy() for each in (flat, noisy))
    change = np.abs(after - before).sum(axis=-1)
    assert change.shape == (7, 7)
    assert np.isfinite(change).all()
    assert np.unravel_index(change.argmax(), change.shape) == (row, column)


class Maps(nn.Module):
    """Gives maps of some side, laid out in some way; with other tokens in front."""

    def __init__(self, side: int, layout: str = "channels", prefix: int = 0) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(side)
        self.last = nn.Identity()
        self._layout, self._prefix = layout, prefix

    def channels(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.pool(pixels) * 5 - 1  # of both signs

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        maps = self.channels(pixels)
        if self._layout == "rows":
            maps = maps.permute(0, 2, 3, 1)
        if self._layout == "tokens":
            maps = maps.flatten(2).transpose(1, 2)
            others = torch.full((len(maps), self._prefix, maps.shape[-1]), 99.0)
            maps = torch.cat([others, maps], dim=1)
        return self.last(maps)


def numbers_of(network: Maps, layer: CellLayer) -> np.ndarray:
    cells = CellMaps(network, [layer])
    with torch.inference_mode():
        network(TILES)
        return cells().numpy()


def rooted(values: np.ndarray) -> np.ndarray:
    """Channels last, and the signed square root."""
    return np.moveaxis(np.sign(values) * np.sqrt(np.abs(values)), 1, -1)


def averaged(maps: np.ndarray) -> np.ndarray:
    """Mean over cells by area: positions cut in 7 by 7, which cells then hold whole."""
    side = maps.shape[-1]
    fine = maps.repeat(7, axis=2).repeat(7, axis=3)
    return fine.reshape(*maps.shape[:2], 7, side, 7, side).mean(axis=(3, 5))


@pytest.mark.parametrize("side", [7, 14, 28, 8, 10, 13, 27])
def test_numbers_are_means_over_cells_and_deviations(side: int) -> None:
    network = Maps(side)
    maps = network.channels(TILES).numpy().astype(np.float64)
    mean = averaged(maps)
    spread = np.sqrt(np.maximum(averaged(maps**2) - mean**2, 0))
    found = numbers_of(network, CellLayer("last", with_spread=True))
    assert found.shape == (2, 7, 7, 6)
    assert found[..., :3] == pytest.approx(rooted(mean), abs=2e-3)
    # The square root of a difference of squares: near 0 nothing is exact.
    assert found[..., 3:] ** 2 == pytest.approx(rooted(spread) ** 2, abs=2e-3)
    assert numbers_of(network, CellLayer("last")) == pytest.approx(rooted(mean), abs=2e-3)


@pytest.mark.parametrize("side", [3, 5, 6])
def test_maps_coarser_than_cells_are_interpolated(side: int) -> None:
    network = Maps(side)
    expected = nn.functional.interpolate(network.channels(TILES), 7, mode="bilinear").numpy()
    found = numbers_of(network, CellLayer("last"))
    assert found == pytest.approx(rooted(expected), abs=2e-3)


@pytest.mark.parametrize(("layout", "prefix"), [("rows", 0), ("tokens", 0), ("tokens", 3)])
def test_other_layouts_give_the_same(layout: str, prefix: int) -> None:
    expected = numbers_of(Maps(14), CellLayer("last"))
    layer = CellLayer("last", layout)  # type: ignore[arg-type]
    assert np.array_equal(numbers_of(Maps(14, layout, prefix), layer), expected)


@pytest.mark.parametrize("prefix", [1, 5, 16])
def test_tokens_before_the_patches_are_as_many_as_the_network_says(prefix: int) -> None:
    """Of 65 tokens 49 may be of patches, which 8 by 8 and one would be taken for."""
    network = Maps(7, "tokens", prefix)
    network.num_prefix_tokens = prefix
    known = replace(definition(), input_size=56)
    (layer,) = [each for each in cell_layers(network, known) if each.layout == "tokens"]
    assert layer.prefix == prefix
    expected = numbers_of(Maps(7), CellLayer("last"))
    assert np.array_equal(numbers_of(network, layer), expected)


def test_layers_are_read_in_the_order_named_whatever_ran_first() -> None:
    network = Maps(14)
    cells = CellMaps(network, [CellLayer("last"), CellLayer("pool")])
    with torch.inference_mode():
        network(TILES)
        found = cells().numpy()
    pooled = network.pool(TILES).numpy()
    assert found[..., :3] == pytest.approx(rooted(averaged(5 * pooled - 1)), abs=2e-3)
    assert found[..., 3:] == pytest.approx(rooted(averaged(pooled)), abs=2e-3)


def test_a_transformer_that_comes_after_maps_counts_alone(networks: dict[str, nn.Module]) -> None:
    """Convolutions before tokens say no more than the tokens, which come last."""
    first = nn.Sequential(nn.Conv2d(3, 4, 16, 16), nn.Flatten(2))
    network = nn.Sequential(first, nn.Linear(196, 196))
    network.eval()
    layers = cell_layers(network, definition())
    assert [each.layout for each in layers] == ["channels"]  # (1, 4, 196) are no tokens
    tokens = nn.Sequential(nn.Conv2d(3, 4, 16, 16), Transposed(), nn.Linear(4, 6))
    assert names(cell_layers(tokens, definition())) == [("2", "tokens", False)]


class Transposed(nn.Module):
    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.flatten(2).transpose(1, 2)


@pytest.mark.parametrize("side", [4, 8, 10])
def test_maps_of_other_sides_are_weighted_along_rows_and_columns(side: int) -> None:
    """Each channel by itself, in whatever order they are computed."""
    maps = torch.from_numpy(
        np.random.default_rng(2).normal(size=(3, 5, side, side)).astype(np.float32)
    )
    weights = weights_of_cells(side).numpy().astype(np.float64)
    mean = np.einsum("ir,bcrs,js->bijc", weights, maps.numpy().astype(np.float64), weights)
    expected = np.sign(mean) * np.sqrt(np.abs(mean))
    found = numbers_of_cells([(maps, CellLayer("layer"))]).numpy()
    assert found.shape == (3, 7, 7, 5)
    assert found == pytest.approx(expected, abs=1e-3)
