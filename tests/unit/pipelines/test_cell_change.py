"""Nodes of change by cells: years joined by place, truth looked up, patches pictured."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.cells.grid import COUNT, pack, unpack
from aerial_kedro.change.cells import CELL_CHANGE_COLUMNS
from aerial_kedro.change.reference import find_true_cells
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.errors import AerialError
from aerial_kedro.maps.patches import PatchRules
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.change import cells
from aerial_kedro.pipelines.change import patches as pictures
from aerial_kedro.pipelines.change.cells import (
    add_changed_shares,
    compare_cells,
    estimate_transitions,
    evaluate_cell_change,
    find_change_patches,
)
from aerial_kedro.pipelines.main_job import create_scene_pipelines
from aerial_kedro.report.patch_pictures import PatchWindow
from tests.builders import CLASSES, ORIGIN, cell_of_origin, grid_tiles, write_land_cover
from tests.models import make_card, make_source

SOURCE = make_source()
NAMES = ["Water", "Forest", "Developed"]  # the model's own order
MODEL = TrainedModel((), make_card(SOURCE, classes=NAMES), SOURCE)
RULES = PatchRules(min_probability=0.5, min_width=2)
COL, ROW = cell_of_origin()
PLACES = [(COL + right, ROW - down) for down in range(8) for right in range(8)]


def certain(classes: np.ndarray) -> list[bytes]:
    return pack(np.rint(250 * np.eye(3)[classes]).astype(np.uint8))


@pytest.fixture(scope="module")
def predictions(spark_session: SparkSession) -> DataFrame:
    """Sixty-four places in two years; the first tile's southern half is built upon."""
    rng = np.random.default_rng(1)
    classes = np.repeat(rng.integers(0, 3, (64, 1, 1)), 49).reshape(64, 7, 7)
    classes[0] = 1
    later = classes.copy()
    later[0, 4:] = 2
    columns = ["tile_id", "year", "epsg", "xmin", "ymin", "xmax", "ymax", "lon", "lat"]
    parts = [
        grid_tiles(PLACES, year=2012).assign(cell_probabilities=certain(classes)),
        grid_tiles(PLACES[:60], year=2018).assign(cell_probabilities=certain(later[:60])),
    ]
    rows = pd.concat(parts)[[*columns, "cell_probabilities"]]
    return spark_session.createDataFrame(
        list(rows.itertuples(index=False, name=None)),
        "tile_id string, year int, epsg int, xmin double, ymin double, xmax double, ymax double, "
        "lon double, lat double, cell_probabilities binary",
    ).cache()


def test_places_of_both_years_are_compared(predictions: DataFrame) -> None:
    own = {"Forest": "#123456"}
    classes = CLASSES.model_copy(update={"colours": own})
    found = estimate_transitions(predictions, classes, MODEL, seed=1)
    assert found.classes == CLASSES.names
    assert found.known_classes == NAMES
    assert found.colours == own
    [pair] = found.pairs
    assert (pair.before, pair.after, pair.cells) == (2012, 2018, 60 * COUNT)
    assert pair.rate == pytest.approx(21 / pair.cells, rel=0.3)
    table = compare_cells(predictions, found)
    assert table.columns.tolist() == list(CELL_CHANGE_COLUMNS)
    assert table["tile_id"].is_monotonic_increasing
    changed = table[[max(each) >= 50 for each in table["change_probability"]]]
    assert changed["tile_id"].tolist() == [grid_tiles(PLACES[:1])["tile_id"][0]]
    before, after = (unpack(changed[f"class_{when}"].tolist())[0] for when in ("before", "after"))
    assert (before == 1 + CLASSES.names.index("Forest")).all()
    assert (after[4:] == 1 + CLASSES.names.index("Developed")).all()
    assert (after[:4] == before[:4]).all()
    patches = find_change_patches(table, found, RULES)
    assert patches[["class_before", "class_after", "cells"]].to_numpy().tolist() == [
        ["Forest", "Developed", 21]
    ]
    tiles = pd.DataFrame(
        {"tile_id": [changed["tile_id"].iloc[0], "other"], "year_before": 2012, "year_after": 2018}
    )
    joined = add_changed_shares(tiles, table, found)
    assert joined["changed_share"].iloc[0] == pytest.approx(3 / 7)
    assert joined["shares_after"].iloc[0]["Developed"] == pytest.approx(3 / 7)
    assert joined.iloc[1][["changed_share", "shares_before", "shares_after"]].isna().all()


def test_the_sample_is_bounded(predictions: DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_SAMPLED", 600)
    [pair] = estimate_transitions(predictions, CLASSES, MODEL, seed=1).pairs
    assert 450 < pair.sampled < 750


def test_one_year_gives_empty_tables(predictions: DataFrame) -> None:
    own = predictions.filter("year = 2012")
    found = estimate_transitions(own, CLASSES, MODEL, seed=1)
    assert not found.pairs
    table = compare_cells(own, found)
    patches = find_change_patches(table, found, RULES)
    assert table.empty
    assert patches.empty
    tiles = pd.DataFrame(columns=["tile_id", "year_before", "year_after"])
    assert "changed_share" in add_changed_shares(tiles, table, found)
    summary = ChangeSummary()
    same, truth = evaluate_cell_change(
        summary, table, found, patches, predictions, [], CLASSES, RULES, 1
    )
    assert same == summary
    assert truth.empty


def test_the_true_class_of_each_cell_is_that_of_its_ground(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    """Land cover of 32 m on the tile's own grid, west half forest, and south of it built upon."""
    before = np.full((7, 14), 11, np.uint8)
    before[:, :7] = 41
    after = before.copy()
    after[4:, :7] = 21
    maps = [
        write_land_cover(tmp_path / f"{year}.tif", codes, gsd=32.0, year=year)
        for year, codes in ((2012, before), (2018, after))
    ]
    places = [(COL, ROW), (COL + 1, ROW), (COL + 2, ROW)]  # the map does not cover the third
    rows = pd.concat([grid_tiles(places, year=year) for year in (2012, 2018)])
    rows = rows.assign(block_id="b", cell_split="test", split="train")
    rows.loc[rows["tile_id"] == rows["tile_id"].iloc[0], "cell_split"] = "train"
    columns = [
        "tile_id", "block_id", "split", "cell_split", "epsg", "xmin", "ymin", "xmax", "ymax",
        "year",
    ]  # fmt: skip
    catalog = spark_session.createDataFrame(
        list(rows[columns].itertuples(index=False, name=None)), columns
    )
    compared = grid_tiles(places)[["tile_id"]].assign(year_before=2012, year_after=2018)
    names = ["Water", *[name for name in CLASSES.names if name != "Water"]]
    found = find_true_cells(compared, catalog, maps, CLASSES, names).set_index("tile_id")
    west, east, _ = compared["tile_id"]
    assert sorted(found.index) == sorted([west, east])
    assert found.loc[[west, east], "unseen"].tolist() == [False, True]
    cells_after = unpack([bytes(found.loc[west, "true_after"])])[0]
    assert (cells_after[:4] == 1 + names.index("Forest")).all()
    assert (cells_after[4:] == 1 + names.index("Developed")).all()
    assert set(found.loc[east, "true_before"]) == {1}
    # A legend may list a class that no class table knows, as long as the map does not show it.
    own = ((11, "Water"), (21, "Developed"), (31, "Sand"), (41, "Forest"))
    listed = [dataclasses.replace(each, legend=own) for each in maps]
    again = find_true_cells(compared, catalog, listed, CLASSES, names).set_index("tile_id")
    pd.testing.assert_frame_equal(again, found)
    listed[1] = dataclasses.replace(maps[1], legend=(*own[:1], (21, "Sand"), *own[3:]))
    with pytest.raises(AerialError, match="show the classes Sand, which are not in the class"):
        find_true_cells(compared, catalog, listed, CLASSES, names)
    assert find_true_cells(compared, catalog, maps[:1], CLASSES, names).empty


def colour(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (160, 160), (value, value, value)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_patch_is_shown_in_the_middle_of_four_tiles() -> None:
    corner = (10 * 224.0, 20 * 224.0)
    patch = shapely.box(corner[0] - 64, corner[1] - 32, corner[0] + 64, corner[1] + 64)
    window = PatchWindow.around(patch, 224.0)
    assert window.tiles == [(9, 19), (10, 19), (9, 20), (10, 20)]
    drawn = {tile: colour(60 * number) for number, tile in enumerate(window.tiles)}
    del drawn[10, 19]
    shown = np.asarray(Image.open(io.BytesIO(window.draw(drawn)))).astype(int)
    assert shown.shape == (240, 240, 3)
    assert shown[20, 20] == pytest.approx([120] * 3, abs=4)  # the north is up
    assert shown[20, 220] == pytest.approx([180] * 3, abs=4)
    assert shown[220, 20] == pytest.approx([0] * 3, abs=4)
    assert shown[220, 220] == pytest.approx([200] * 3, abs=4)  # missing
    edge = 120 - round(64 * 120 / 224)
    assert shown[120 - 8, edge - 1 : edge + 2].max() > 220  # the outline


def test_patches_are_shown_by_rank_with_their_truth(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def take(_: DataFrame, tile_ids: list[str], years: list[int]) -> dict[tuple[str, int], bytes]:
        asked.extend(tile_ids)
        return {(tile, year): colour(90) for tile in tile_ids[4:] for year in {*years}}

    monkeypatch.setattr(pictures, "picture_places", take)
    x, y = ORIGIN
    table = gpd.GeoDataFrame(
        {
            "rank": [2, 1, 3], "year_before": 2012, "year_after": 2018, "epsg": 26918,
            "class_before": "Forest", "class_after": "Developed", "area_ha": 1.0,
            "mean_probability": 0.9, "lon": -75.0, "lat": 36.5,
        },
        geometry=[shapely.box(x + at, y, x + at + 64, y + 64) for at in (0, 4480, 8960)],
        crs=26918,
    ).to_crs("OGC:CRS84")  # fmt: skip
    truth = pd.DataFrame(
        {"rank": [2], "known_cells": [4], "changed_cells": [3], "true_before": ["Forest"],
         "true_after": ["Water"]}
    )  # fmt: skip
    nothing = spark_session.createDataFrame([], "tile_id string")
    found = pictures.show_patches(table, truth, nothing, 224.0, most=2)
    assert len(asked) == 8  # of the first and the second, not of the third
    # The first has no picture and is left out.
    assert [each.rank for each in found] == [2]
    assert found[0].changed_share == 0.75
    assert found[0].true_after == "Water"


@pytest.mark.parametrize("name", ["__default__", "score_scenes"])
def test_with_one_class_a_tile_nothing_is_compared_by_cells(name: str) -> None:
    tile, cell = (create_scene_pipelines(grain)[name] for grain in ("tile", "cell"))
    made = {"cell_change", "cell_transitions", "change_patches"}
    assert made <= cell.all_outputs()
    assert not made & tile.datasets()
    assert "change" in tile.all_outputs() & cell.all_outputs()
