"""Principal components of cells: fitted as scikit-learn does, in bytes, folded into files."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, feature_key
from aerial_kedro.features.cell_projection import (
    COMPONENTS,
    fit_projection,
    names_of_projection,
    numbers_of_cells,
    project_cells,
    without_cells,
)
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.quantization import quantize_backbone


@pytest.fixture(scope="module")
def numbers() -> np.ndarray:
    """Numbers that are not independent, each of a range of its own; one never varies."""
    rng = np.random.default_rng(1)
    found = rng.normal(size=(600, 20)) * 3.0 ** -np.arange(20) @ rng.normal(size=(20, 100))
    found = (found + 0.01 * rng.normal(size=found.shape)) * np.geomspace(0.1, 10, 100)
    found[:, 7] = 4.0
    return (found + 0.1 * np.arange(100)).astype(np.float32)


@pytest.fixture(scope="module")
def projected(lite0: Backbone, tiles224: np.ndarray) -> Backbone:
    return project_cells(lite0, tiles224, "five tiles")


def key(backbone: Backbone) -> str:
    return feature_key(backbone.card, "onnxruntime", "fp32", "1")


def cells_of(backbone: Backbone, tiles: np.ndarray) -> np.ndarray | None:
    return open_engine("onnxruntime", "fp32", backbone.onnx).run_with_cells(tiles)[1]


def test_components_are_those_of_standardised_numbers(numbers: np.ndarray) -> None:
    projection = fit_projection(numbers)
    standardised = StandardScaler().fit_transform(numbers.astype(np.float64))
    known = PCA(COMPONENTS, svd_solver="full").fit(standardised)
    expected = known.transform(standardised)
    stored = projection.apply(numbers)
    assert (stored.shape, stored.dtype) == ((600, COMPONENTS), np.int8)
    found = stored * projection.scales
    # The axis may point either way.
    signs = np.sign((found * expected).sum(axis=0))
    assert (np.abs(found - expected * signs) <= 0.51 * projection.scales).all()
    assert projection.explained == pytest.approx(known.explained_variance_ratio_.sum(), abs=1e-6)


def test_the_whole_range_of_a_byte_is_used_and_nothing_lies_outside(numbers: np.ndarray) -> None:
    projection = fit_projection(numbers)
    assert (np.abs(projection.apply(numbers).astype(int)).max(axis=0) == 127).all()
    far = projection.apply(projection.centre + 50 * (numbers - projection.centre))
    assert (far.min(), far.max()) == (-127, 127)


def test_the_order_of_cells_does_not_turn_an_axis(numbers: np.ndarray) -> None:
    one, other = fit_projection(numbers), fit_projection(numbers[::-1].copy())
    assert one.apply(numbers)[:, :8] == pytest.approx(other.apply(numbers)[:, :8], abs=1)


def test_fewer_numbers_or_cells_give_fewer_components(numbers: np.ndarray) -> None:
    assert fit_projection(numbers[:, :9]).matrix.shape == (9, 9)
    assert fit_projection(numbers[:5]).matrix.shape == (100, 4)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_cells_are_refused(rows: int, numbers: np.ndarray) -> None:
    with pytest.raises(AerialError, match="nothing that tells cells apart"):
        fit_projection(numbers[:rows])


def test_cells_that_are_all_alike_are_refused() -> None:
    with pytest.raises(AerialError, match=r"nothing that tells cells apart.*hold images"):
        fit_projection(np.ones((50, 4), dtype=np.float32))


def test_without_a_tile_there_is_no_projection(lite0: Backbone) -> None:
    with pytest.raises(AerialError, match="No training tile could be read"):
        project_cells(lite0, np.empty((0, 224, 224, 3), np.uint8), "")


def test_what_is_folded_in_is_the_projection_of_the_numbers(
    lite0: Backbone, projected: Backbone, tiles224: np.ndarray
) -> None:
    """On tiles that it was not fitted on as well, which may lie outside the range."""
    projection = fit_projection(numbers_of_cells(lite0, tiles224).reshape(-1, 512))
    tiles = np.concatenate([tiles224, tiles224[:, ::-1] // 3])
    expected = projection.apply(numbers_of_cells(lite0, tiles)).astype(int)
    found = cells_of(projected, tiles)
    assert found is not None
    assert (found.shape, found.dtype) == ((10, 7, 7, 64), np.int8)
    different = np.abs(found - expected)
    assert different.max() <= 1
    assert (different > 0).mean() < 0.01


def test_the_card_describes_the_embedding(
    lite0: Backbone, projected: Backbone, tiles224: np.ndarray
) -> None:
    card = projected.card.cells
    assert card is not None
    assert (card.layers, card.channels) == (("blocks.6", "blocks.4", "blocks.2"), 512)
    assert (card.fitted_tiles, card.fitted_on, card.components) == (5, "five tiles", 64)
    projection = fit_projection(numbers_of_cells(lite0, tiles224).reshape(-1, 512))
    assert card.scales == pytest.approx(projection.scales.tolist())
    assert 0 < card.explained <= 1
    assert projected.card.onnx_sha256 == hashlib.sha256(projected.onnx).hexdigest()
    assert (
        projected.card.model_copy(update={"cells": None, "onnx_sha256": lite0.card.onnx_sha256})
        == lite0.card
    )


def test_features_stay_as_they_are(
    lite0: Backbone, projected: Backbone, tiles224: np.ndarray
) -> None:
    before, after = (
        open_engine("onnxruntime", "fp32", each.onnx).run(tiles224) for each in (lite0, projected)
    )
    assert np.array_equal(before, after)


def test_projecting_again_replaces(
    lite0: Backbone, projected: Backbone, tiles224: np.ndarray
) -> None:
    others = tiles224[:, ::-1] // 3
    again = project_cells(projected, others, "others")
    assert again == project_cells(lite0, others, "others")
    assert names_of_projection(onnx.load_from_string(again.onnx).graph) == names_of_projection(
        onnx.load_from_string(projected.onnx).graph
    )
    assert project_cells(again, tiles224, "five tiles") == projected


def test_the_cells_can_be_left_away_and_projected_later(
    lite0: Backbone, projected: Backbone, tiles224: np.ndarray
) -> None:
    for backbone in (lite0, projected):
        plain = without_cells(backbone)
        assert [each.name for each in onnx.load_from_string(plain.onnx).graph.output] == [
            "features"
        ]
        assert cells_of(plain, tiles224) is None
        assert plain.card.cells is None
        assert plain.card.onnx_sha256 == hashlib.sha256(plain.onnx).hexdigest()
        assert cells_of(project_cells(plain, tiles224, "five tiles"), tiles224) == pytest.approx(
            cells_of(projected, tiles224)
        )


def test_without_cells_a_network_that_has_none_stays_itself(lite0: Backbone) -> None:
    bare = replace(lite0, card=lite0.card.model_copy(update={"cell_layers": ()}))
    assert without_cells(bare) is bare


def test_keys_are_of_the_projection_and_of_folders_as_before(
    lite0: Backbone, projected: Backbone, tiles224: np.ndarray
) -> None:
    other = project_cells(lite0, tiles224[:4], "four tiles")
    same = project_cells(lite0, tiles224, "another name for them")
    assert len({key(each) for each in (lite0, projected, other)}) == 3
    assert key(same) == key(projected)
    assert key(without_cells(projected)) == key(without_cells(lite0)) == key(lite0)


def test_int8_leaves_the_projection_alone(projected: Backbone, tiles224: np.ndarray) -> None:
    int8 = quantize_backbone(projected, tiles224, "0123456789abcdef")
    assert int8.card.cells == projected.card.cells
    before, after = (onnx.load_from_string(each.onnx).graph for each in (projected, int8))
    names = names_of_projection(before)
    assert [each.split("/")[-1] for each in names] == ["Sub", "MatMul", "Round", "Clip", "Cast"]
    parts = [[node for node in graph.node if node.name in names] for graph in (before, after)]
    assert [node.SerializeToString() for node in parts[0]] == [
        node.SerializeToString() for node in parts[1]
    ]
    kept = [
        {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        for graph in (before, after)
    ]
    for name in {name for node in parts[0] for name in node.input} & set(kept[0]):
        assert np.array_equal(kept[0][name], kept[1][name])
    found, expected = cells_of(int8, tiles224), cells_of(projected, tiles224)
    assert found is not None
    assert expected is not None
    likeness = np.corrcoef(found[..., :4].ravel(), expected[..., :4].ravel())[0, 1]
    assert likeness > 0.9
