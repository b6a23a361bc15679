"""The ground that a map has right: an example that can be counted, and laws that hold for any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.accuracy.confusion import confusion_counts, macro_f1
from aerial_kedro.accuracy.ground import GroundSample, evaluate_ground

CLASSES = ["Forest", "Field", "Town"]


def sure(predicted: np.ndarray) -> np.ndarray:
    """Probabilities of a map that is sure of each cell; alike where it says nothing."""
    found = np.eye(len(CLASSES) + 1)[predicted][..., : len(CLASSES)]
    found[predicted < 0] = 1 / len(CLASSES)
    return found


def example() -> GroundSample:
    """Three tiles of four cells; of the last nothing is known, of the second one cell is not."""
    predicted = np.array([[0, 0, 1, 1], [2, 2, 2, 0], [0, 0, 0, 0]])
    return GroundSample(
        reference=np.array([[0, 0, 0, 1], [2, 2, 1, -1], [-1, -1, -1, -1]]),
        predicted=predicted,
        purity=np.array([[1.0, 0.995, 0.99, 0.6], [1.0, 0.5, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]),
        probabilities=sure(predicted),
        unsure=np.array([[0, 0, 1, 0], [0, 1, 0, 1], [1, 1, 1, 1]], dtype=bool),
        tile_classes=np.array([0, 0, 2]),
        by_cells=np.array([0, 1, 0]),
        is_pure=np.array([True, False, True]),
        blocks=["a", "b", "c"],
    )


def test_an_example_by_hand() -> None:
    found = evaluate_ground(example(), CLASSES, seed=1)
    assert (found.cells, found.tiles, found.blocks) == (7, 2, 2)
    assert found.accuracy == pytest.approx(5 / 7)
    # Forest 2 of 3 found, none wrong; Field 1 of 2 found, 1 of 2 right; Town 2 of 2, 2 of 3.
    assert found.macro_f1 == pytest.approx((0.8 + 0.5 + 0.8) / 3)
    assert found.tile_map_accuracy == pytest.approx(3 / 7)
    assert found.best_tile_map_accuracy == pytest.approx(5 / 7)
    assert found.pure_accuracy == pytest.approx(3 / 4)  # 99.5 % and more
    assert found.mixed_accuracy == pytest.approx(2 / 3)
    assert (found.tiles_by_cells_pure, found.tiles_by_cells_mixed) == (1, 0)
    assert (found.tiles_by_model_pure, found.tiles_by_model_mixed) == (1, 0)
    other = evaluate_ground(replace(example(), tile_classes=np.array([1, 2, 2])), CLASSES, seed=1)
    assert (other.tiles_by_cells_pure, other.tiles_by_cells_mixed) == (1, 0)
    assert (other.tiles_by_model_pure, other.tiles_by_model_mixed) == (0, 1)
    # Of seven known cells two are unsure, a wrong one and a right one.
    assert found.unsure_share == pytest.approx(2 / 7)
    assert found.sure_accuracy == pytest.approx(4 / 5)
    # First tile: 1/2 1/2 0 for 3/4 1/4 0; second: 0 0 1 for 0 1/3 2/3.
    assert found.tile_shares_error == pytest.approx((1 / 2 + 2 / 3) / 2)
    # Forest for 3/4 1/4 0, and for 0 1/3 2/3.
    assert found.tile_map_shares_error == pytest.approx((1 / 2 + 2) / 2)
    # Of seven cells: 3 2 2 there, 2 2 3 on the map, 7 0 0 on that of tiles.
    assert found.area_error == pytest.approx(2 / 7)
    assert found.tile_map_area_error == pytest.approx(8 / 7)
    assert found.calibration_error == pytest.approx(2 / 7)  # sure of all, right in 5 of 7
    assert found.accuracy_interval is not None
    assert found.accuracy_interval.lower == pytest.approx(2 / 3)
    assert found.accuracy_interval.upper == pytest.approx(3 / 4)


def test_of_one_block_no_spread_can_be_seen_and_what_is_not_there_is_none() -> None:
    one = replace(example(), blocks=["a", "a", "c"], is_pure=np.array([True, True, False]))
    found = evaluate_ground(replace(one, purity=np.ones((3, 4))), CLASSES, seed=1)
    assert found.accuracy_interval is None
    assert found.mixed_accuracy is None
    assert found.tiles_by_cells_mixed is None


def test_where_every_cell_is_unsure_nothing_is_said_of_the_others() -> None:
    found = evaluate_ground(replace(example(), unsure=np.ones((3, 4), bool)), CLASSES, seed=1)
    assert (found.unsure_share, found.sure_accuracy) == (1, None)
    assert found.accuracy == pytest.approx(5 / 7)


def test_without_any_known_cell_there_is_nothing_to_say() -> None:
    unknown = replace(example(), reference=np.full((3, 4), -1))
    with pytest.raises(ValueError, match="no cell"):
        evaluate_ground(unknown, CLASSES, seed=1)


def test_where_a_map_says_nothing_it_is_wrong_in_every_figure() -> None:
    """It has not said the last class there, the only one that is."""
    silent = replace(
        example(),
        reference=np.full((3, 4), 2),
        predicted=np.full((3, 4), -1),
        probabilities=sure(np.full((3, 4), -1)),
    )
    found = evaluate_ground(silent, CLASSES, seed=1)
    assert found.accuracy == 0
    assert found.macro_f1 == 0
    assert found.accuracy_interval is not None
    assert (found.accuracy_interval.lower, found.accuracy_interval.upper) == (0, 0)


@st.composite
def samples(draw: st.DrawFn) -> GroundSample:
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    tiles = draw(st.integers(1, 6))
    reference = rng.integers(-1, 3, (tiles, 9))
    reference[0, 0] = 1
    predicted = rng.integers(0, 3, (tiles, 9))
    return GroundSample(
        reference=reference,
        predicted=predicted,
        purity=rng.choice([0.4, 0.7, 1.0], (tiles, 9)),
        probabilities=sure(predicted),
        unsure=rng.random((tiles, 9)) < 0.3,
        tile_classes=rng.integers(-1, 3, tiles),
        by_cells=rng.integers(0, 3, tiles),
        is_pure=rng.random(tiles) < 0.5,
        blocks=[f"b{number % 3}" for number in range(tiles)],
    )


@given(samples())
def test_a_map_of_tiles_is_never_above_the_best_one_and_counts_as_its_cells(
    sample: GroundSample,
) -> None:
    found = evaluate_ground(sample, CLASSES, seed=1)
    assert found.tile_map_accuracy <= found.best_tile_map_accuracy
    assert found.best_tile_map_accuracy >= 1 / 3
    spread_out = np.repeat(sample.tile_classes[:, None], 9, axis=1)
    repeated = replace(sample, predicted=spread_out, probabilities=sure(spread_out))
    same = evaluate_ground(repeated, CLASSES, seed=1)
    assert same.accuracy == found.tile_map_accuracy
    assert same.tile_shares_error == pytest.approx(found.tile_map_shares_error)
    assert same.area_error == pytest.approx(found.tile_map_area_error)


@given(samples())
def test_figures_are_those_of_the_known_cells_in_one_list(sample: GroundSample) -> None:
    found = evaluate_ground(sample, CLASSES, seed=1)
    known = sample.reference >= 0
    names = np.array(CLASSES)
    labels, guessed = names[sample.reference[known]], names[sample.predicted[known]]
    assert found.accuracy == pytest.approx((labels == guessed).mean())
    counts = confusion_counts(labels.tolist(), guessed.tolist(), CLASSES)
    assert found.macro_f1 == pytest.approx(macro_f1(counts))


@given(samples())
def test_a_perfect_map_has_no_error(sample: GroundSample) -> None:
    truth = np.where(sample.reference < 0, 0, sample.reference)
    perfect = replace(sample, predicted=truth, probabilities=sure(truth))
    found = evaluate_ground(perfect, CLASSES, seed=1)
    assert (found.accuracy, found.macro_f1) == (1, 1)
    assert found.tile_shares_error == found.area_error == found.calibration_error == 0
    assert {found.pure_accuracy, found.mixed_accuracy} <= {1, None}
