"""Cells that tiles have on a map: on the fixed global grid, or on one laid through the tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pyproj import Transformer

from aerial_kedro.tiles.grid import CellGrid
from aerial_kedro.tiles.squares import centres

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

# Corners given in degrees are rounded: tiles and their distances differ by centimetres.
_ON_GRID = 1e-6
_NEIGHBOUR = 0.25
# A cell's centre must lie this far (in cells) inside a tile that already has a cell of its own,
# so that centimetres do not double it.
_MARGIN = 1e-3


def is_on_global_grid(tiles: pd.DataFrame) -> bool:
    """Return whether tiles (``xmin, ymin, xmax, ymax``) are squares of the fixed global grid."""
    size = float((tiles["xmax"] - tiles["xmin"]).iloc[0])
    edges = tiles[["xmin", "ymin", "xmax", "ymax"]].to_numpy() / size
    sides = edges[:, 2:] - edges[:, :2]
    return bool((abs(edges - edges.round()) < _ON_GRID).all() and (abs(sides - 1) < _ON_GRID).all())


def fit_grid(tiles: pd.DataFrame) -> CellGrid:
    """Lay a grid through tiles: as wide as from one to the next, with their centres in its cells'.

    Where no tile touches another, a cell is of the tiles' median size.

    Parameters
    ----------
    tiles
        ``xmin, ymin, xmax, ymax`` in one CRS.
    """
    from scipy.spatial import cKDTree

    x, y = centres(tiles)
    width = float((tiles["xmax"] - tiles["xmin"]).median())
    height = float((tiles["ymax"] - tiles["ymin"]).median())
    scaled = np.stack([x / width, y / height], axis=-1)
    tree = cKDTree(scaled)
    step_x = _mean_step(scaled, tree, 0, x) or width
    step_y = _mean_step(scaled, tree, 1, y) or height
    return CellGrid(step_x, step_y, _origin(x, step_x), _origin(y, step_y))


def _mean_step(scaled: np.ndarray, tree: cKDTree, axis: int, values: np.ndarray) -> float | None:
    """Mean distance from a tile to the next one along an axis; None where none has a next."""
    ahead = scaled + np.eye(2)[axis]
    distance, neighbour = tree.query(ahead, distance_upper_bound=_NEIGHBOUR)
    found = np.isfinite(distance)
    if not found.any():
        return None
    return float((values[neighbour[found]] - values[found]).mean())


def _origin(middles: np.ndarray, step: float) -> float:
    """Edge of a cell such that tiles lie in the middle of cells: their mean on a circle."""
    first = float(middles.min())
    angles = 2 * np.pi * (middles - first) / step
    phase = float(np.angle(np.exp(1j * angles).mean())) / (2 * np.pi)
    return first + (phase - 0.5) * step


def cells_on_grid(tiles: pd.DataFrame, epsg: int, grid: CellGrid, *, is_own: bool) -> pd.DataFrame:
    """Cells of a grid and the tile that each shows.

    A tile is shown by the cells whose centre it covers. On a grid laid through the tiles, the cell
    in which a tile's centre lies is its own as well; of several tiles the nearest has it. The
    cells between are filled where tiles are larger than a cell, or turned against the grid as
    those of another zone are.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax``.
    epsg
        CRS of the grid.
    grid
        The grid.
    is_own
        Whether the grid was laid through the tiles (`fit_grid`), rather than being the fixed
        global grid, which they fit exactly.

    Returns
    -------
    pandas.DataFrame
        ``col, row, tile``; ``tile`` is a label of the tiles' index. Each cell appears once.
    """
    parts = []
    for zone in sorted(set(tiles["epsg"].astype(int))):
        rows = tiles[tiles["epsg"] == zone]
        to_grid = Transformer.from_crs(zone, epsg, always_xy=True)
        parts.append(_claims(rows, to_grid, grid, is_own))
    claims = pd.concat(parts).sort_values(["fill", "distance"], kind="stable")
    cells = claims.drop_duplicates(["col", "row"]).reset_index(drop=True)
    return pd.DataFrame(cells[["col", "row", "tile"]])


def _claims(
    tiles: pd.DataFrame, to_grid: Transformer, grid: CellGrid, is_own: bool
) -> pd.DataFrame:
    """Cells that tiles of one zone may have: ``col, row, tile, fill, distance`` (in cells)."""
    x, y = centres(tiles)
    along, across = grid.position(*to_grid.transform(x, y))
    margin = _MARGIN if is_own else 0.0
    half_x = ((tiles["xmax"] - tiles["xmin"]) / 2).to_numpy() - margin * grid.step_x
    half_y = ((tiles["ymax"] - tiles["ymin"]) / 2).to_numpy() - margin * grid.step_y
    reach = int(np.ceil(max(half_x.max() / grid.step_x, half_y.max() / grid.step_y) + 0.5))
    found: list[pd.DataFrame] = []
    for col, row, back_x, back_y, holds in grid.cells_around(x, y, to_grid, reach):
        first = is_own and holds
        covered = (abs(back_x - x) <= half_x) & (abs(back_y - y) <= half_y) | first
        distance = np.hypot(col + 0.5 - along, row + 0.5 - across)
        cells = {"col": col.astype(int), "row": row.astype(int), "tile": tiles.index}
        found.append(pd.DataFrame(cells).assign(fill=not first, distance=distance)[covered])
    return pd.concat(found, ignore_index=True)
