"""Mosaics: a small square of pixels for each tile, put together as one raster of all zones."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from affine import Affine
from pyproj import Transformer
from rasterio.transform import array_bounds
from rasterio.warp import transform_bounds

from aerial_kedro.errors import AerialError
from aerial_kedro.maps.cells import is_on_global_grid
from aerial_kedro.maps.drawing import NODATA, check_extent
from aerial_kedro.maps.seams import ZonedPixels, fill_seams
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.tiles.grid import transform_zones

# Corners that come from another zone are rounded.
_ON_GRID = 1e-6
# Rows of a map that are looked up in another zone at once: their coordinates take memory.
_ROWS = 256


@dataclass(frozen=True)
class ZoneGrid:
    """A rectangle of whole tiles on one zone's grid, and where its tiles lie in it.

    Parameters
    ----------
    epsg
        EPSG code of the zone's CRS.
    tile_size_m
        Side of a tile in metres.
    side
        Pixels a side of a tile.
    left, top
        Western and northern edge, in tiles from the zone's origin.
    shape
        Number of rows and columns, in tiles.
    rows, columns
        Row (0 is the northernmost) and column of each tile, in tiles, ``(n,)``.
    """

    epsg: int
    tile_size_m: float
    side: int
    left: int
    top: int
    shape: tuple[int, int]
    rows: np.ndarray
    columns: np.ndarray

    @property
    def transform(self) -> Affine:
        """Transform from ``(col, row)`` of a pixel to metres of the CRS."""
        step = self.tile_size_m / self.side
        left, upper = self.left * self.tile_size_m, self.top * self.tile_size_m
        return Affine(step, 0, left, 0, -step, upper)

    def paste(self, squares: np.ndarray) -> np.ndarray:
        """Put the tiles' squares ``(n, side, side)`` into one array, 0 where no tile lies."""
        rows, columns = self.shape
        pixels = np.zeros((rows, self.side, columns, self.side), dtype=squares.dtype)
        pixels[self.rows, :, self.columns] = squares
        return pixels.reshape(rows * self.side, columns * self.side)

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """Take the tiles' squares ``(n, side, side)`` out of an array as `paste` makes it."""
        rows, columns = self.shape
        apart = pixels.reshape(rows, self.side, columns, self.side)
        squares: np.ndarray = apart[self.rows, :, self.columns]
        return squares


def zone_grid(tiles: pd.DataFrame, side: int) -> ZoneGrid:
    """Find the rectangle that holds one zone's tiles.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` of tiles of the fixed global grid, in one zone and year.
    side
        Pixels a side of a tile.

    Raises
    ------
    AerialError
        If the tiles lie so far apart that the rectangle would be nearly all gaps, and huge
        (`TilesFarApartError`); if they are not of the global grid; or if a place appears twice.
    """
    _check_tiles(tiles)
    size = float((tiles["xmax"] - tiles["xmin"]).iloc[0])
    edges = (tiles[["xmin", "ymin", "xmax", "ymax"]].to_numpy() / size).round().astype(np.int64)
    check_extent(len(tiles), _shape_of(edges, side))
    return _grid_within(int(tiles["epsg"].iloc[0]), size, side, edges, edges)


def mosaic(tiles: pd.DataFrame, squares: np.ndarray) -> Raster:
    """Put the squares of all tiles together on the grid of the zone with the most tiles.

    Other zones are drawn on that grid by nearest neighbour where the main zone has no data. Where
    two zones' grids meet at an angle, slivers remain that no tile of either can cover; they take
    the values of the nearest pixel (`fill_seams`), so that the zones meet without a gap.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` of one year's tiles, of the fixed global grid.
    squares
        Array of shape ``(tiles, side, side, bands)``; a pixel is without data where its first
        band is 0. Row 0 is the northernmost.

    Returns
    -------
    Raster
        Whole tiles of the main zone's grid, as few as hold all; nodata is 0.

    Raises
    ------
    AerialError
        As `zone_grid` does.
    """
    _check_tiles(tiles)
    side, bands = squares.shape[2:]
    counts = tiles["epsg"].value_counts(sort=False).sort_index()
    zones = [int(epsg) for epsg in counts.sort_values(ascending=False, kind="stable").index]
    own = (tiles["epsg"] == zones[0]).to_numpy()
    frame = _frame(tiles, zones[0], own, side)
    pixels = np.stack([frame.paste(squares[own][..., band]) for band in range(bands)])
    zone = (pixels[0] != NODATA).astype(np.uint8)
    drawn = ZonedPixels(pixels, zone, frame.transform, zones)
    windows = []
    for epsg in zones[1:]:
        other = (tiles["epsg"] == epsg).to_numpy()
        grid = zone_grid(tiles[other], side)
        source = np.stack([grid.paste(squares[other][..., band]) for band in range(bands)])
        windows.append(_draw_zone(drawn, source, grid))
    for window in windows:
        fill_seams(drawn, window, frame.tile_size_m)
    return Raster(pixels, frame.transform, f"EPSG:{zones[0]}", NODATA)


def _check_tiles(tiles: pd.DataFrame) -> None:
    if not len(tiles) or not is_on_global_grid(tiles):
        raise AerialError(
            f"{len(tiles):,} tiles were given for a map of cells, which needs tiles of the fixed "
            "grid: draw others as one pixel a tile, or make tiles of their scenes "
            "(--params=scenes_root=DIR)."
        )
    doubled = tiles.duplicated(["epsg", "xmin", "ymin"])
    if doubled.any():
        first = tiles[doubled].iloc[0]
        raise AerialError(
            f"{doubled.sum():,} places appear twice among the tiles of a map of cells, the first "
            f"at EPSG:{first['epsg']} {first['xmin']:.0f}, {first['ymin']:.0f}: give one year's "
            "tiles, each place once."
        )


def _frame(tiles: pd.DataFrame, epsg: int, own: np.ndarray, side: int) -> ZoneGrid:
    """Find the rectangle of a zone's grid that holds all tiles, whatever their zones."""
    size = float((tiles["xmax"] - tiles["xmin"]).iloc[0])
    corners = (tiles[["xmin", "xmin", "xmax", "xmax"]], tiles[["ymin", "ymax", "ymin", "ymax"]])
    x, y = (each.to_numpy(float) for each in corners)
    x, y = transform_zones(tiles["epsg"].to_numpy(), x, y, epsg)
    lower = [np.floor(each.min() / size + _ON_GRID) for each in (x, y)]
    upper = [np.ceil(each.max() / size - _ON_GRID) for each in (x, y)]
    bounds = np.array([[*lower, *upper]]).astype(np.int64)
    check_extent(len(tiles), _shape_of(bounds, side))
    edges = tiles.loc[own, ["xmin", "ymin", "xmax", "ymax"]].to_numpy() / size
    return _grid_within(epsg, size, side, edges.round().astype(np.int64), bounds)


def _shape_of(bounds: np.ndarray, side: int) -> tuple[int, int]:
    """Rows and columns in pixels of what holds bounds (``left, bottom, right, top`` in tiles)."""
    width, height = bounds[:, 2:].max(axis=0) - bounds[:, :2].min(axis=0)
    return int(height) * side, int(width) * side


def _grid_within(
    epsg: int, size: float, side: int, tiles: np.ndarray, bounds: np.ndarray
) -> ZoneGrid:
    """Lay a grid over bounds (``left, bottom, right, top`` in tiles); tiles are given alike."""
    (left, bottom), (right, top) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    shape = (int(top - bottom), int(right - left))
    rows, columns = top - tiles[:, 3], tiles[:, 0] - left
    return ZoneGrid(epsg, size, side, int(left), int(top), shape, rows, columns)


def _draw_zone(drawn: ZonedPixels, source: np.ndarray, grid: ZoneGrid) -> tuple[slice, slice]:
    """Draw another zone where there is no data yet, and return the window that holds it.

    A pixel shows the one that its centre lies in, exactly: GDAL's warp is some decimetres off.
    """
    bounds = array_bounds(*source.shape[1:], grid.transform)
    west, south, east, north = transform_bounds(grid.epsg, drawn.zones[0], *bounds)
    left, upper = (max(math.floor(each), 0) for each in ~drawn.transform @ (west, north))
    right, lower = (math.ceil(each) for each in ~drawn.transform @ (east, south))
    to_zone = Transformer.from_crs(drawn.zones[0], grid.epsg, always_xy=True)
    height, width = source.shape[1:]
    for start in range(upper, lower, _ROWS):
        rows, cols = np.nonzero(drawn.zone[start : min(start + _ROWS, lower), left:right] == 0)
        rows, cols = rows + start, cols + left
        points = np.stack(to_zone.transform(*drawn.centres(rows, cols)))
        col, row = (np.floor(each).astype(int) for each in ~grid.transform @ (points[0], points[1]))
        held = (col >= 0) & (col < width) & (row >= 0) & (row < height)
        held[held] = source[0][row[held], col[held]] != NODATA
        drawn.pixels[:, rows[held], cols[held]] = source[:, row[held], col[held]]
        drawn.zone[rows[held], cols[held]] = drawn.zones.index(grid.epsg) + 1
    return slice(upper, lower), slice(left, right)
