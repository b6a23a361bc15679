"""The fixed global tile grid: the same place has the same ``tile_id`` in every scene and year."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pyproj import CRS, Transformer

# NAD83 / UTM exists for the zones of North America only.
_LAST_NAD83_ZONE = 23
# First digits of the EPSG codes of WGS 84 / UTM south.
_SOUTHERN = 327
# Cells within which a tile can meet one of the neighbouring zone.
_BORDER_CELLS = 3


def utm_zone(lon: float) -> int:
    """Return the number of the UTM zone that a longitude lies in.

    Examples
    --------
    >>> utm_zone(-78.001), utm_zone(-77.999)
    (17, 18)
    """
    return int((lon + 180.0) // 6.0) % 60 + 1


def zone_epsg(zone: int, *, northern: bool = True) -> int:
    """EPSG code of the grid's CRS in a UTM zone: NAD83 where it is defined, else WGS 84.

    Examples
    --------
    >>> zone_epsg(18), zone_epsg(33), zone_epsg(33, northern=False)
    (26918, 32633, 32733)
    """
    if northern and zone <= _LAST_NAD83_ZONE:
        return 26900 + zone
    return (32600 if northern else 32700) + zone


@functools.lru_cache(maxsize=64)
def transformer_between(crs: int | str, epsg: int) -> Transformer:
    """Keep transformers, which take milliseconds to make: a county's scenes share one CRS.

    Parameters
    ----------
    crs
        The CRS to start from: its EPSG code, or WKT.
    epsg
        EPSG code of the other one. Coordinates are x before y, longitude before latitude.
    """
    return Transformer.from_crs(CRS.from_user_input(crs), epsg, always_xy=True)


def zones_of(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """EPSG codes of the grid's CRS at points in degrees, int, ``(n,)``."""
    return np.array(
        [zone_epsg(utm_zone(x), northern=y >= 0) for x, y in zip(lon, lat, strict=True)], dtype=int
    )


def transform_zones(
    epsgs: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    crs: int | str | CRS,
    direction: Literal["FORWARD", "INVERSE"] = "FORWARD",
) -> tuple[np.ndarray, np.ndarray]:
    """Transform points between zones' CRSs and a common CRS.

    Parameters
    ----------
    epsgs
        EPSG code of each point's zone, ``(n,)``.
    x, y
        Coordinates of one or more points for each, ``(n, …)``.
    crs
        The common CRS.
    direction
        From the zones to the common CRS, or the inverse.

    Returns
    -------
    tuple of numpy.ndarray
        The coordinates, float64, each ``(n, …)``.
    """
    found = np.empty(x.shape), np.empty(y.shape)
    for epsg in np.unique(epsgs):
        own = epsgs == epsg
        to_common = Transformer.from_crs(int(epsg), crs, always_xy=True)
        found[0][own], found[1][own] = to_common.transform(x[own], y[own], direction=direction)
    return found


@dataclass(frozen=True)
class CellGrid:
    """A grid of equal cells; columns and rows count upwards from the origin.

    Parameters
    ----------
    step_x, step_y
        Sides of a cell in metres.
    x0, y0
        Its origin, in metres of its CRS.
    """

    step_x: float
    step_y: float
    x0: float = 0.0
    y0: float = 0.0

    def position(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points in cells from the origin, float64."""
        return (x - self.x0) / self.step_x, (y - self.y0) / self.step_y

    def point(self, col: float | np.ndarray, row: float | np.ndarray) -> tuple[Any, Any]:
        """Points in metres, from cells; numbers or arrays."""
        return self.x0 + col * self.step_x, self.y0 + row * self.step_y

    def cells_around(
        self, x: np.ndarray, y: np.ndarray, to_grid: Transformer, reach: int = 1
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool]]:
        """Walk through the cells around points that are given in another CRS.

        Parameters
        ----------
        x, y
            Points, ``(n,)``, in the source CRS of ``to_grid``.
        to_grid
            Transformer to the CRS of this grid.
        reach
            Number of cells to each side of the cell that holds the point.

        Yields
        ------
        tuple
            For each of ``(2 * reach + 1) ** 2`` steps: column and row of a cell and ``x, y`` of its
            centre in the points' CRS, each ``(n,)``; and whether the cells hold the points.
        """
        at_col, at_row = (np.floor(each) for each in self.position(*to_grid.transform(x, y)))
        for right, up in itertools.product(range(-reach, reach + 1), repeat=2):
            col, row = at_col + right, at_row + up
            centre = self.point(col + 0.5, row + 0.5)
            yield col, row, *to_grid.transform(*centre, direction="INVERSE"), right == up == 0


@dataclass(frozen=True)
class TileGrid:
    """Squares of ``tile_size_m`` metres, anchored at the origin of a UTM zone.

    Parameters
    ----------
    epsg
        EPSG code of the zone's CRS.
    tile_size_m
        Side of a tile in metres.

    Examples
    --------
    >>> grid = TileGrid(epsg=26918, tile_size_m=224.0)
    >>> cols, rows = grid.cell_of(np.array([500_000.0]), np.array([4_040_000.0]))
    >>> grid.tile_id(int(cols[0]), int(rows[0]))
    'e26918_s224_x2232_y18035'
    >>> grid.bounds(2232, 18035)
    (499968.0, 4039840.0, 500192.0, 4040064.0)
    """

    epsg: int
    tile_size_m: float

    def cell_of(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Column and row (both count upwards from the origin) of points in CRS units."""
        return (
            np.floor(x / self.tile_size_m).astype(np.int64),
            np.floor(y / self.tile_size_m).astype(np.int64),
        )

    def bounds(self, col: Any, row: Any) -> tuple[Any, Any, Any, Any]:
        """``(xmin, ymin, xmax, ymax)`` of tiles in CRS units; numbers, arrays or columns."""
        size = self.tile_size_m
        return (col * size, row * size, (col + 1) * size, (row + 1) * size)

    def tile_id(self, col: int, row: int) -> str:
        """Name of a place, in letters, digits and ``_`` alone (``n`` marks a negative number)."""
        return f"e{self.epsg}_s{_plain(self.tile_size_m)}_x{_plain(col)}_y{_plain(row)}"


def belongs_to_grid(cols: np.ndarray, rows: np.ndarray, grid: TileGrid) -> np.ndarray:
    """Find the cells that are places of this grid, so that zones meet without a doubled place.

    A place belongs to the zone of its centre. Two zones' grids meet at an angle, though, so that
    squares overlap along the border: where the centre of one lies in the other, the western
    zone's stays.

    Parameters
    ----------
    cols, rows
        Cells of the grid, ``(n,)``.
    grid
        The zone's grid.

    Returns
    -------
    numpy.ndarray
        Bool, ``(n,)``.
    """
    own: np.ndarray = _grids_of(cols, rows, grid) == grid.epsg
    # Only cells near the zone's western border can meet a tile of the zone beyond it.
    near = own & (_grids_of(cols - _BORDER_CELLS, rows, grid) != grid.epsg)
    if near.any():
        own[near] &= ~_doubled_in_the_west(cols[near], rows[near], grid)
    return own


def _doubled_in_the_west(cols: np.ndarray, rows: np.ndarray, grid: TileGrid) -> np.ndarray:
    """Find the cells that hold the centre of a western place, or whose centre lies in one."""
    northern = grid.epsg // 100 != _SOUTHERN
    west = TileGrid(zone_epsg((grid.epsg % 100 - 2) % 60 + 1, northern=northern), grid.tile_size_m)
    to_west = transformer_between(grid.epsg, west.epsg)
    size = grid.tile_size_m
    x, y = (cols + 0.5) * size, (rows + 0.5) * size
    doubled = np.zeros(len(cols), dtype=bool)
    around = CellGrid(size, size).cells_around(x, y, to_west)
    for col, row, back_x, back_y, holds in around:
        back_col, back_row = grid.cell_of(back_x, back_y)
        meets = (back_col == cols) & (back_row == rows) | holds
        doubled |= meets & (_grids_of(col, row, west) == west.epsg)
    return doubled


def _grids_of(cols: np.ndarray, rows: np.ndarray, grid: TileGrid) -> np.ndarray:
    """EPSG code of the zone and hemisphere that each cell's centre lies in."""
    to_degrees = transformer_between(grid.epsg, 4326)
    size = grid.tile_size_m
    return zones_of(*to_degrees.transform((cols + 0.5) * size, (rows + 0.5) * size))


def block_id(epsg: int, x: float, y: float, block_size_m: float) -> str:
    """Name of the spatial block that a point lies in (same anchor as the tile grid)."""
    col, row = int(x // block_size_m), int(y // block_size_m)
    return f"e{epsg}_b{_plain(block_size_m)}_x{_plain(col)}_y{_plain(row)}"


def _plain(number: float) -> str:
    return f"{number:.12g}".replace("-", "n").replace(".", "p").replace("+", "")
