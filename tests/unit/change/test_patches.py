"""Patches of change between years: their table, their sums, and what the truth says of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aerial_kedro.cells.grid import pack
from aerial_kedro.change.assessment import TRUE_CELL_COLUMNS, assess_cells
from aerial_kedro.change.cells import CellTransitions, Transitions
from aerial_kedro.change.patches import find_patches, summarise_cells
from aerial_kedro.maps.patches import PatchRules
from tests.builders import grid_tiles

NAMES = ["Forest", "Field", "Town"]
RULES = PatchRules(min_probability=0.5, min_width=2)
CELL_HA = 0.1024
LETTERS = {" ": 0, ".": 1, "f": 2, "t": 3}


def drawn(lines: list[str]) -> np.ndarray:
    """Class values of two tiles side by side, seven letters each."""
    cells = np.full((7, 14), 1, np.uint8)
    for row, line in enumerate(lines):
        cells[row, : len(line)] = [LETTERS[letter] for letter in line]
    return np.stack([cells[:, :7], cells[:, 7:]])


def compared(
    lines: list[str], chance: float = 0.8, years: tuple[int, int] = (2012, 2018)
) -> pd.DataFrame:
    """Forest before; after, what the letters say."""
    after = drawn(lines)
    probability = np.where(after == 1, 0, round(100 * chance)).astype(np.uint8)
    return grid_tiles([(100, 50), (101, 50)]).assign(
        year_before=years[0],
        year_after=years[1],
        class_before=pack(np.ones_like(after)),
        class_after=pack(after),
        change_probability=pack(probability),
        expected_share=probability.mean(axis=(1, 2)) / 100,
    )


def truth(lines: list[str], tiles: pd.DataFrame, *, unseen: bool = True) -> pd.DataFrame:
    after = drawn(lines)
    known = tiles.assign(
        block_id=["left", "right"],
        unseen=[True, unseen],
        true_before=pack((after > 0).astype(np.uint8)),
        true_after=pack(after),
    )
    return known[TRUE_CELL_COLUMNS]


def transitions(*years: tuple[int, int]) -> CellTransitions:
    shares = np.diag([0.5, 0.2, 0.2])
    shares[0, 2] = 0.1
    pairs = [
        Transitions(
            before=before, after=after, cells=98, sampled=98, sharpness=1.0,
            learned=[0.4, 0.3, 0.3], shares=shares.tolist(),
        )
        for before, after in years
    ]  # fmt: skip
    return CellTransitions(classes=NAMES, values=[1, 2, 3], pairs=pairs)


TWO = ["tt.....ffff", "tt.....ffff", "......."]


def test_each_pair_of_years_has_ranks_of_its_own() -> None:
    both = pd.concat([compared(TWO, years=(2006, 2012)), compared(["tt", "tt"])])
    found = find_patches(both, NAMES, RULES)
    assert found[["year_before", "year_after", "rank", "cells"]].to_numpy().tolist() == [
        [2006, 2012, 1, 8], [2006, 2012, 2, 4], [2012, 2018, 1, 4]
    ]  # fmt: skip
    assert found.crs.to_string() == "OGC:CRS84"


def test_no_change_and_no_years_give_the_same_columns() -> None:
    some = find_patches(compared(TWO), NAMES, RULES)
    for nothing in (compared([]), compared([]).iloc[:0]):
        found = find_patches(nothing, NAMES, RULES)
        assert found.empty
        assert found.columns.tolist() == some.columns.tolist()


def test_the_summary_is_of_the_last_two_years() -> None:
    both = pd.concat([compared(TWO, years=(2006, 2012)), compared(["tt", "tt"], chance=0.9)])
    patches = find_patches(both, NAMES, RULES)
    found = summarise_cells(both, patches, transitions((2006, 2012), (2012, 2018)), RULES)
    assert found is not None
    assert (found.before, found.after, found.patches) == (2012, 2018, 1)
    assert found.area_ha == pytest.approx(98 * CELL_HA)
    assert found.changed_area_ha == pytest.approx(9.8 * CELL_HA)
    assert found.patch_area_ha == pytest.approx(4 * CELL_HA)
    assert found.expected_patches == pytest.approx(0.9)
    assert found.expected_patch_area_ha == pytest.approx(3.6 * CELL_HA)
    assert found.transitions_ha[0][2] == pytest.approx(9.8 * CELL_HA)


def test_with_one_year_there_is_no_summary() -> None:
    nothing = compared([]).iloc[:0]
    assert summarise_cells(nothing, find_patches(nothing, NAMES, RULES), transitions(), RULES) is (
        None
    )


def test_a_patch_is_right_where_most_of_it_truly_changed() -> None:
    tiles = compared(["tt.ff.tt", "tt.ff.tt"])
    #       all Town   half      three of four, one a Field
    known = truth(["tt.f..ft", "tt.f...t"], tiles)
    found, of_patches = assess_cells(tiles, known, NAMES, RULES, seed=1)
    detection = found.detection
    assert (detection.precision.hits, detection.precision.cases) == (2, 3)
    assert detection.same_classes.hits == 1  # the third has two of four cells right
    assert detection.expected == pytest.approx(3 * 0.8)
    assert detection.area_ha == pytest.approx(12 * CELL_HA)
    assert detection.true_area_ha == pytest.approx(9 * CELL_HA)
    assert of_patches["changed_cells"].sum() == 9
    by_first = of_patches.set_index("rank")
    ranks = find_patches(tiles, NAMES, RULES).sort_values("lon")["rank"].tolist()
    assert by_first.loc[ranks, "changed_cells"].tolist() == [4, 2, 3]
    assert by_first.loc[ranks[0], "true_after"] == "Town"


def test_change_outside_patches_counts_against_recall() -> None:
    tiles = compared(["tt", "tt", ".....t"])
    known = truth(["tt.....ff", "tt.....ff", ".....t"], tiles)
    found, _ = assess_cells(tiles, known, NAMES, RULES, seed=1)
    assert found.true_area_ha == pytest.approx(9 * CELL_HA)
    assert found.recall == pytest.approx(4 / 9)
    assert (found.true_patches.hits, found.true_patches.cases) == (1, 2)
    assert found.expected_area_ha == pytest.approx(5 * 0.8 * CELL_HA)


def test_ground_of_unknown_truth_is_in_no_figure() -> None:
    tiles = compared(["tt.....tt", "tt.....tt"])
    left, _ = assess_cells(tiles, truth(["tt", "tt"], tiles).iloc[:1], NAMES, RULES, seed=1)
    assert left.known_area_ha == pytest.approx(49 * CELL_HA)
    assert left.detection.precision.cases == 1
    assert left.recall == 1
    cells, _ = assess_cells(tiles, truth(["tt.....  ", "tt.....t "], tiles), NAMES, RULES, seed=1)
    assert cells.known_area_ha == pytest.approx(95 * CELL_HA)
    assert cells.detection.area_ha == pytest.approx(5 * CELL_HA)
    with pytest.raises(ValueError, match="no cell are known"):
        assess_cells(tiles, truth([" " * 14] * 7, tiles), NAMES, RULES, seed=1)


def test_unseen_patches_lie_whole_outside_training() -> None:
    tiles = compared(["tt...ffff", "tt...ffff"])  # the second reaches into the right tile
    known = truth(["tt...ffff", "tt...ffff"], tiles, unseen=False)
    found, _ = assess_cells(tiles, known, NAMES, RULES, seed=1)
    assert found.detection.precision.cases == 2
    assert found.unseen is not None
    assert found.unseen.precision.cases == 1
    none = known.assign(unseen=False)
    assert assess_cells(tiles, none, NAMES, RULES, seed=1)[0].unseen is None


def test_cells_are_set_against_their_probability() -> None:
    tiles = compared(["tt", "tt"], chance=1.0)
    found, _ = assess_cells(tiles, truth(["tt", "t"], tiles), NAMES, RULES, seed=1)
    assert [(each.confidence, each.accuracy, each.count) for each in found.bins] == [
        (0, 0, 94), (1, 0.75, 4)
    ]  # fmt: skip
    assert found.calibration_error == pytest.approx(1 / 98)
    # Cells that are sure not to have changed do not make the others look right.
    assert found.likely_calibration_error == pytest.approx(1 / 4)
    half, _ = assess_cells(compared(["tt"], chance=0.5), truth(["tt"], tiles), NAMES, RULES, seed=1)
    assert half.likely_calibration_error == pytest.approx(1 / 2)
    less, _ = assess_cells(
        compared(["tt"], chance=0.49), truth(["tt"], tiles), NAMES, RULES, seed=1
    )
    assert less.likely_calibration_error is None


def test_without_patches_and_change_shares_are_undefined_and_not_0() -> None:
    tiles = compared([])
    found, of_patches = assess_cells(tiles, truth([], tiles), NAMES, RULES, seed=1)
    assert found.recall is None
    assert found.detection.precision.value is None
    assert found.true_patches.value is None
    assert of_patches.empty
