"""What maps show, the strata that this makes, and the sample drawn from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from aerial_kedro.accuracy.sampling import SamplingRules
from aerial_kedro.cells.grid import COUNT, pack
from aerial_kedro.change.cells import CELL_CHANGE_COLUMNS
from aerial_kedro.change.drawn import draw_design
from aerial_kedro.change.shown import ShownMap, show_map
from aerial_kedro.errors import AerialError
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.maps.patches import PatchRules
from tests.builders import grid_tiles

CLASSES = ["Forest", "Town"]
SETTINGS = MapSettings(min_probability=0.5, smoothing=False)
PATCHES = PatchRules(min_probability=0.5, min_width=2)
PLACES = [(2232 + at, 18_036) for at in range(4)]
RULES = SamplingRules(standard_error=0.05, expected_accuracy=0.85, fewest=5)


def cell_map(settings_year: dict[int, int]) -> pd.DataFrame:
    """Forest, but for Town in the first tile of the last year and four doubtful cells there."""
    parts = []
    for year, places in settings_year.items():
        tiles = grid_tiles(PLACES[:places], year=year)
        values = np.ones((places, 7, 7), np.uint8)
        confidence = np.full((places, 7, 7), 90, np.uint8)
        if year == 2018:
            values[0, :3, :3] = 2
            confidence[1, 0, :4] = 40
        parts.append(tiles.assign(cell_classes=pack(values), cell_confidence=pack(confidence)))
    return pd.concat(parts, ignore_index=True)


def cell_change() -> pd.DataFrame:
    tiles = grid_tiles(PLACES)
    before, after = np.ones((2, 4, 7, 7), np.uint8)
    after[0, :3, :3] = 2
    after[2, 5, 5] = 2  # alone: no patch
    return tiles.assign(
        year_before=2012, year_after=2018, class_before=pack(before), class_after=pack(after),
        change_probability=pack(np.full((4, 7, 7), 80, np.uint8)), expected_share=0.1,
    )[list(CELL_CHANGE_COLUMNS)]  # fmt: skip


def shown(years: dict[int, int] | None = None, change: pd.DataFrame | None = None) -> ShownMap:
    table = cell_map(years or {2012: 4, 2018: 4})
    return show_map(table, cell_change() if change is None else change, CLASSES, SETTINGS, PATCHES)


def test_change_is_a_stratum_and_the_rest_is_what_the_last_map_shows() -> None:
    found = shown()
    names, codes = found.strata
    counts = {name: int((codes == at).sum()) for at, name in enumerate(names)}
    assert counts == {"": 0, "Forest": 4 * COUNT - 13, "Town": 0, "Unsure": 4, "change": 9}
    assert found.areas_km2(2018)["Town"] == pytest.approx(9 * 0.032**2)


def test_places_of_one_year_are_in_the_population_by_that_year() -> None:
    found = shown({2012: 4, 2018: 2}, cell_change().iloc[:2])
    names, codes = found.strata
    assert (codes > 0).all()
    assert (codes[2:] == names.index("Forest")).all()
    design = draw_design(found, "m", RULES, 1)
    forest = next(each for each in design.strata if each.name == "Forest")
    assert forest.cells_by_year == {"2012": 4 * COUNT - 13, "2018": 2 * COUNT - 13}
    years = {each.cell_id: each.years for each in design.cells}
    old = [year for cell, year in years.items() if cell.startswith(found.places["tile_id"][3])]
    assert old
    assert all(each == [2012] for each in old)


def test_one_year_has_no_change_and_more_than_two_are_the_last_two() -> None:
    alone = shown({2018: 4}, cell_change().iloc[:0])
    assert not alone.changed.any()
    assert alone.years == [2018]
    assert shown({2010: 4, 2012: 4, 2018: 4}).years == [2012, 2018]


def test_a_class_called_change_keeps_its_name() -> None:
    found = show_map(
        cell_map({2018: 4}), cell_change().iloc[:0], ["change", "B"], SETTINGS, PATCHES
    )
    assert found.strata[0] == ["", "change", "B", "Unsure", "mapped change"]


def test_the_key_names_what_is_shown() -> None:
    assert shown().key == shown().key
    other = cell_change()
    other["change_probability"] = pack(np.full((4, 7, 7), 30, np.uint8))
    assert shown().key != shown(change=other).key
    assert shown().key != shown({2012: 4, 2018: 3}).key


def test_the_draw_follows_the_strata_and_the_seed() -> None:
    found = shown()
    design = draw_design(found, "m", RULES, 1)
    assert {each.name: each.drawn for each in design.strata} == {
        "Forest": 42, "Unsure": 4, "change": 5
    }  # fmt: skip
    assert sum(each.drawn / each.probability for each in design.strata) == 4 * COUNT
    cells = found.find([each.cell_id for each in design.cells])
    names, codes = found.strata
    strata = [names[at] for at in codes[cells["place"], cells["number"]]]
    assert strata == [each.stratum for each in design.cells]
    assert design == draw_design(shown(), "m", RULES, 1)
    assert design != draw_design(found, "m", RULES, 2)
    coloured = draw_design(replace(found, colours={"Town": "#123456"}), "m", RULES, 1)
    assert coloured.colours == {"Town": "#123456"}
    assert coloured.fingerprint == design.fingerprint
    assert set(found.at(cells, 2018)) == {"Forest", "Town", "Unsure"}


def test_a_cell_that_is_off_the_map_is_named() -> None:
    with pytest.raises(AerialError, match=r"1 of the 2 cells.*z17_9#03.*of other scenes"):
        shown().find([f"{shown().places['tile_id'][0]}#00", "z17_9#03"])
