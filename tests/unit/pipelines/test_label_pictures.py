"""Pictures of cells to label: of that very cell, in each year, with the ground around."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.cells.places import centres_of_cells, squares_of_cells
from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.label_pictures import draw_tasks
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import TILE_COLUMNS, ddl, tiles_of_scene
from tests.builders import ORIGIN, TILE, paint, read_scene_header, write_scene

CELL = 9  # second row from the north, third column


def decode(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def painted(square: np.ndarray, size: int) -> np.ndarray:
    west, south, east, north = square
    at = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(west + at * (east - west), north - at * (north - south))
    return np.moveaxis(paint(x, y), 0, -1)


@pytest.fixture
def catalog(tmp_path: Path, spark_session: SparkSession) -> tuple[DataFrame, pd.DataFrame]:
    """Nine tiles in 2012 and 2018; the southernmost of 2018 cannot be read."""
    parts = []
    with SceneReader() as reader:
        for year in (2012, 2018):
            path = write_scene(tmp_path / f"m_{year}.tif")
            parts.append(tiles_of_scene(read_scene_header(path, year), TILE, reader))
    tiles = pd.concat(parts, ignore_index=True)
    lost = (tiles["year"] == 2018) & (tiles["ymin"] == tiles["ymin"].min())
    tiles.loc[lost, "href"] = str(tmp_path / "gone.tif")
    rows = tiles[list(TILE_COLUMNS)].astype(object)
    values = list(rows.where(rows.notna(), None).itertuples(index=False, name=None))
    return spark_session.createDataFrame(values, ddl(TILE_COLUMNS)), tiles


def cells_of(tiles: pd.DataFrame, column: int, row: int) -> pd.DataFrame:
    """The cell of a tile, counted from the north-west of the scene, in both years."""
    x, y = ORIGIN[0] + column * TILE, ORIGIN[1] - row * TILE
    own = tiles[(tiles["xmin"] == x) & (tiles["ymax"] == y)].reset_index(drop=True)
    lon, lat = centres_of_cells(own, np.full(len(own), CELL))
    names = own["tile_id"] + f"#{CELL:02d}"
    return own[["year", "xmin", "ymin", "xmax", "ymax"]].assign(
        sample_id=names, cell_id=names, lon=lon, lat=lat
    )


def test_pictures_show_the_cell_its_tile_and_the_ground_around(
    catalog: tuple[DataFrame, pd.DataFrame],
) -> None:
    table, tiles = catalog
    cells = cells_of(tiles, 1, 1)
    [task, later] = draw_tasks(table, cells.assign(why="Because.", given=[None, "Forest"]))
    assert (task.year, task.why, task.given, later.given) == (2012, "Because.", None, "Forest")
    assert [each.year for each in task.views] == [2012, 2018]
    square = squares_of_cells(cells[:1], np.array([CELL]))[0]
    view = task.views[0]
    assert abs(decode(view.cell) - painted(square, 32)).mean() < 3
    whole = cells[["xmin", "ymin", "xmax", "ymax"]].iloc[0].to_numpy(float)
    assert abs(decode(view.tile) - painted(whole, 224)).mean() < 6
    around = whole + np.array([-TILE, -TILE, TILE, TILE])
    assert abs(decode(view.surroundings) - painted(around, 192)).mean() < 12
    lost = decode(task.views[1].surroundings)[140:]
    assert abs(lost - 152).mean() < 3  # grey


def test_a_cell_whose_image_is_gone_is_named(catalog: tuple[DataFrame, pd.DataFrame]) -> None:
    table, tiles = catalog
    cells = cells_of(tiles, 0, 2)
    assert [each.year for each in draw_tasks(table, cells[:1])[0].views] == [2012]
    with pytest.raises(AerialError, match=rf"{cells['cell_id'][0]} in 2018 cannot be read \(1"):
        draw_tasks(table, cells)
