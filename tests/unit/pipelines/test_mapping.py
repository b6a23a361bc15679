"""From predictions to what the map and the report show, without Spark."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from aerial_kedro.cells.grid import pack
from aerial_kedro.maps.drawing import polygons_of_tiles
from aerial_kedro.maps.mapping import MapSettings, mapped_classes
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.cells.scoring import draw_cell_maps, locate_tiles
from aerial_kedro.pipelines.reporting.nodes import draw_error_maps, draw_map_images
from aerial_kedro.pipelines.reporting.report import count_unsure
from aerial_kedro.pipelines.scoring.nodes import draw_maps
from aerial_kedro.report.colours import UNSURE as GREY
from tests.builders import CLASSES, cell_of_origin, grid_tiles
from tests.models import make_card, make_source

COL, ROW = cell_of_origin()
SURE = MapSettings(min_probability=0.5, smoothing=False)
SMOOTH = MapSettings(min_probability=0.5, smoothing=True)


def mapped(settings: MapSettings) -> pd.DataFrame:
    tiles = predicted()
    return tiles.assign(mapped_class=mapped_classes(tiles, settings))


def predicted() -> pd.DataFrame:
    """Five tiles in a row; in 2018 the middle one is unsure."""
    years = []
    for year, middle in ((2012, 0.9), (2018, 0.3)):
        tiles = grid_tiles([(COL + i, ROW) for i in range(5)])
        years.append(
            tiles.assign(
                image_id=tiles["tile_id"] + f"-{year}",
                year=year,
                pred_label=["Forest", "Forest", "Developed", "Forest", "Water"],
                probability=[0.9, 0.8, middle, 0.6, None],
                decided_by=["model"] * 4 + ["land_cover"],
            )
        )
    return pd.concat(years, ignore_index=True)


def test_unsure_has_the_value_and_the_colour_after_the_classes() -> None:
    maps = draw_maps(mapped(SURE), CLASSES)
    assert maps["map_2012"].pixels[0].tolist() == [[1, 1, 3, 1, 4]]
    assert maps["map_2018"].pixels[0].tolist() == [[1, 1, 5, 1, 4]]
    assert maps["map_2018"].pixels[1].tolist() == [[90, 80, 30, 60, 0]]
    for raster in maps.values():
        assert raster.tags["CLASSES"].endswith(", 4 Water, 5 Unsure")
        red, green, blue, _ = raster.colour_table[5]
        assert f"#{red:02x}{green:02x}{blue:02x}" == GREY


def test_predictions_stay_beside_what_the_map_shows() -> None:
    polygons = polygons_of_tiles(mapped(SMOOTH))
    assert polygons.crs.to_string() == "OGC:CRS84"
    assert polygons["mapped_class"].tolist() == ["Forest"] * 4 + ["Water"] + ["Forest"] * 4 + [
        "Water"
    ]
    assert polygons["pred_label"].tolist() == predicted()["pred_label"].tolist()


def test_unsure_and_smoothed_tiles_are_counted_by_year() -> None:
    found = count_unsure(mapped(SURE))
    assert {year: each.unsure for year, each in found.items()} == {"2012": 0, "2018": 1}
    assert [each.smoothed for each in found.values()] == [0, 0]
    found = count_unsure(mapped(SMOOTH))
    assert [(each.count, each.unsure, each.smoothed) for each in found.values()] == [
        (5, 0, 1),
        (5, 0, 1),
    ]


def test_the_reports_map_names_what_is_unsure() -> None:
    maps = draw_maps(mapped(SURE), CLASSES)
    images = draw_map_images(
        {name: lambda raster=raster: raster for name, raster in maps.items()}, CLASSES
    )
    shown = images["2018"]
    assert [shown.classes[i] for i in shown.class_index[0]] == [
        "Forest", "Forest", "Unsure", "Forest", "Water",
    ]  # fmt: skip


def far_apart(columns: int) -> pd.DataFrame:
    """Two years; in 2018 the last tile lies so many columns and rows away from its place."""
    tiles = predicted()
    away = np.where(tiles.index == len(tiles) - 1, columns * 224.0, 0)
    edges = {name: tiles[name] + away for name in ("xmin", "ymin", "xmax", "ymax")}
    return tiles.assign(**edges, label=None, split="test", block_id="b")


@pytest.mark.parametrize("settings", [SURE, SMOOTH])
def test_a_year_whose_cells_lie_too_far_apart_has_no_fine_map_and_keeps_its_tiles(
    caplog: pytest.LogCaptureFixture, settings: MapSettings
) -> None:
    tiles = far_apart(3_000)
    cells = tiles.assign(
        cell_classes=pack(np.ones((len(tiles), 7, 7), np.uint8)),
        cell_confidence=pack(np.full((len(tiles), 7, 7), 90, np.uint8)),
        class_by_cells="Forest", probability_by_cells=0.9, share_Forest=1.0,
        expected_accuracy=0.7, outside_share=0.25,
    )  # fmt: skip
    source = make_source()
    model = TrainedModel((), make_card(source, classes=["Forest", "Developed"]), source)
    with caplog.at_level(logging.WARNING):
        maps = draw_cell_maps(cells, CLASSES, model, settings)
    assert list(maps) == ["map_2012"]
    assert maps["map_2012"].pixels.shape == (2, 7, 35)
    (said,) = caplog.messages
    assert said.startswith("No map_2018.tif is drawn. The 5 tiles lie so far apart")
    assert "scenes_root=DIR" in said
    of_tiles = tiles.assign(
        mapped_class=tiles["pred_label"], expected_accuracy=0.9, outside_share=1.0
    )
    located = locate_tiles(of_tiles, cells)
    assert len(located) == len(tiles)
    # Of the cells, which the map is of.
    assert set(located["expected_accuracy"]) == {0.7}
    assert set(located["outside_share"]) == {0.25}
    assert located["share_Forest"].tolist() == [1.0] * len(tiles)


def test_a_year_whose_tiles_lie_too_far_apart_has_no_map(caplog: pytest.LogCaptureFixture) -> None:
    tiles = far_apart(21_000)
    shown = tiles.assign(mapped_class=mapped_classes(tiles, SMOOTH))
    with caplog.at_level(logging.WARNING):
        assert list(draw_maps(shown, CLASSES)) == ["map_2012"]
    assert "No map_2018.tif is drawn" in caplog.text
    assert list(draw_error_maps(shown)) == ["2012"]
