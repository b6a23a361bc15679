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
        That part of the cell as a polygon; None for a point.
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
        # A part's own area and share tell the cell's area.
        one = members[np.searchsorted(of_key[members], keys)]
        return np.asarray(united * self.share[one] / shapely.area(self.part[one]))


def touch_cells(
    places: pd.DataFrame, shapes: np.ndarray, place: np.ndarray, label: np.ndarray,
    to_zone: Transformer,
) -> Touches:  # fmt: skip
    """Find what polygons cover of the cells of tiles near them.

    Parameters
    ----------
    places
        ``xmin, ymin, xmax, ymax`` of tiles of one zone.
    shapes
        All labels in degrees.
    place, label
        Pairs to look at: positions of tiles and of polygons that may meet, ``(pairs,)``.
    to_zone
        From degrees to the tiles' CRS.
    """
    needed, at = np.unique(label, return_inverse=True)
    corners = shapely.get_coordinates(shapes[needed])
    projected = np.stack(to_zone.transform(*corners.T), axis=1)
    polygons = shapely.set_coordinates(shapes[needed], projected)
    polygons, _ = mend_polygons(polygons)  # projecting may make neighbouring corners meet
    shapely.prepare(polygons)
    pair, cell = _cells_near(places, place, shapely.bounds(polygons)[at])
    place, label, polygons = place[pair], label[pair], polygons[at[pair]]
    squares = shapely.box(*squares_of_cells(places.iloc[place], cell).T)
    share, part = np.ones(len(pair)), squares.copy()
    cut = np.flatnonzero(~shapely.covers(polygons, squares))
    part[cut] = shapely.intersection(polygons[cut], squares[cut])
    share[cut] = shapely.area(part[cut]) / shapely.area(squares[cut])
    found = Touches(place, cell, label, share, part)
    return found.chosen(share > _TOUCHING)


def _cells_near(
    places: pd.DataFrame, place: np.ndarray, bounds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cells that the bounds of each pair's polygon touch: position of the pair, and the cell."""
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
    return pair, row * SIDE + column
