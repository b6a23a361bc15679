"""How much of the cells of tiles polygons cover."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from aerial_kedro.cells.grid import COUNT, SIDE
from aerial_kedro.cells.places import squares_of_cells
from aerial_kedro.tiles.shapes import mend_polygons

# What covers a smaller share of a cell only touches its border.
_TOUCHING = 1e-9
_MOST_CLASSES = 256


@dataclass(frozen=True)
class Touches:
    """Which labels touch which cells.

    Parameters
    ----------
    place
        Position of the tile, int, ``(touches,)``.
    cell
        Number of the cell in it (0–48).
    label
        Position of the label.
    share
        Share of the cell that the label covers; 1 for a point.
    part
        That part of the cell as a polygon; None for a point, and where the share is too small to
        matter.
    """

    place: np.ndarray
    cell: np.ndarray
    label: np.ndarray
    share: np.ndarray
    part: np.ndarray

    @classmethod
    def joined(cls, first: Self, second: Self) -> Self:
        """Put two sets together."""
        return cls(
            np.concatenate([first.place, second.place]),
            np.concatenate([first.cell, second.cell]),
            np.concatenate([first.label, second.label]),
            np.concatenate([first.share, second.share]),
            np.concatenate([first.part, second.part]),
        )

    def chosen(self, which: np.ndarray) -> "Touches":
        """Take some: a mask or positions."""
        return Touches(
            self.place[which], self.cell[which], self.label[which], self.share[which],
            self.part[which],
        )  # fmt: skip

    def shares_by_class(
        self, classes: np.ndarray, enough: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Share of each cell that the labels of each class cover together.

        Parameters
        ----------
        classes
            Class of each touch, 1 to 255, int64.
        enough
            Share that matters: a smaller one may be given too large, where labels overlap.

        Returns
        -------
        place, cell, class, share : numpy.ndarray
            ``(n,)`` each, sorted; what labels of a class cover twice counts once.
        """
        key = (self.place * COUNT + self.cell) * _MOST_CLASSES + classes
        keys, of_key, count = np.unique(key, return_inverse=True, return_counts=True)
        share = np.bincount(of_key, self.share, minlength=len(keys))
        largest = np.zeros(len(keys))
        np.maximum.at(largest, of_key, self.share)
        # Only where parts overlap can the sum differ, and only where it is enough does it matter.
        unsure = (count > 1) & (share >= enough - _TOUCHING) & (largest < 1 - _TOUCHING)
        share[unsure] = self._united(of_key, np.flatnonzero(unsure))
        found, value = np.divmod(keys, _MOST_CLASSES)
        return found // COUNT, found % COUNT, value, share.clip(max=1)

    def _united(self, of_key: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """Share of the cell that the parts of each key cover together."""
        if not len(keys):
            return np.empty(0)
        members = np.flatnonzero(np.isin(of_key, keys))
        members = members[np.argsort(of_key[members], kind="stable")]
        parts, whose = shapely.get_parts(self.part[members], return_index=True)
        areas = shapely.area(parts) > 0
        whose = np.searchsorted(keys, of_key[members][whose])
        bundles = np.asarray(shapely.multipolygons(parts[areas], indices=whose[areas]))
        united = shapely.area(shapely.union_all(bundles[:, None], axis=1))
        # A part's own area and share give the cell's area.
        one = members[np.searchsorted(of_key[members], keys)]
        return np.asarray(united * self.share[one] / shapely.area(self.part[one]))


@dataclass(frozen=True)
class Near:
    """Tiles and polygons that may meet.

    Parameters
    ----------
    place, label
        Position of the tile and of the label, int, ``(pairs,)``.
    shape, classes
        The label's polygon in degrees, and its class (1 to 255, int64).
    """

    place: np.ndarray
    label: np.ndarray
    shape: np.ndarray
    classes: np.ndarray


def touch_cells(
    places: pd.DataFrame,
    near: Near,
    to_zone: Transformer,
    enough: float,
) -> Touches:
    """Find what polygons cover of the cells of tiles near them.

    Parameters
    ----------
    places
        ``xmin, ymin, xmax, ymax`` of tiles of one zone.
    near
        Tiles and polygons that may meet.
    to_zone
        From degrees to the tiles' CRS.
    enough
        Share of a cell that matters: what polygons of a class cannot reach together is not
        measured, and their shares are given too large, though not as large as this.
    """
    needed, first, at = np.unique(near.label, return_index=True, return_inverse=True)
    polygons = _projected(near.shape[first], to_zone)
    shapely.prepare(polygons)
    pair, cell, overlap = _cells_near(places, near.place, shapely.bounds(polygons)[at])
    place, shape = near.place[pair], at[pair]
    squares = squares_of_cells(places.iloc[place], cell)
    whole = (squares[:, 2] - squares[:, 0]) * (squares[:, 3] - squares[:, 1])
    # No polygon covers more of a cell than its own area, nor than its bounds do.
    share = np.minimum(shapely.area(polygons)[shape] / whole, overlap)
    key = (place * COUNT + cell) * _MOST_CLASSES + near.classes[pair]
    _, of_key = np.unique(key, return_inverse=True)
    matters = np.bincount(of_key, share)[of_key] >= enough - _TOUCHING
    part = np.full(len(share), None, dtype=object)
    part[matters] = _parts(polygons[shape[matters]], squares[matters], overlap[matters])
    share[matters] = shapely.area(part[matters]) / whole[matters]
    rest = np.flatnonzero(~matters)
    met = shapely.intersects(polygons[shape[rest]], shapely.box(*squares[rest].T))
    share[rest[~met]] = 0
    return Touches(place, cell, needed[shape], share, part).chosen(share > _TOUCHING)


def _projected(shapes: np.ndarray, to_zone: Transformer) -> np.ndarray:
    corners = shapely.get_coordinates(shapes)
    projected = np.stack(to_zone.transform(*corners.T), axis=1)
    # Projecting may make neighbouring corners meet.
    polygons, _ = mend_polygons(shapely.set_coordinates(shapes.copy(), projected))
    return polygons


def _parts(polygons: np.ndarray, squares: np.ndarray, overlap: np.ndarray) -> np.ndarray:
    """Parts of squares that polygons cover; without cutting what covers all or lies inside."""
    boxes = shapely.box(*squares.T)
    found = np.array(boxes, dtype=object)
    west, south, east, north = shapely.bounds(polygons).T
    inside = (west >= squares[:, 0]) & (south >= squares[:, 1])
    inside &= (east <= squares[:, 2]) & (north <= squares[:, 3])
    found[inside] = polygons[inside]
    may_cover = np.flatnonzero(~inside & (overlap > 1 - _TOUCHING))
    covers = may_cover[shapely.covers(polygons[may_cover], boxes[may_cover])]
    cut = ~inside
    cut[covers] = False
    found[cut] = shapely.intersection(polygons[cut], boxes[cut])
    return found


def _cells_near(
    places: pd.DataFrame, place: np.ndarray, bounds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells that the bounds of each pair's polygon overlap.

    Returns the position of the pair, the cell, and the share of the cell that lies in the bounds.
    """
    xmin, ymin, xmax, ymax = (
        places[name].to_numpy(float)[place] for name in ("xmin", "ymin", "xmax", "ymax")
    )
    west, east = ((bounds[:, i] - xmin) / (xmax - xmin) * SIDE for i in (0, 2))
    north, south = ((ymax - bounds[:, i]) / (ymax - ymin) * SIDE for i in (3, 1))
    meets = (west < SIDE) & (east > 0) & (north < SIDE) & (south > 0)
    first_column, last_column, first_row, last_row = (
        np.floor(each).clip(0, SIDE - 1).astype(int) for each in (west, east, north, south)
    )
    wide = last_column - first_column + 1
    count = np.where(meets, wide * (last_row - first_row + 1), 0)
    pair = np.repeat(np.arange(len(place)), count)
    step = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    row, column = first_row[pair] + step // wide[pair], first_column[pair] + step % wide[pair]
    across = np.minimum(east[pair], column + 1) - np.maximum(west[pair], column)
    down = np.minimum(south[pair], row + 1) - np.maximum(north[pair], row)
    return pair, row * SIDE + column, across.clip(min=0) * down.clip(min=0)
