"""Mosaics: every pixel shows the tile that its centre lies in, and zones meet without a gap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer
from scipy.spatial import cKDTree

from aerial_kedro.errors import AerialError
from aerial_kedro.maps.drawing import TilesFarApartError
from aerial_kedro.maps.imagery import imagery_of_tiles
from aerial_kedro.maps.mosaic import mosaic, zone_grid
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.tiles.grid import TileGrid, belongs_to_grid
from tests.builders import TILE, ZONE, cell_of_origin, grid_tiles
from tests.unit.maps.conftest import places_at_border

COL, ROW = cell_of_origin()


def numbered(tiles: pd.DataFrame) -> np.ndarray:
    """Squares that say which tile and cell they are: ``(tiles, 7, 7, 2)``, from 1 on."""
    tile = np.arange(1, len(tiles) + 1)[:, None, None] + np.zeros((7, 7), dtype=int)
    cell = np.zeros(tile.shape, dtype=int) + np.arange(1, 50).reshape(7, 7)
    return np.stack([tile, cell], axis=-1)


def centres(raster: Raster) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.indices(raster.pixels.shape[1:])
    return raster.transform @ (cols.ravel() + 0.5, rows.ravel() + 0.5)


def expected(tiles: pd.DataFrame, raster: Raster) -> tuple[np.ndarray, np.ndarray]:
    """Pixel by pixel, from the table: the tile and cell at each centre, and whether none can be."""
    main = int(raster.crs.removeprefix("EPSG:"))
    x, y = centres(raster)
    found, possible = np.zeros((2, len(x)), dtype=int), np.zeros(len(x), dtype=bool)
    for epsg in (main, *sorted(set(tiles["epsg"]) - {main})):
        grid = TileGrid(epsg, TILE)
        at = {
            (round(tile.xmin / TILE), round(tile.ymin / TILE)): number
            for number, tile in enumerate(tiles.itertuples(), start=1)
            if tile.epsg == epsg
        }
        xs, ys = Transformer.from_crs(main, epsg, always_xy=True).transform(x, y)
        cols, rows = grid.cell_of(xs, ys)
        possible |= belongs_to_grid(cols, rows, grid)
        tile = np.array([at.get(place, 0) for place in zip(cols, rows, strict=True)])
        down = np.floor((rows + 1) * 7 - ys / TILE * 7).astype(int)
        right = np.floor(xs / TILE * 7 - cols * 7).astype(int)
        free = (found[0] == 0) & (tile > 0)
        found[:, free] = tile[free], (down * 7 + right + 1)[free]
    return found.reshape(2, *raster.pixels.shape[1:]), ~possible.reshape(raster.pixels.shape[1:])


def holes_in_rows(drawn: np.ndarray) -> int:
    first, last = drawn.argmax(axis=1), drawn.shape[1] - drawn[:, ::-1].argmax(axis=1)
    return sum(np.count_nonzero(~row[a:b]) for row, a, b in zip(drawn, first, last, strict=True))


class TestOneZone:
    def test_tiles_lie_on_the_tile_grid_cut_in_seven(self) -> None:
        tiles = grid_tiles([(COL, ROW), (COL + 2, ROW), (COL + 1, ROW - 3)])
        raster = mosaic(tiles, numbered(tiles))
        assert raster.crs == f"EPSG:{ZONE}"
        assert raster.pixels.shape == (2, 4 * 7, 3 * 7)
        assert (raster.transform.a, raster.transform.e) == (32, -32)
        assert raster.transform @ (0, 0) == (COL * TILE, (ROW + 1) * TILE)
        found, _ = expected(tiles, raster)
        assert np.array_equal(raster.pixels, found)

    def test_what_is_pasted_can_be_cut_out_again(self) -> None:
        tiles = grid_tiles([(COL + 5, ROW), (COL, ROW - 2), (COL + 1, ROW - 9)])
        grid = zone_grid(tiles, 7)
        squares = np.random.default_rng(0).integers(0, 99, (3, 7, 7))
        assert np.array_equal(grid.cut(grid.paste(squares)), squares)

    def test_a_place_given_twice_is_refused(self) -> None:
        tiles = grid_tiles([(COL, ROW), (COL, ROW)])
        with pytest.raises(AerialError, match=r"1 places appear twice.*EPSG:26918 499968"):
            mosaic(tiles, numbered(tiles))

    def test_tiles_of_no_grid_of_ours_are_refused(self) -> None:
        tiles = grid_tiles([(COL, ROW)])
        with pytest.raises(AerialError, match=r"1 tiles.*fixed grid"):
            mosaic(tiles.assign(xmin=tiles["xmin"] + 5, xmax=tiles["xmax"] + 5), numbered(tiles))
        with pytest.raises(AerialError, match="0 tiles"):
            zone_grid(tiles.iloc[:0], 7)

    def test_tiles_far_apart_are_refused_before_memory_is_taken(self) -> None:
        tiles = grid_tiles([(COL, ROW), (COL + 1500, ROW - 15_000)])
        with pytest.raises(TilesFarApartError, match=r"105,007 by 10,507 cells.*scenes_root=DIR"):
            mosaic(tiles, numbered(tiles))

    def test_those_of_two_zones_are_counted_together(self) -> None:
        tiles = pd.concat([grid_tiles([(COL, ROW)], epsg) for epsg in (26904, 26919)])
        with pytest.raises(TilesFarApartError, match="The 2 tiles lie so far apart"):
            mosaic(tiles, numbered(tiles))


class TestTwoZones:
    def test_each_pixel_shows_the_cell_that_its_centre_lies_in(self, border: pd.DataFrame) -> None:
        raster = mosaic(border, numbered(border))
        assert raster.crs == "EPSG:26917"
        found, _ = expected(border, raster)
        covered = found[0] > 0
        assert np.array_equal(raster.pixels[:, covered], found[:, covered])

    def test_no_gap_is_left_between_the_zones(self, border: pd.DataFrame) -> None:
        raster = mosaic(border, numbered(border))
        found, _ = expected(border, raster)
        assert holes_in_rows(found[0][30:-30] > 0) > 20
        assert holes_in_rows(raster.pixels[0][30:-30] > 0) == 0

    def test_slivers_are_filled_from_the_nearest_cell(self, border: pd.DataFrame) -> None:
        raster = mosaic(border, numbered(border))
        found, impossible = expected(border, raster)
        filled = (raster.pixels[0] > 0) & (found[0] == 0)
        assert impossible[filled].all()
        covered = np.argwhere(found[0] > 0)
        distance, _ = cKDTree(covered).query(np.argwhere(filled))
        assert distance.max() <= 4  # cells: half a tile
        for (row, col), nearest in zip(np.argwhere(filled), distance, strict=True):
            away = np.hypot(*(covered - (row, col)).T)
            near = covered[away <= nearest + 1e-9]
            values = {tuple(found[:, r, c]) for r, c in near}
            assert tuple(raster.pixels[:, row, col]) in values

    def test_a_missing_tile_stays_a_hole_also_beside_the_border(self) -> None:
        tiles = places_at_border(36.0)
        for epsg, side in ((26917, "idxmax"), (26918, "idxmin")):
            middle = tiles[(tiles["epsg"] == epsg) & tiles["lat"].between(35.995, 36.005)]
            missing = getattr(middle["lon"], side)()
            fewer = tiles.drop(index=missing).reset_index(drop=True)
            raster = mosaic(fewer, numbered(fewer))
            whole, _ = expected(tiles, raster)
            hole = whole[0] == missing + 1
            assert np.count_nonzero(hole) > 30
            assert not raster.pixels[0][hole].any()

    def test_nothing_is_filled_beyond_the_ends_of_the_border(self) -> None:
        border = places_at_border(36.0, rows=60)  # at its ends are slivers
        raster = mosaic(border, numbered(border))
        found, _ = expected(border, raster)
        zone = np.array([0, *border["epsg"]])[found[0]]
        filled = np.argwhere((raster.pixels[0] > 0) & (zone == 0))
        for row, col in filled:
            west, east = (zone[row, col - 8 : col], zone[row, col + 1 : col + 9])
            north, south = (zone[row - 8 : row, col], zone[row + 1 : row + 9, col])
            sides = [{*one} - {0} for one in (west, east, north, south)]
            between = [
                bool(one and other and one != other) for one, other in (sides[:2], sides[2:])
            ]
            assert any(between)

    def test_where_squares_overlap_the_main_zone_is_seen(self) -> None:
        """Whole rectangles of both zones, across the border."""
        tiles = places_at_border(36.0)
        x, y = Transformer.from_crs(4326, 26918, always_xy=True).transform(-78.03, 36.0)
        col, row = cell_of_origin((x, y))
        over = grid_tiles([(col + c, row + r) for c in range(4) for r in range(4)], 26918)
        both = pd.concat([tiles[tiles["epsg"] == 26917], over], ignore_index=True)
        raster = mosaic(both, numbered(both))
        own = both["epsg"] == 26917
        main = mosaic(both[own], numbered(both)[own.to_numpy()])
        top = round((main.transform.f - raster.transform.f) / -32)
        left = round((main.transform.c - raster.transform.c) / 32)
        rows, cols = main.pixels.shape[1:]
        part = raster.pixels[:, top : top + rows, left : left + cols]
        drawn = main.pixels[0] > 0
        assert np.array_equal(part[:, drawn], main.pixels[:, drawn])


class TestImagery:
    def test_thumbnails_are_aligned_with_the_map(self, border: pd.DataFrame) -> None:
        thumbnails = np.zeros((len(border), 14, 14, 3), dtype=np.uint8)
        thumbnails[..., 1] = np.arange(len(border))[:, None, None] % 251
        raster = imagery_of_tiles(border, thumbnails)
        cells = mosaic(border, numbered(border))
        assert raster.transform @ (0, 0) == cells.transform @ (0, 0)
        assert raster.pixels.shape[1:] == tuple(2 * side for side in cells.pixels.shape[1:])
        assert raster.transform.a == 16
        drawn = (raster.pixels[0, ::2, ::2] > 0) & (cells.pixels[0] > 0)
        assert drawn.mean() > 0.8

    def test_black_is_drawn_and_no_tile_is_nodata(self) -> None:
        tiles = grid_tiles([(COL, ROW), (COL + 2, ROW)])
        raster = imagery_of_tiles(tiles, np.zeros((2, 3, 3, 3), dtype=np.uint8))
        assert raster.pixels[0].tolist() == [[1, 1, 1, 0, 0, 0, 1, 1, 1]] * 3
        assert raster.nodata == 0

    @pytest.mark.parametrize("shape", [(1, 3, 3, 3), (2, 3, 4, 3), (2, 3, 3, 4)])
    def test_other_shapes_are_refused(self, shape: tuple[int, ...]) -> None:
        tiles = grid_tiles([(COL, ROW), (COL + 2, ROW)])
        with pytest.raises(ValueError, match="one square RGB picture for each"):
            imagery_of_tiles(tiles, np.zeros(shape, dtype=np.uint8))
