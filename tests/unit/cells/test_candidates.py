"""Cells that could be labelled: what is said of each is of that very cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aerial_kedro.cells.candidates import (
    CANDIDATE_COLUMNS,
    CandidateShares,
    count_cells,
    describe_candidates,
)
from aerial_kedro.cells.describe import CellInputs, describe_cells
from aerial_kedro.cells.grid import pack
from tests.builders import grid_tiles

INPUTS = CellInputs(scales=(0.5, 0.25), infrared=False, means=(0,) * 6, deviations=(1,) * 6)
ALL = CandidateShares(unlabelled=1, labelled=1, min_purity=0.75)


def area() -> pd.DataFrame:
    """Four tiles: the last of the ring around; of the first a cell is labelled, one is mixed."""
    draw = np.random.default_rng(1)
    tiles = grid_tiles([(14, 30), (15, 30), (14, 31), (15, 31)])
    statistics = draw.integers(20, 255, (4, 7, 7, 6)).astype(np.uint8)
    statistics[1, 0, 0, :3] = 0  # shows no image
    labels = np.zeros((1, 7, 7), dtype=np.uint8)
    purity = np.zeros_like(labels)
    labels[0, 0, 1], purity[0, 0, 1] = 2, 75
    labels[0, 6, 6], purity[0, 6, 6] = 1, 74
    return tiles.assign(
        column=(tiles["xmin"] / 224).round().astype(int),
        row=(tiles["ymin"] / 224).round().astype(int),
        is_own=[True, True, True, False],
        block_id=["a", "a", "b", "b"],
        cell_labels=[*pack(labels), None, None, None],
        cell_purity=[*pack(purity), None, None, None],
        cells=pack(draw.integers(-127, 128, (4, 7, 7, 2)).astype(np.int8)),
        cell_statistics=pack(statistics),
    )


def test_each_candidate_is_the_cell_that_it_names() -> None:
    tiles = area()
    found = describe_candidates(tiles, INPUTS, ALL, 1)
    assert list(found.columns) == list(CANDIDATE_COLUMNS)
    assert len(found) == 3 * 49 - 1  # without the ring and without the black cell
    numbers = describe_cells(tiles, INPUTS).reshape(4, 49, -1)
    tile_of = {name: number for number, name in enumerate(tiles["tile_id"])}
    for row in found.itertuples():
        at, cell = tile_of[row.cell_id[:-3]], int(row.cell_id[-2:])
        assert row.features == pytest.approx(numbers[at, cell])
        assert (row.image_id, row.block_id) == (tiles["image_id"][at], tiles["block_id"][at])
        assert row.column == 7 * tiles["column"][at] + cell % 7
        assert row.row == 7 * tiles["row"][at] + 6 - cell // 7
        assert abs(row.lon - tiles["lon"][at]) < 0.002
    labelled = found[found["label"] > 0]
    assert labelled["cell_id"].tolist() == [f"{tiles['tile_id'][0]}#01"]
    assert labelled["label"].tolist() == [2]


def test_rows_count_from_the_south_as_those_of_tiles_do() -> None:
    found = describe_candidates(area(), INPUTS, ALL, 1)
    assert found.sort_values("row")["lat"].is_monotonic_increasing or (
        np.corrcoef(found["row"], found["lat"])[0, 1] > 0.999
    )


def test_the_shares_say_how_many_are_drawn() -> None:
    few = CandidateShares(unlabelled=0.3, labelled=1, min_purity=0.75)
    found = describe_candidates(area(), INPUTS, few, 1)
    assert 20 < len(found) < 70
    assert (found["label"] > 0).sum() == 1
    assert not found.equals(describe_candidates(area(), INPUTS, few, 2))


def test_cells_and_labels_are_counted() -> None:
    [counts] = count_cells(iter([area()]), 0.75)
    assert counts.to_dict("list") == {"cells": [4 * 49], "labelled": [1]}
