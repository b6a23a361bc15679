"""Tiles that are no multiple of seven pixels: pixels, labels and the map have the same cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aerial_kedro.cells.grid import unpack
from aerial_kedro.cells.statistics import cell_statistics, decode_statistics, thin_pixels
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.labels.land_cover import label_tiles
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.maps.fine import fine_map
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import tiles_of_scene
from aerial_kedro.tiles.reading import read_tile
from tests.builders import (
    CLASSES,
    ORIGIN,
    pixel_centres,
    read_scene_header,
    write_land_cover,
    write_scene,
)

AS_PREDICTED = MapSettings(min_probability=0.0, smoothing=False)


@pytest.mark.parametrize(("tile_size_m", "gsd"), [(50.0, 0.6), (100.0, 0.6), (50.0, 1.0)])
def test_pixels_labels_and_map_agree_cell_by_cell(
    tmp_path: Path, tile_size_m: float, gsd: float
) -> None:
    """Bright cells are forest: 50 m of 0.6 m are 83 pixels and a third, a cell not even twelve."""
    side, step = 4 * tile_size_m, tile_size_m / 7
    origin = tuple(np.ceil(np.array(ORIGIN) / tile_size_m) * tile_size_m)
    bright = np.random.default_rng(1).random((28, 28)) < 0.5

    def painted(pixel: float) -> np.ndarray:
        shape = (int(np.ceil(side / pixel)), int(np.ceil(side / pixel)))
        x, y = pixel_centres(origin, pixel, shape)
        cols, rows = ((x - origin[0]) / step).astype(int), ((origin[1] - y) / step).astype(int)
        return bright[rows.clip(max=27), cols.clip(max=27)]

    colours = np.repeat(np.where(painted(gsd), 220, 30).astype(np.uint8)[None], 3, axis=0)
    scene = write_scene(tmp_path / "m_2018.tif", origin=origin, gsd=gsd, pixels=colours)
    codes = np.where(painted(step / 8), 41, 82).astype(np.uint8)
    cover = write_land_cover(tmp_path / "nlcd.tif", codes, origin=origin, gsd=step / 8)
    with SceneReader() as reader:
        tiles = tiles_of_scene(read_scene_header(scene), tile_size_m, reader)
        assert len(tiles) >= 9
        pixels = np.stack([read_tile(tile, 224, reader) for tile in tiles.to_dict("records")])
    (tiles,) = label_tiles(iter([tiles]), [cover], CLASSES, LabelRules(min_purity=0.7))
    labels = unpack(tiles["cell_labels"].tolist())
    is_bright = decode_statistics(cell_statistics(thin_pixels(pixels)))[..., 0] > 125
    assert np.array_equal(is_bright, labels == 1)
    assert (unpack(tiles["cell_purity"].tolist()) >= 97).all()

    shown = tiles.assign(cell_classes=tiles["cell_labels"], cell_confidence=tiles["cell_purity"])
    colour = dict.fromkeys([*CLASSES.names, UNSURE], "#000000")
    raster = fine_map(shown, CLASSES.names, colour, AS_PREDICTED)
    rows, cols = np.nonzero(raster.pixels[0])
    x, y = raster.transform @ (cols + 0.5, rows + 0.5)
    at = (((origin[1] - y) / step).astype(int), ((x - origin[0]) / step).astype(int))
    assert len(rows) == 49 * len(tiles)
    assert np.array_equal(raster.pixels[0][rows, cols] == 1, bright[at])
