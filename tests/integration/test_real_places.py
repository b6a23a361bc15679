"""Real scenes, measured by other means: Pillow reads pixels and tags, PROJ alone the places.

Neither GDAL nor the project's own code says here where a pixel lies.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image
from pyproj import Transformer

from aerial_kedro.scenes.headers import read_header
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import tiles_of_scene
from aerial_kedro.tiles.reading import read_tile
from tests.integration.kedro_project import Project

pytestmark = pytest.mark.shared_data

PIXEL_SCALE, TIE_POINT, GEO_KEYS = 33550, 33922, 34735  # tags of the GeoTIFF standard
PROJECTED_CRS, RASTER_TYPE, PIXEL_IS_AREA = 3072, 1025, 1  # its keys
SCENES = {
    "naip/california/bishop_2020_0.tif": 50,
    "naip/california/claremont_2016_16.tif": 50,
    "naip/california/santa_monica_2018_*.tif": 50,
    "naip/north_dakota/m_4709963_se_14_1_20090818.tif": 224,
    "naip/north_dakota/m_4709963_se_14_1_20140720.tif": 224,
    "naip/north_dakota/m_4709963_se_14_1_20200831.tif": 224,
    "naip/other/gis-medium_naip.tif": 224,
    "naip/other/m_3607717_sw_18_1_20160620_subset.tif": 100,
    "naip/other/m_3607824_se_17_1_20160620_subset.tif": 100,
    "naip/other/m_4112001_sw_10_060_20220716.tif": 1120,
}


@dataclass(frozen=True)
class Picture:
    """A scene as Pillow sees it, placed by its own tags."""

    pixels: np.ndarray
    epsg: int
    left: float
    top: float
    width_m: float
    height_m: float

    def pixel_at(self, x: np.ndarray, y: np.ndarray, epsg: int) -> tuple[np.ndarray, np.ndarray]:
        """Column and row, with fractions, of points in any CRS."""
        to_scene = Transformer.from_crs(epsg, self.epsg, always_xy=True)
        east, north = to_scene.transform(x, y)
        return (
            (np.asarray(east) - self.left) / self.width_m,
            (self.top - np.asarray(north)) / self.height_m,
        )


def look_at(path: Path) -> Picture:
    with Image.open(path) as image:
        tags = image.tag_v2  # type: ignore[attr-defined]
        keys = np.reshape(tags[GEO_KEYS], (-1, 4))[1:]
        values = {key: value for key, where, _, value in keys.tolist() if where == 0}
        assert values[RASTER_TYPE] == PIXEL_IS_AREA
        assert tags[TIE_POINT][:3] == (0, 0, 0)
        width_m, height_m = tags[PIXEL_SCALE][:2]
        left, top = tags[TIE_POINT][3:5]
        pixels = np.asarray(image)[:, :, :3].astype(float)
    return Picture(pixels, values[PROJECTED_CRS], left, top, width_m, height_m)


@pytest.fixture(scope="module", params=SCENES)
def path(request: pytest.FixtureRequest, shared_data: Path) -> Path:
    return sorted(shared_data.glob(request.param))[0]


@pytest.fixture(scope="module")
def tiles(path: Path, shared_data: Path) -> pd.DataFrame:
    size = next(size for pattern, size in SCENES.items() if path.match(pattern))
    header = read_header(str(path), str(path), "v", default_year=2012)
    with SceneReader() as reader:
        found = tiles_of_scene(header, size, reader)
    assert len(found) >= 2
    return found.astype(object).where(found.notna(), None)


def test_a_tiles_window_covers_its_bounds(path: Path, tiles: pd.DataFrame) -> None:
    """To within a hundredth of a pixel, where half of one is asked for."""
    picture = look_at(path)
    windows = tiles[tiles["row_off"].notna()].convert_dtypes()
    for tile in windows.itertuples():
        (left, right), (top, bottom) = picture.pixel_at(
            np.array([tile.xmin, tile.xmax]), np.array([tile.ymax, tile.ymin]), int(tile.epsg)
        )
        found = (tile.col_off, tile.row_off, tile.col_off + tile.width, tile.row_off + tile.height)
        assert found == pytest.approx((left, top, right, bottom), abs=0.01)


def test_a_tile_shows_the_ground_that_it_names(path: Path, tiles: pd.DataFrame) -> None:
    """Windows and warps alike: a shift by one pixel in any direction would fit worse.

    Tiles are read at the size of their pixels, so that nothing is smoothed away.
    """
    picture = look_at(path)
    with SceneReader() as reader:
        for tile in tiles.iloc[:: max(len(tiles) // 8, 1)].to_dict("records"):
            ground = tile["xmax"] - tile["xmin"]
            size = round(ground / tile["gsd_m"])
            shown = read_tile(tile, size, reader).astype(float)
            steps = (np.arange(size) + 0.5) / size * ground
            x, y = np.meshgrid(tile["xmin"] + steps, tile["ymax"] - steps)
            columns, rows = picture.pixel_at(x, y, int(tile["epsg"]))
            fit = {
                shift: misfit(picture.pixels, shown, columns + shift[0], rows + shift[1])
                for shift in [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
            }
            assert min(fit, key=lambda shift: fit[shift]) == (0, 0), (tile["tile_id"], fit)


def misfit(picture: np.ndarray, shown: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> float:
    """Mean difference of a tile from the picture's nearest pixels, away from the tile's rim."""
    height, width = picture.shape[:2]
    column = np.clip(np.floor(columns), 0, width - 1).astype(int)
    row = np.clip(np.floor(rows), 0, height - 1).astype(int)
    difference = np.abs(picture[row, column] - shown)
    return float(difference[2:-2, 2:-2].mean())


def test_north_dakota_is_mapped_in_three_years_without_land_cover(
    county: Project, shared_data: Path, tmp_path: Path
) -> None:
    """With the made-up county's model: what it says of this land is of no interest, where it is."""
    shutil.copytree(county.data / "06_models", tmp_path / "06_models")
    scenes = shared_data / "naip/north_dakota"
    parameters = {"scenes_root": str(scenes), "tile_size_m": 224, "sample_fraction": 0.2}
    project = replace(county, data=tmp_path, parameters=parameters)
    project.run("score_scenes")
    predictions = project.table("07_model_output/predictions")
    assert set(predictions["year"]) == {2009, 2014, 2020}
    # The scenes differ by a row of pixels; their places are the same.
    years = predictions.groupby("tile_id")["year"].nunique()
    assert (years == len(set(predictions["year"]))).all()
    change = pd.read_parquet(tmp_path / "07_model_output/change.parquet")
    pairs = change.groupby(["year_before", "year_after"]).size()
    assert pairs.to_dict() == {(2009, 2014): len(years), (2014, 2020): len(years)}
    picture = look_at(scenes / "m_4709963_se_14_1_20140720.tif")
    with rasterio.open(tmp_path / "07_model_output/map_2014.tif") as raster:
        assert raster.crs.to_epsg() == picture.epsg
        assert raster.bounds.left >= picture.left
        assert raster.bounds.top <= picture.top
        names = dict(each.split(" ") for each in raster.tags()["CLASSES"].split(", "))
        (card,) = (tmp_path / "06_models/cells").glob("*/model.json")
        classes = json.loads(card.read_text(encoding="utf-8"))["classes"]
        tiles = project.table("07_model_output/cell_predictions")
        middle = 7 * 3 + 3
        for tile in tiles[tiles["year"] == 2014].itertuples():
            (found,) = raster.sample([((tile.xmin + tile.xmax) / 2, (tile.ymin + tile.ymax) / 2)])
            sure = tile.cell_confidence[middle] >= 50
            expected = classes[tile.cell_classes[middle] - 1] if sure else "Unsure"
            assert names[str(found[0])] == expected
