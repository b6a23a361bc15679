"""Seams between the zones of a map: slivers that no tile of either zone can cover."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from pyproj import Transformer

from aerial_kedro.tiles.grid import TileGrid, belongs_to_grid


@dataclass(frozen=True)
class ZonedPixels:
    """Pixels of a map whose parts come from the grids of several zones.

    Parameters
    ----------
    pixels
        Array of shape ``(bands, rows, cols)``.
    zone
        1 + position in ``zones`` of the zone that each pixel is from, 0 without data; ``(rows,
        cols)``, uint8.
    transform
        Transform from ``(col, row)`` to units of the first zone's CRS.
    zones
        EPSG codes of the zones' grids; the first is the map's.
    """

    pixels: np.ndarray
    zone: np.ndarray
    transform: Affine
    zones: Sequence[int]

    def centres(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centres of pixels in the map's CRS, each ``(n,)``."""
        points: Any = cols + 0.5, rows + 0.5
        x, y = self.transform @ points
        return x, y


def fill_seams(drawn: ZonedPixels, window: tuple[slice, slice], tile_size_m: float) -> None:
    """Fill the slivers between a zone and others with the values of the nearest pixel, in place.

    A sliver lies between pixels of two zones, about half a tile from either at most, and in a
    square of neither grid that is a place (`belongs_to_grid`). So what a missing tile leaves open
    stays open, and so does the land beyond the map's edge.

    Parameters
    ----------
    drawn
        The map; filled pixels are given a zone too.
    window
        Rows and columns that hold all pixels of the zone.
    tile_size_m
        Side of a tile in metres.
    """
    # A sliver is as wide as a tile at most, and a little more where it slants.
    half = math.ceil((round(tile_size_m / drawn.transform.a) + 1) / 2)
    # The seam may run along the edge of the zone, just outside it.
    reach = 2 * half
    rows, cols = window
    top, left = max(rows.start - reach, 0), max(cols.start - reach, 0)
    part = (slice(top, rows.stop + reach), slice(left, cols.stop + reach))
    zone = drawn.zone[part]
    slivers = np.argwhere(_between_zones(zone, half))
    x, y = drawn.centres(slivers[:, 0] + top, slivers[:, 1] + left)
    slivers = slivers[~_may_be_covered(x, y, drawn.zones, tile_size_m)]
    if not len(slivers):
        return
    at, source = tuple(slivers.T), tuple(_nearest(slivers, zone, reach).T)
    pixels = drawn.pixels[(slice(None), *part)]
    pixels[:, *at] = pixels[:, *source]
    zone[at] = zone[source]


def _between_zones(zone: np.ndarray, half: int) -> np.ndarray:
    """Find the pixels without data that have pixels of two zones on opposite sides."""
    from scipy.ndimage import maximum_filter1d

    between = np.zeros(zone.shape, dtype=bool)
    for axis in (0, 1):
        one, other = (
            maximum_filter1d(zone, 2 * half + 1, axis=axis, mode="constant", origin=shift)
            for shift in (half, -half)
        )
        between |= (one != other) & (one > 0) & (other > 0)
    between &= zone == 0
    return between


def _may_be_covered(
    x: np.ndarray, y: np.ndarray, zones: Sequence[int], tile_size_m: float
) -> np.ndarray:
    """Find the points that lie in a place of a zone's grid, whether there is a tile or not."""
    covered = np.zeros(len(x), dtype=bool)
    for epsg in zones:
        grid = TileGrid(epsg, tile_size_m)
        to_zone = Transformer.from_crs(zones[0], epsg, always_xy=True)
        points = np.stack(to_zone.transform(x, y))
        places, place = np.unique(np.stack(grid.cell_of(*points)), axis=1, return_inverse=True)
        covered |= belongs_to_grid(places[0], places[1], grid)[place]
    return covered


def _nearest(slivers: np.ndarray, zone: np.ndarray, reach: int) -> np.ndarray:
    """Find the pixel with data that is nearest to each of some pixels: row and column."""
    from scipy.ndimage import maximum_filter
    from scipy.spatial import cKDTree

    marked = np.zeros(zone.shape, dtype=bool)
    marked[tuple(slivers.T)] = True
    near = maximum_filter(marked, 2 * reach + 1, mode="constant")
    found = np.argwhere(near & (zone > 0))
    _, position = cKDTree(found).query(slivers)
    chosen: np.ndarray = found[position]
    return chosen
