"""What a classifier reads of a cell: itself, what is around it, its tile, plain bands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.cells.describe import (
    STATISTICS_DEVIATION,
    CellInputs,
    average_around,
    describe_cells,
    measure_statistics,
    read_statistics,
)
from aerial_kedro.cells.grid import pack
from aerial_kedro.cells.statistics import (
    cell_statistics,
    decode_statistics,
    keep_visible,
    thin_pixels,
)

places = st.sets(st.tuples(st.integers(-3, 2), st.integers(-2, 3)), min_size=1, max_size=7)


def slowly(cells: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Cell by cell, on a grid that goes on over tiles: x east, y south."""
    ground = {}
    for tile, (column, row) in enumerate(zip(columns, rows, strict=True)):
        for y in range(7):
            for x in range(7):
                ground[7 * column + x, -7 * row + y] = cells[tile, y, x]
    found = np.empty_like(cells)
    for tile, (column, row) in enumerate(zip(columns, rows, strict=True)):
        for y in range(7):
            for x in range(7):
                place = 7 * column + x, -7 * row + y
                near = [(place[0] + i, place[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
                found[tile, y, x] = np.mean([ground[each] for each in near if each in ground], 0)
    return found


@given(at=places, seed=st.integers(0, 9))
def test_the_mean_around_is_of_the_cells_that_are_there(
    at: set[tuple[int, int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(sorted(at))
    cells = rng.normal(0, 100, (len(at), 7, 7, 2)).astype(np.float32)
    found = average_around(cells, order[:, 0], order[:, 1])
    assert found.dtype == np.float32
    assert found == pytest.approx(slowly(cells, order[:, 0], order[:, 1]), abs=1e-3)


def test_at_the_edge_of_the_area_nothing_is_counted_in() -> None:
    """Where no tile is there are no zeros: ground that is all alike stays as it is."""
    cells = np.full((1, 7, 7, 3), 5, dtype=np.float32)
    assert average_around(cells, np.array([9]), np.array([-4])) == pytest.approx(cells)


def random_tiles(infrared: bool, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    stored = rng.integers(-127, 128, (3, 7, 7, 4)).astype(np.int8)
    pixels = rng.integers(0, 256, (3, 56, 56, 4 if infrared else 3), dtype=np.uint8)
    statistics = cell_statistics(thin_pixels(pixels))
    tiles = pd.DataFrame(
        {
            "column": [-1, 0, 0],
            "row": [4, 4, 3],
            "cells": pack(stored),
            "cell_statistics": pack(statistics),
        }
    )
    return tiles, stored, statistics


@pytest.mark.parametrize("infrared", [False, True])
def test_cells_are_described_in_a_fixed_order(infrared: bool) -> None:
    tiles, stored, statistics = random_tiles(infrared)
    count = statistics.shape[-1]
    inputs = CellInputs(
        scales=(0.5, 0.25, 0.125, 2.0),
        infrared=infrared,
        means=tuple(range(count)),
        deviations=tuple(range(1, count + 1)),
    )
    found = describe_cells(tiles, inputs)
    assert (found.shape, found.dtype) == ((3, 7, 7, 3 * 4 + count), np.float32)
    own = stored * np.array(inputs.scales, dtype=np.float32)
    assert found[..., :4] == pytest.approx(own)
    columns, rows = tiles["column"].to_numpy(), tiles["row"].to_numpy()
    assert found[..., 4:8] == pytest.approx(slowly(own, columns, rows), abs=1e-3)
    for tile in range(3):
        of_tile = own[tile].reshape(49, 4).mean(axis=0)
        assert found[tile, ..., 8:12] == pytest.approx(np.tile(of_tile, (7, 7, 1)), abs=1e-4)
    decoded = decode_statistics(statistics)
    expected = (decoded - np.array(inputs.means)) / np.array(inputs.deviations) * 3
    assert found[..., 12:] == pytest.approx(expected, abs=1e-3)


def test_standardised_statistics_have_the_deviation_of_the_first_components() -> None:
    *_, statistics = random_tiles(infrared=True)
    decoded = decode_statistics(statistics).reshape(-1, 10)
    means, deviations = measure_statistics(decoded)
    inputs = CellInputs(scales=(1.0,), infrared=True, means=means, deviations=deviations)
    found = inputs.standardise(decoded)
    assert found.mean(axis=0) == pytest.approx(np.zeros(10), abs=1e-3)
    assert found.std(axis=0) == pytest.approx(np.full(10, STATISTICS_DEVIATION), rel=1e-3)


def test_a_statistic_that_never_varies_is_not_blown_up() -> None:
    decoded = np.array([[4.0, 1.0], [4.0, 3.0]])
    assert measure_statistics(decoded) == ((4.0, 2.0), (1.0, 1.0))


def test_without_infrared_tiles_of_both_kinds_are_read_alike() -> None:
    """The visible bands of each, in the order of the tiles."""
    *_, with_it = random_tiles(infrared=True, seed=1)
    *_, without = random_tiles(infrared=False, seed=2)
    column = [*pack(with_it[:1]), *pack(without), *pack(with_it[1:])]
    found = read_statistics(column, infrared=False)
    expected = np.concatenate([keep_visible(with_it[:1]), without, keep_visible(with_it[1:])])
    assert np.array_equal(found, decode_statistics(expected))
    assert read_statistics(pack(with_it), infrared=True).shape == (3, 7, 7, 10)
    with pytest.raises(ValueError, match=r"\[294, 490\]"):
        read_statistics(column, infrared=True)
