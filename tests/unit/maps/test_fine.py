"""The fine map: classes of cells, unsure ones, smoothing, and the file it becomes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aerial_kedro.cells.grid import pack
from aerial_kedro.datasets.rasters import RasterFolderDataset
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.maps.fine import fine_map, shown_cells, smooth_cells
from aerial_kedro.maps.mapping import MapSettings, smooth_classes
from aerial_kedro.scenes.raster import Raster
from tests.builders import cell_of_origin, grid_tiles
from tests.unit.maps.conftest import random_cells, with_cells

NAMES = ["Forest", "Field", "Town"]
COLOURS = {"Forest": "#006400", "Field": "#ffbb22", "Town": "#fa0000", UNSURE: "#4a4a55"}
COL, ROW = cell_of_origin()
AS_PREDICTED = MapSettings(min_probability=0.0, smoothing=False)
SMOOTH = MapSettings(min_probability=0.5, smoothing=True)
UNSURE_VALUE = 4

places = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6)


def draw(tiles: pd.DataFrame, settings: MapSettings = AS_PREDICTED) -> Raster:
    return fine_map(tiles, NAMES, COLOURS, settings)


def one_tile(value: int, confidence: int) -> pd.DataFrame:
    cells = np.full((1, 7, 7), value), np.full((1, 7, 7), confidence)
    return with_cells(grid_tiles([(COL, ROW)]), *cells)


def scattered(at: set[tuple[int, int]], seed: int) -> pd.DataFrame:
    """Tiles at some places, with cells of any class, of none, and of any confidence."""
    tiles = grid_tiles([(COL + col, ROW + row) for col, row in sorted(at)])
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 4, (len(tiles), 7, 7))
    return with_cells(tiles, classes, rng.integers(1, 101, classes.shape) * (classes > 0))


def exploded(tiles: pd.DataFrame, settings: MapSettings) -> dict[tuple[int, int], tuple[int, int]]:
    """The rule cell by cell: (row down, column) on the grid to class value and percent."""
    found = {}
    for tile in tiles.itertuples():
        left, top = round(tile.xmin / 32), -round(tile.ymax / 32)
        for number, (value, percent) in enumerate(
            zip(tile.cell_classes, tile.cell_confidence, strict=True)
        ):
            is_unsure = value > 0 and percent < round(100 * settings.min_probability, 6)
            place = (top + number // 7, left + number % 7)
            found[place] = (UNSURE_VALUE if is_unsure else value, percent)
    if settings.smoothing:
        values = [value or None for value, _ in found.values()]
        cells = [(0, *place) for place in found]
        smooth = smooth_classes(values, cells, silent=[UNSURE_VALUE])
        found = {
            place: (value or 0, percent)
            for (place, (_, percent)), value in zip(found.items(), smooth, strict=True)
        }
    return found


@tries(max_examples=60, deadline=None)
@given(places, st.integers(0, 2**16), st.sampled_from([0.0, 0.37, 0.5]), st.booleans())
def test_the_map_is_the_rule_applied_to_each_cell(
    at: set[tuple[int, int]], seed: int, min_probability: float, smoothing: bool
) -> None:
    settings = MapSettings(min_probability=min_probability, smoothing=smoothing)
    tiles = scattered(at, seed)
    raster = draw(tiles, settings)
    cells = np.zeros_like(raster.pixels)
    left, top = round(raster.transform.c / 32), -round(raster.transform.f / 32)
    for (row, col), both in exploded(tiles, settings).items():
        cells[:, row - top, col - left] = both if both[0] else 0
    assert np.array_equal(raster.pixels, cells)


@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.integers(0, UNSURE_VALUE),
    )
)
def test_smoothing_cells_is_smoothing_tiles(cells: np.ndarray) -> None:
    at = [(0, *place) for place in np.ndindex(cells.shape)]
    names = [value or None for value in cells.ravel().tolist()]
    slow = smooth_classes(names, at, silent=[UNSURE_VALUE]).reshape(cells.shape)
    assert np.array_equal(smooth_cells(cells, UNSURE_VALUE), np.where(slow == None, 0, slow))  # noqa: E711


def test_a_tall_map_is_smoothed_in_strips_that_do_not_show() -> None:
    cells = np.random.default_rng(2).integers(0, 5, (2100, 5), dtype=np.uint8)
    parts = [smooth_cells(cells[900:1200], 4)[1:-1], smooth_cells(cells[2000:], 4)[1:]]
    smooth = smooth_cells(cells, 4)
    assert np.array_equal(smooth[901:1199], parts[0])
    assert np.array_equal(smooth[2001:], parts[1])


def test_smoothing_crosses_the_borders_of_tiles_but_not_of_zones() -> None:
    tiles = grid_tiles([(COL, ROW), (COL + 1, ROW)])
    classes = np.ones((2, 7, 7))
    classes[1] = 2
    classes[0, 3, 6] = 2  # a cell at the border, with the other tile's class in three neighbours
    classes[1, :, 0] = 1
    shown = shown_cells(with_cells(tiles, classes, classes * 0 + 90), NAMES, SMOOTH)
    assert shown[0, 3, 6] == 1
    apart = with_cells(tiles.assign(epsg=[26918, 26917]), classes, classes * 0 + 90)
    alone = with_cells(tiles, classes, classes * 0 + 90).iloc[:1]
    assert np.array_equal(shown_cells(apart, NAMES, SMOOTH)[:1], shown_cells(alone, NAMES, SMOOTH))


def test_cells_far_apart_are_smoothed_each_where_they_lie() -> None:
    near = scattered({(0, 0), (1, 0), (1, 1)}, seed=4)
    edges = ("xmin", "ymin", "xmax", "ymax")
    away = near.assign(**{name: near[name] + 224 * 5_000 for name in edges})
    alone = shown_cells(near, NAMES, SMOOTH)
    assert not np.array_equal(alone, shown_cells(near, NAMES, AS_PREDICTED))
    both = shown_cells(pd.concat([near, away]), NAMES, SMOOTH)
    assert np.array_equal(both, np.concatenate([alone, alone]))


@pytest.mark.parametrize(
    ("percent", "least", "value"),
    [(49, 0.5, 4), (50, 0.5, 2), (55, 0.55, 2), (54, 0.55, 4), (29, 0.29, 2), (1, 0.0, 2)],
)
def test_cells_below_the_least_probability_are_unsure(
    percent: int, least: float, value: int
) -> None:
    raster = draw(one_tile(2, percent), MapSettings(min_probability=least, smoothing=False))
    assert set(np.unique(raster.pixels[0])) == {value}
    assert set(np.unique(raster.pixels[1])) == {percent}


def test_a_class_without_a_confidence_is_not_unsure() -> None:
    raster = draw(one_tile(2, 0), MapSettings(min_probability=0.9, smoothing=False))
    assert np.unique(raster.pixels[0]).tolist() == [2]
    assert not raster.pixels[1].any()


def test_tiles_without_a_prediction_are_nodata() -> None:
    tiles = random_cells(grid_tiles([(COL, ROW), (COL + 1, ROW)]), 3)
    for column in ("cell_classes", "cell_confidence"):
        tiles[column] = tiles[column].astype(object)
        tiles.loc[0, column] = None
    raster = draw(tiles)
    assert not raster.pixels[:, :, :7].any()
    assert raster.pixels[:, :, 7:].all()


def test_a_class_that_has_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"class number 4.*only 3 classes \(Forest, Field, Town\)"):
        draw(one_tile(4, 90))


def test_the_raster_says_what_its_values_mean() -> None:
    raster = draw(one_tile(1, 90))
    assert raster.tags == {"CLASSES": "1 Forest, 2 Field, 3 Town, 4 Unsure"}
    assert raster.colour_table[4] == (74, 74, 85, 255)
    assert raster.band_names == ("land cover", "probability in percent")
    assert raster.pixels.dtype == np.uint8


def test_where_the_model_holds_lies_in_bands_of_its_own() -> None:
    expected, outside = np.full((2, 7, 7), 61), np.zeros((2, 7, 7))
    outside[1, 0] = 1
    tiles = with_cells(
        grid_tiles([(COL, ROW), (COL + 1, ROW)]), np.ones((2, 7, 7)), np.full((2, 7, 7), 90)
    ).assign(
        cell_expected=pack(expected.astype(np.uint8)), cell_outside=pack(outside.astype(np.uint8))
    )
    raster = draw(tiles)
    assert raster.band_names[2:] == ("expected accuracy in percent", "outside")
    assert set(np.unique(raster.pixels[2])) == {61}
    assert raster.pixels[3].tolist() == [[0] * 7 + [1] * 7] + [[0] * 14] * 6
    # A tile of which it is not known is nodata, and without any the bands are not there.
    tiles[["cell_expected", "cell_outside"]] = tiles[["cell_expected", "cell_outside"]].shift(-1)
    raster = draw(tiles)
    assert raster.pixels[2].tolist() == [[61] * 7 + [0] * 7] * 7
    tiles[["cell_expected", "cell_outside"]] = None
    assert draw(tiles).band_names == ("land cover", "probability in percent")


def test_the_file_is_cloud_optimized_with_its_colours(tmp_path: Path) -> None:
    cells = [(COL + col, ROW + row) for col in range(100) for row in range(90)]
    raster = draw(random_cells(grid_tiles(cells), 3))
    RasterFolderDataset(path=str(tmp_path), driver="COG").save({"map_2018": raster})
    with rasterio.open(tmp_path / "map_2018.tif") as file:
        assert file.crs.to_epsg() == 26918
        assert file.transform == raster.transform
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1) == file.overviews(2) == [2, 4]
        assert file.colormap(1)[2] == (255, 187, 34, 255)
        assert file.tags()["CLASSES"] == raster.tags["CLASSES"]
        assert np.array_equal(file.read(), raster.pixels)
    with rasterio.open(tmp_path / "map_2018.tif", overview_level=0) as half:
        # An overview shows one of its cells, never a mixture.
        classes, percent = half.read()
        rows, cols = (side // 2 for side in raster.pixels.shape[1:])
        apart = raster.pixels[:, : rows * 2, : cols * 2].reshape(2, rows, 2, cols, 2)
        same = (apart[0] == classes[:rows, None, :cols, None]) & (
            apart[1] == percent[:rows, None, :cols, None]
        )
        assert same.any(axis=(1, 3)).all()


def test_a_county_takes_seconds() -> None:
    number = np.arange(67_392)
    col, row = COL + number % 260, ROW + number // 260
    tiles = pd.DataFrame({"epsg": 26918, "xmin": col * 224.0, "ymin": row * 224.0})
    tiles = tiles.assign(xmax=tiles["xmin"] + 224, ymax=tiles["ymin"] + 224)
    rng = np.random.default_rng(1)
    classes = rng.integers(1, 4, (len(tiles), 7, 7), dtype=np.uint8)
    tiles = tiles.assign(cell_classes=pack(classes), cell_confidence=pack(classes * 30))
    start = time.perf_counter()
    draw(tiles, SMOOTH)
    assert time.perf_counter() - start < 5  # 0.4 s where nothing else runs
