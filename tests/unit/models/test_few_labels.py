import numpy as np
import pandas as pd
import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.models.few_labels import (
    FewLabelSettings,
    LabelledCells,
    choose_penalty,
    choose_units,
    predict_left_out,
    unite,
)
from aerial_kedro.models.learning_curve import CurvePoint, describe_curve, draw_learning_curve

CLASSES = ["Field", "Forest", "Water"]
SETTINGS = FewLabelSettings(
    folds=5,
    buffer_m=0,
    reg_params=(0.003, 0.03, 0.3),
    max_iter=100,
    curve_shares=(0.25, 0.5),
)


def of_cells(
    numbers: np.ndarray, labels: np.ndarray, units: np.ndarray, groups: np.ndarray | None = None
) -> LabelledCells:
    """Cells of tiles of 200 m, a block in a row of its own, two kilometres from the next."""
    rows = pd.factorize(units)[0]
    tiles = pd.DataFrame({"lon": -77.0, "lat": 36 + 0.02 * rows, "size_m": 200.0})
    own = np.arange(len(labels)) if groups is None else groups
    return LabelledCells(numbers.astype(np.float32), labels, units, own, tiles)


def draw_cells(labels_a_class: int, spread: float = 0.6, seed: int = 0) -> LabelledCells:
    """Three classes around three centres, in ten blocks."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.array(CLASSES, dtype=object), labels_a_class)
    centres = np.eye(3)[np.repeat(np.arange(3), labels_a_class)]
    numbers = np.hstack([centres, np.zeros((len(labels), 5))])
    numbers = numbers + spread * random.normal(size=numbers.shape)
    blocks = np.array([f"block {each % 10}" for each in range(len(labels))], dtype=object)
    return of_cells(numbers, labels, blocks)


def test_every_label_is_predicted_with_its_whole_block_left_out() -> None:
    cells = draw_cells(20)
    found = predict_left_out(cells, SETTINGS, CLASSES, seed=1)
    assert list(found.index) == list(range(60))
    assert (found["label"].to_numpy() == cells.labels).all()
    folds_of_block = found.groupby(cells.units)["fold"].nunique()
    assert (folds_of_block == 1).all()
    assert found["fold"].nunique() == 5


def test_labels_that_cannot_be_known_from_elsewhere_are_not_found() -> None:
    """Pure noise within blocks that are each of one class: right only if blocks leak."""
    random = np.random.default_rng(3)
    blocks = np.repeat(np.arange(12), 10)
    numbers = random.normal(size=(12, 20))[blocks] + 0.01 * random.normal(size=(120, 20))
    labels = np.array(CLASSES, dtype=object)[random.permutation(np.repeat([0, 1, 2], 4))[blocks]]
    cells = of_cells(numbers, labels, np.array([f"b{each}" for each in blocks], dtype=object))
    found = predict_left_out(cells, SETTINGS, CLASSES, seed=1)
    assert (found["label"] == found["pred_label"]).mean() < 0.7


def test_probabilities_are_in_the_order_of_the_classes() -> None:
    found = predict_left_out(draw_cells(30, spread=0.2), SETTINGS, CLASSES, seed=1)
    chances = np.array(found["class_probabilities"].tolist())
    assert chances.sum(axis=1) == pytest.approx(1)
    assert (np.array(CLASSES)[chances.argmax(axis=1)] == found["pred_label"]).all()
    assert (found["pred_label"] == found["label"]).mean() > 0.9


def test_a_class_in_one_block_is_said_not_to_be_learned_there() -> None:
    cells = draw_cells(20)
    units = np.where(cells.labels == "Water", "pond", cells.units).astype(object)
    found = predict_left_out(
        of_cells(cells.numbers, cells.labels, units), SETTINGS, CLASSES, seed=1
    )
    water = found["label"] == "Water"
    assert not found.loc[water, "learned"].any()
    assert found.loc[~water, "learned"].all()
    assert (np.array(found.loc[water, "class_probabilities"].tolist())[:, 2] == 0).all()


def test_noisy_cells_want_a_stronger_penalty() -> None:
    clear = choose_penalty(draw_cells(60, spread=0.1), SETTINGS, seed=1)
    noisy = choose_penalty(draw_cells(8, spread=3.0), SETTINGS, seed=1)
    assert clear < noisy


def test_with_one_place_the_strongest_penalty_is_taken() -> None:
    cells = draw_cells(10)
    one = of_cells(cells.numbers, cells.labels, np.full(30, "here", dtype=object))
    assert choose_penalty(one, SETTINGS, seed=1) == 0.3


def test_the_same_seed_gives_the_same() -> None:
    first, again = (predict_left_out(draw_cells(10), SETTINGS, CLASSES, seed=4) for _ in range(2))
    assert first["pred_label"].tolist() == again["pred_label"].tolist()
    assert first["fold"].tolist() == again["fold"].tolist()


def test_where_no_part_leaves_two_classes_nothing_is_claimed() -> None:
    labels = np.array(["Forest"] * 5 + ["Water"] * 5, dtype=object)
    units = np.array(["a"] * 5 + ["b"] * 5, dtype=object)
    cells = of_cells(np.zeros((10, 2)), labels, units)
    with pytest.raises(AerialError, match="Label each class in several places"):
        predict_left_out(cells, SETTINGS, ["Forest", "Water"], seed=1)


def test_blocks_are_left_out_then_tiles_and_never_cells() -> None:
    assert choose_units(["a", "b"], ["t", "t"]) == (["a", "b"], "blocks")
    assert choose_units(["a", "a"], ["t", "u"]) == (["t", "u"], "tiles")
    with pytest.raises(AerialError, match="one tile"):
        choose_units(["a", "a"], ["t", "t"])


def test_more_labels_are_seen_to_help() -> None:
    curve = draw_learning_curve(draw_cells(40, spread=0.9), SETTINGS, CLASSES, seed=2)
    assert [point.labels for point in curve] == [30, 60, 120]
    assert [point.draws for point in curve] == [5, 5, 1]
    assert curve[0].accuracy < curve[-1].accuracy
    assert all(point.lowest <= point.accuracy <= point.highest for point in curve)


def test_a_share_that_leaves_a_class_one_label_is_no_point() -> None:
    curve = draw_learning_curve(draw_cells(4), SETTINGS, CLASSES, seed=2)
    assert [point.labels for point in curve] == [6, 12]


@pytest.mark.parametrize(("gain", "said"), [(0.03, "help further"), (0.002, "help little")])
def test_the_curve_says_whether_more_pays(gain: float, said: str) -> None:
    points = [
        CurvePoint(labels=n, share=n / 100, accuracy=a, lowest=a, highest=a, draws=1)
        for n, a in ((50, 0.8), (100, 0.8 + gain))
    ]
    assert said in str(describe_curve(points))
    assert describe_curve(points[:1]) is None


def test_half_the_labels_are_half_of_what_was_labelled() -> None:
    """Each label stands in two years: half the cells would be nearly all of the labels."""
    once = draw_cells(10)
    twice = of_cells(
        np.repeat(once.numbers, 2, axis=0),
        np.repeat(once.labels, 2),
        np.repeat(once.units, 2),
        np.repeat(np.arange(30), 2),
    )
    curve = draw_learning_curve(twice, SETTINGS, CLASSES, seed=2)
    assert [point.labels for point in curve] == [9, 15, 30]


def test_nothing_within_the_buffer_of_what_is_left_out_teaches() -> None:
    cells = draw_cells(20)
    folds = cells.folds(5, seed=1)
    apart = cells.known_without(folds, "fold_1", buffer_m=0)
    assert (apart == (folds != "fold_1")).all()
    near = cells.known_without(folds, "fold_1", buffer_m=2_500)
    assert near.sum() < apart.sum()
    own = set(cells.tiles["lat"][folds == "fold_1"].round(4))
    for lat in cells.tiles["lat"][near].round(4):
        assert min(abs(lat - each) for each in own) > 0.03


def test_what_shares_a_polygon_stays_together() -> None:
    links = pd.DataFrame({"cell": [0, 1, 1, 4, 3], "thing": ["a", "a", "b", "b", "c"]})
    found = unite(links, 5)
    assert found[0] == found[1] == found[4]
    assert len({found[0], found[2], found[3]}) == 3
