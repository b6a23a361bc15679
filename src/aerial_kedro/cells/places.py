"""Where the cells of tiles are, and what they are called."""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import Transformer

from aerial_kedro.cells.grid import COUNT, SIDE

ID_COLUMN = "cell_id"
"""Column of a cell's name: the tile's, and the number of the cell in it, as ``…#07``."""

_NAME = re.compile(r"(.+)#(\d\d)")


def name_cells_of_tiles(tile_ids: np.ndarray, numbers: np.ndarray) -> list[str]:
    """Name cells.

    Parameters
    ----------
    tile_ids
        Tile of each cell.
    numbers
        Number of each cell in its tile, 0–48, row by row from the north-west.

    Examples
    --------
    >>> name_cells_of_tiles(np.array(["z17-3-9"]), np.array([7]))
    ['z17-3-9#07']
    """
    return [f"{tile}#{number:02d}" for tile, number in zip(tile_ids, numbers, strict=True)]


def split_cell_ids(cell_ids: Iterable[str]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Take the names of cells apart, as `name_cells_of_tiles` makes them.

    Returns
    -------
    tile_ids : numpy.ndarray
        Tile of each cell, ``(cells,)``.
    numbers : numpy.ndarray
        Number of each in its tile, 0–48, int64, ``(cells,)``.

    Raises
    ------
    ValueError
        If a name is not ``<tile_id>#<number>`` with a number from 00 to 48.

    Examples
    --------
    >>> split_cell_ids(["z17-3-9#07"])
    (array(['z17-3-9'], dtype=object), array([7]))
    """
    tiles, numbers = [], []
    for cell_id in cell_ids:
        found = _NAME.fullmatch(cell_id)
        if not found or int(found[2]) >= COUNT:
            raise ValueError(
                f"A cell is named <tile_id>#<number>, with a number from 00 to {COUNT - 1}, not "
                f"{cell_id!r}."
            )
        tiles.append(found[1])
        numbers.append(int(found[2]))
    return np.array(tiles, dtype=object), np.array(numbers, dtype=np.int64)


def squares_of_cells(tiles: pd.DataFrame, numbers: np.ndarray) -> np.ndarray:
    """Find the squares that cells cover.

    Parameters
    ----------
    tiles
        A row a cell: ``xmin, ymin, xmax, ymax`` of its tile, in metres.
    numbers
        Number of each cell in its tile.

    Returns
    -------
    numpy.ndarray
        float64, ``(cells, 4)``: xmin, ymin, xmax, ymax of the cell in the CRS of its tile.

    Examples
    --------
    The north-western cell of a tile of 224 m:

    >>> tile = pd.DataFrame({"xmin": [0.0], "ymin": [0.0], "xmax": [224.0], "ymax": [224.0]})
    >>> squares_of_cells(tile, np.array([0])).tolist()
    [[0.0, 192.0, 32.0, 224.0]]
    """
    row, column = np.divmod(np.asarray(numbers), SIDE)
    xmin, ymin, xmax, ymax = (
        tiles[name].to_numpy(float) for name in ("xmin", "ymin", "xmax", "ymax")
    )
    wide, high = (xmax - xmin) / SIDE, (ymax - ymin) / SIDE
    west, north = xmin + column * wide, ymax - row * high
    return np.stack([west, north - high, west + wide, north], axis=1)


def centres_of_cells(tiles: pd.DataFrame, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the centres of cells in degrees (EPSG:4326): longitudes and latitudes, ``(cells,)``.

    Parameters
    ----------
    tiles
        A row a cell: ``epsg, xmin, ymin, xmax, ymax`` of its tile.
    numbers
        Number of each cell in its tile.
    """
    west, south, east, north = squares_of_cells(tiles, numbers).T
    x, y = (west + east) / 2, (south + north) / 2
    lon, lat = np.empty(len(x)), np.empty(len(x))
    zones = tiles["epsg"].to_numpy()
    for epsg in np.unique(zones):
        here = zones == epsg
        to_degrees = Transformer.from_crs(int(epsg), 4326, always_xy=True)
        lon[here], lat[here] = to_degrees.transform(x[here], y[here])
    return lon, lat
