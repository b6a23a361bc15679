"""Smoothing takes away specks and nothing else."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aerial_kedro.errors import AerialError
from aerial_kedro.maps.mapping import smooth_classes

NAMES = np.array([None, "A", "B", "C", "Unsure"], dtype=object)
sides = st.integers(2, 9)
shapes = st.tuples(sides, sides)
grids = hnp.arrays(np.int64, shapes, elements=st.integers(0, 4))


def smooth(grid: np.ndarray, **options: object) -> np.ndarray:
    """Smooth a grid of class names: (rows, cols)."""
    cells = [(0, *place) for place in np.ndindex(grid.shape)]
    return smooth_classes(grid.ravel(), cells, **options).reshape(grid.shape)


def drawn(*rows: str) -> np.ndarray:
    """A grid from letters; a dot has no prediction, a question mark is unsure."""
    names = {".": None, "?": "Unsure"}
    return np.array([[names.get(each, each) for each in row] for row in rows], dtype=object)


def by_hand(grid: np.ndarray) -> np.ndarray:
    """The rule tile by tile, as it is written down."""
    found = grid.copy()
    for row, col in np.ndindex(grid.shape):
        if grid[row, col] is None:
            continue
        around = grid[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2].ravel()
        votes = [each for each in around if each not in (None, "Unsure")]
        ranked = sorted({each: votes.count(each) for each in votes}.items(), key=lambda x: -x[1])
        if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
            found[row, col] = ranked[0][0]
    return found


@given(grids)
def test_is_the_rule_applied_to_each_tile(codes: np.ndarray) -> None:
    grid = NAMES[codes]
    assert (smooth(grid, silent=["Unsure"]) == by_hand(grid)).all()


@given(shapes)
def test_a_uniform_map_stays(shape: tuple[int, int]) -> None:
    grid = np.full(shape, "A", dtype=object)
    assert (smooth(grid) == "A").all()


@given(grids)
def test_places_without_a_prediction_stay_without(codes: np.ndarray) -> None:
    grid = NAMES[codes]
    found = smooth(grid)
    assert ((found == None) == (grid == None)).all()  # noqa: E711


@given(grids, st.randoms(use_true_random=False))
def test_the_order_of_the_tiles_does_not_matter(codes: np.ndarray, random: object) -> None:
    grid = NAMES[codes]
    cells = np.array([(0, *place) for place in np.ndindex(grid.shape)])
    order = np.arange(len(cells))
    random.shuffle(order)  # type: ignore[attr-defined]
    found = smooth_classes(grid.ravel()[order], cells[order], silent=["Unsure"])
    assert (found == smooth(grid, silent=["Unsure"]).ravel()[order]).all()


@given(shapes, st.data())
def test_a_speck_vanishes(shape: tuple[int, int], data: st.DataObject) -> None:
    grid = np.full(shape, "A", dtype=object)
    grid[data.draw(st.sampled_from(list(np.ndindex(shape))))] = "B"
    assert (smooth(grid) == "A").all()


@given(shapes, st.integers(0, 9), st.booleans())
def test_a_straight_border_stays(shape: tuple[int, int], at: int, upright: bool) -> None:
    row, col = np.indices(shape)
    grid = np.where((col if upright else row) < at, "A", "B").astype(object)
    assert (smooth(grid) == grid).all()


@given(st.floats(0, np.pi), st.floats(-3, 3))
def test_a_slanting_border_stays_inside_the_map(angle: float, at: float) -> None:
    row, col = np.indices((11, 11)) - 5
    grid = np.where(np.cos(angle) * col + np.sin(angle) * row < at, "A", "B").astype(object)
    assert (smooth(grid)[1:-1, 1:-1] == grid[1:-1, 1:-1]).all()


def test_in_a_tie_a_tile_keeps_its_class() -> None:
    among_the_tied = drawn("AAA", "ABB", "BB.")
    assert smooth(among_the_tied)[1, 1] == "B"
    not_among_them = drawn("AAA", "ACB", "BBB")
    assert smooth(not_among_them)[1, 1] == "C"


def test_tiles_that_are_decided_keep_their_class_and_vote() -> None:
    grid = drawn("WWA", "WAW", "WWA")
    fixed = (grid == "W").ravel()
    found = smooth(grid, fixed=fixed)
    assert found[1, 1] == "W"
    lake = drawn("AAA", "AWA", "AAA")
    assert smooth(lake, fixed=(lake == "W").ravel())[1, 1] == "W"
    assert smooth(lake)[1, 1] == "A"


def test_unsure_tiles_are_filled_and_do_not_vote() -> None:
    found = smooth(drawn("???", "?A?", "???"), silent=["Unsure"])
    assert (found == "A").all()
    tied = smooth(drawn("A?B"), silent=["Unsure"])
    assert tied.tolist() == [["A", "Unsure", "B"]]
    assert smooth(drawn("???"), silent=["Unsure"]).tolist() == [["Unsure"] * 3]


def test_ends_of_rows_and_other_grids_are_no_neighbours() -> None:
    cells = [(grid, 0, 0) for grid in range(3)]
    assert smooth_classes(["B", "A", "B"], cells).tolist() == ["B", "A", "B"]
    # Were rows joined end to end, the A would have two Bs beside it.
    assert smooth(drawn("B..", "..A", "B..")).tolist() == drawn("B..", "..A", "B..").tolist()


def test_two_tiles_in_one_cell_are_refused() -> None:
    with pytest.raises(AerialError, match="Some tiles overlap"):
        smooth_classes(["A", "B"], [(0, 1, 1), (0, 1, 1)])
    with pytest.raises(ValueError, match="2 classes for 1 cells"):
        smooth_classes(["A", "B"], [(0, 1, 1)])


@pytest.mark.parametrize("classes", [[], [None, None]])
def test_nothing_predicted_gives_nothing(classes: list[None]) -> None:
    cells = [(0, 0, col) for col in range(len(classes))]
    assert smooth_classes(classes, cells).tolist() == classes


def test_a_county_takes_well_below_a_second() -> None:
    grid = NAMES[np.random.default_rng(1).integers(1, 5, (260, 260))]
    cells = np.array([(0, *place) for place in np.ndindex(grid.shape)])
    start = time.perf_counter()
    smooth_classes(grid.ravel(), cells)
    assert time.perf_counter() - start < 2  # 0.1 s where nothing else runs
