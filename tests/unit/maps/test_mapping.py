"""What the map shows: the likeliest class, unsure, or the neighbours' class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from aerial_kedro.errors import AerialError
from aerial_kedro.maps.mapping import MapSettings, mapped_classes
from tests.builders import cell_of_origin, grid_tiles

COL, ROW = cell_of_origin()


def predicted(classes: list[str | None], chances: list[float | None]) -> pd.DataFrame:
    """Tiles in a row from west to east; those without a probability are the land cover's."""
    tiles = grid_tiles([(COL + i, ROW) for i in range(len(classes))])
    return tiles.assign(
        year=2018,
        pred_label=classes,
        probability=pd.Series(chances, dtype=float),
        decided_by=["land_cover" if chance is None else "model" for chance in chances],
    )


def shown(tiles: pd.DataFrame, limit: float = 0.5, smoothing: bool = False) -> list[str | None]:
    return mapped_classes(tiles, MapSettings(min_probability=limit, smoothing=smoothing)).tolist()


def test_below_the_limit_a_tile_is_unsure_and_at_it_not() -> None:
    tiles = predicted(["Forest", "Forest", "Field"], [0.49, 0.5, 0.9])
    assert shown(tiles) == ["Unsure", "Forest", "Field"]


def test_a_limit_of_nought_never_abstains() -> None:
    assert shown(predicted(["Forest", "Field"], [0.0, 0.2]), limit=0) == ["Forest", "Field"]


def test_what_the_land_cover_decided_is_never_unsure() -> None:
    tiles = predicted(["Water", "Forest"], [None, 0.9])
    assert shown(tiles, limit=1) == ["Water", "Unsure"]
    # Not even were a probability given beside it.
    assert shown(tiles.assign(probability=0.1), limit=1)[0] == "Water"


def test_the_likeliest_class_is_left_as_it_was() -> None:
    tiles = predicted(["Forest", "Field"], [0.2, 0.9])
    before = tiles.copy()
    shown(tiles, smoothing=True)
    pd.testing.assert_frame_equal(tiles, before)


def test_tiles_without_a_prediction_show_nothing() -> None:
    tiles = predicted([None, "Field"], [0.2, 0.9])
    assert shown(tiles) == [None, "Field"]
    assert shown(tiles, smoothing=True) == [None, "Field"]


def test_smoothing_comes_after_abstention_and_only_if_asked() -> None:
    tiles = predicted(["Forest", "Field", "Forest"], [0.9, 0.4, 0.9])
    assert shown(tiles) == ["Forest", "Unsure", "Forest"]
    assert shown(tiles, smoothing=True) == ["Forest", "Forest", "Forest"]


def test_smoothing_keeps_water() -> None:
    tiles = predicted(["Forest", "Water", "Forest"], [0.9, None, 0.9])
    assert shown(tiles, smoothing=True) == ["Forest", "Water", "Forest"]


@pytest.mark.parametrize("apart", [{"year": [2012, 2018, 2012]}, {"epsg": [26917, 26918, 26917]}])
def test_other_years_and_zones_are_no_neighbours(apart: dict[str, list[int]]) -> None:
    tiles = predicted(["Forest", "Field", "Forest"], [0.9] * 3).assign(**apart)
    assert shown(tiles, smoothing=True) == ["Forest", "Field", "Forest"]


def test_rows_may_have_any_index() -> None:
    tiles = predicted(["Forest", "Field", "Forest"], [0.9, 0.4, 0.9])
    tiles.index = pd.Index([7, 3, 5])
    found = mapped_classes(tiles, MapSettings(min_probability=0.5, smoothing=True))
    assert found.index.tolist() == [7, 3, 5]
    assert found.tolist() == ["Forest"] * 3


def test_no_tile_shows_nothing() -> None:
    tiles = predicted(["Forest"], [0.9]).iloc[:0]
    assert shown(tiles, smoothing=True) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_probability": 50},
        {"min_probability": -0.1},
        {"min_probability": np.nan},
        {"smoothing": "yes"},
        {"smooth": True},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MapSettings.model_validate({"min_probability": 0.5, "smoothing": False, **wrong})


def test_tiles_off_the_grid_are_smoothed_on_a_grid_of_their_own() -> None:
    """Their corners, given in degrees, are off by centimetres."""
    tiles = predicted(["Forest", "Field", "Forest"], [0.9] * 3)
    edges = ["xmin", "ymin", "xmax", "ymax"]
    tiles[edges] += np.random.default_rng(1).uniform(-0.05, 0.05, (3, 4)) + 100.3
    assert shown(tiles, smoothing=True) == ["Forest"] * 3


def test_tiles_that_overlap_are_not_smoothed() -> None:
    tiles = predicted(["Forest", "Field"], [0.9] * 2)
    tiles["xmin"], tiles["xmax"] = tiles["xmin"].iloc[0] + 7, tiles["xmax"].iloc[0] + 7
    assert shown(tiles) == ["Forest", "Field"]
    with pytest.raises(AerialError, match=r"overlap.*mapping\.smoothing=false"):
        shown(tiles, smoothing=True)
