"""Cells for tiles that lie on no grid of ours: a grid is laid through the tiles themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from affine import Affine
from pyproj import Transformer
from scipy.spatial import cKDTree

# Corners given in degrees are rounded: tiles and their distances differ by centimetres.
_ON_GRID = 1e-6
_NEIGHBOUR = 0.25
# A cell's centre must lie this far (in cells) inside a tile that already has a cell of its own,
# so that centimetres do not double it.
_MARGIN = 1e-3


@dataclass(frozen=True)
class CellGrid:
    """A grid of equal cells; columns and rows count upwards from the origin.

    Parameters
    ----------
    x0, y0
        Its origin, in metres of its CRS.
    step_x, step_y
        Sides of a cell in metres.
    """

    x0: float
    y0: float
    step_x: float
    step_y: float

    def position(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points in cells from the origin, float64."""
        return (x - self.x0) / self.step_x, (y - self.y0) / self.step_y

    def point(self, col: float | np.ndarray, row: float | np.ndarray) -> tuple[Any, Any]:
        """Points in metres, from cells; numbers or arrays."""
        return self.x0 + col * self.step_x, self.y0 + row * self.step_y

    def transform(self, first_col: int, top: int) -> Affine:
        """Transform from pixels of a raster to metres, for its left and upper edge in cells."""
        left, upper = self.point(first_col, top)
        return Affine(self.step_x, 0, left, 0, -self.step_y, upper)


def is_on_global_grid(tiles: pd.DataFrame) -> bool:
    """Say whether tiles (``xmin, ymin, xmax, ymax``) are squares of the fixed global grid."""
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
    x, y = _centres(tiles)
    width = float((tiles["xmax"] - tiles["xmin"]).median())
    height = float((tiles["ymax"] - tiles["ymin"]).median())
    scaled = np.stack([x / width, y / height], axis=-1)
    tree = cKDTree(scaled)
    step_x = _mean_step(scaled, tree, 0, x) or width
    step_y = _mean_step(scaled, tree, 1, y) or height
    return CellGrid(_origin(x, step_x), _origin(y, step_y), step_x, step_y)


def _mean_step(scaled: np.ndarray, tree: cKDTree, axis: int, values: np.ndarray) -> float | None:
    """Mean distance from a tile to the next one along an axis; None where none has a next."""
    ahead = scaled + np.eye(2)[axis]
    distance, neighbour = tree.query(ahead, distance_upper_bound=_NEIGHBOUR)
    found = np.isfinite(distance)
    if not found.any():
        return None
    return float((values[neighbour[found]] - values[found]).mean())


def _origin(centres: np.ndarray, step: float) -> float:
    """Edge of a cell such that centres lie in the middle of cells: their mean on a circle."""
    first = float(centres.min())
    angles = 2 * np.pi * (centres - first) / step
    phase = float(np.angle(np.exp(1j * angles).mean())) / (2 * np.pi)
    return first + (phase - 0.5) * step


def cells_on_own_grid(tiles: pd.DataFrame, epsg: int, grid: CellGrid) -> pd.DataFrame:
    """Cells of the grid and the tile that each shows.

    The cell in which a tile's centre lies is its own; of several tiles the nearest has it. Then
    the cells between, whose centre a tile covers, are filled: where tiles are larger than a cell,
    or turned against the grid as those of another zone are.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax``.
    epsg
        CRS of the grid.
    grid
        The grid.

    Returns
    -------
    pandas.DataFrame
        ``col, row, tile``; ``tile`` is a label of the tiles' index. Each cell appears once.
    """
    parts = []
    for zone in sorted(set(tiles["epsg"].astype(int))):
        rows = tiles[tiles["epsg"] == zone]
        parts.append(_claims(rows, Transformer.from_crs(zone, epsg, always_xy=True), grid))
    claims = pd.concat(parts).sort_values(["fill", "distance"], kind="stable")
    cells = claims.drop_duplicates(["col", "row"]).reset_index(drop=True)
    return pd.DataFrame(cells[["col", "row", "tile"]])


def _claims(tiles: pd.DataFrame, to_grid: Transformer, grid: CellGrid) -> pd.DataFrame:
    """Cells that tiles of one zone may have: ``col, row, tile, fill, distance`` (in cells)."""
    x, y = _centres(tiles)
    along, across = grid.position(*to_grid.transform(x, y))
    half_x = ((tiles["xmax"] - tiles["xmin"]) / 2).to_numpy() - _MARGIN * grid.step_x
    half_y = ((tiles["ymax"] - tiles["ymin"]) / 2).to_numpy() - _MARGIN * grid.step_y
    reach = int(np.ceil(max(half_x.max() / grid.step_x, half_y.max() / grid.step_y) + 0.5))
    found: list[pd.DataFrame] = []
    for dx in range(-reach, reach + 1):
        for dy in range(-reach, reach + 1):
            col, row = np.floor(along) + dx, np.floor(across) + dy
            is_own = dx == dy == 0
            back_x, back_y = to_grid.transform(
                *grid.point(col + 0.5, row + 0.5), direction="INVERSE"
            )
            covered = (abs(back_x - x) <= half_x) & (abs(back_y - y) <= half_y) | is_own
            distance = np.hypot(col + 0.5 - along, row + 0.5 - across)
            cells = {"col": col.astype(int), "row": row.astype(int), "tile": tiles.index}
            found.append(pd.DataFrame(cells).assign(fill=not is_own, distance=distance)[covered])
    return pd.concat(found, ignore_index=True)


def _centres(tiles: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    x = ((tiles["xmin"] + tiles["xmax"]) / 2).to_numpy()
    y = ((tiles["ymin"] + tiles["ymax"]) / 2).to_numpy()
    return x, y
