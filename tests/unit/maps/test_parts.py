"""Parts of a zone: neighbours stay together, and no rectangle is large and nearly empty."""

from __future__ import annotations

import numpy as np
import pytest

from aerial_kedro.maps import parts
from aerial_kedro.maps.parts import divide_apart
from tests.builders import cell_of_origin, grid_tiles

COL, ROW = cell_of_origin()


def divided(places: list[tuple[int, int]]) -> list[list[int]]:
    tiles = grid_tiles([(COL + col, ROW + row) for col, row in places])
    order = np.random.default_rng(1).permutation(len(tiles))
    found = divide_apart(tiles.iloc[order])
    return sorted(sorted(order[part].tolist()) for part in found)


def test_tiles_that_touch_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_SMALL", 1)
    monkeypatch.setattr(parts, "_SPARSE", 1)
    # By a side, by either corner; a place given twice; one inside the rectangle of a line.
    places = [(0, 0), (1, 0), (2, 1), (3, 0), (0, 5), (0, 5), (9, 9), (20, 0), (21, 1), (22, 2),
              (23, 3), (23, 0), (900_000, 5)]  # fmt: skip
    assert divided(places) == [[0, 1, 2, 3], [4, 5], [6], [7, 8, 9, 10], [11], [12]]


def test_a_small_rectangle_is_not_divided() -> None:
    assert divided([(0, 0), (99, 99), (50, 7), (9_000, 0)]) == [[0, 1, 2], [3]]


def test_the_end_of_a_column_is_not_beside_the_start_of_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "_SMALL", 1)
    monkeypatch.setattr(parts, "_SPARSE", 1)
    assert divided([(0, 4), (1, 0), (2, 4), (3, 1)]) == [[0], [1], [2], [3]]
