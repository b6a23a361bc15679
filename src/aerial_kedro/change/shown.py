"""What the maps of the last two years show of each cell, and the strata that this makes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aerial_kedro.accuracy.sampling import CHANGE
from aerial_kedro.cells.grid import COUNT, SIDE
from aerial_kedro.cells.places import split_cell_ids
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.maps.fine import shown_cells
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.maps.patches import PatchRules, patches_of_change

_PLACE = ["tile_id", "epsg", "xmin", "ymin", "xmax", "ymax"]


@dataclass(frozen=True)
class ShownMap:
    """What the maps show, a row a place.

    Parameters
    ----------
    places
        ``tile_id, epsg, xmin, ymin, xmax, ymax``, in the order of ``tile_id``.
    classes
        Classes of the map, by value from 1; the value after them is `UNSURE`.
    shown
        Year to what its map shows, ``(places, 49)`` uint8, 0 where it has no map: the last two
        years of the maps, or the only one.
    changed
        Whether each cell lies in a patch of change between the two years, ``(places, 49)``.
    colours
        Colours that the user gave classes, class to ``#rrggbb``.
    """

    places: pd.DataFrame
    classes: list[str]
    shown: dict[int, NDArray[np.uint8]]
    changed: NDArray[np.bool_]
    colours: dict[str, str] = field(default_factory=dict)

    @property
    def years(self) -> list[int]:
        """The years, in order."""
        return list(self.shown)

    @property
    def names(self) -> list[str]:
        """Name of each value, from 0 on."""
        return ["", *self.classes, UNSURE]

    @property
    def cell_area_m2(self) -> float:
        """Ground that a cell covers."""
        sides = (self.places["xmax"] - self.places["xmin"]).median()
        return float(sides / SIDE) ** 2

    def areas_km2(self, year: int) -> dict[str, float]:
        """Measure what the map of a year shows of each class."""
        counts = np.bincount(self.shown[year].ravel(), minlength=len(self.names))
        km2 = self.cell_area_m2 / 1e6
        return {name: float(counts[value] * km2) for value, name in enumerate(self.classes, 1)}

    @cached_property
    def key(self) -> str:
        """Sixteen digits that name what the maps show."""
        digest = hashlib.sha256("\n".join([*self.classes, *self.places["tile_id"]]).encode())
        for year, values in self.shown.items():
            digest.update(str(year).encode() + values.tobytes())
        digest.update(np.packbits(self.changed).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def strata(self) -> tuple[list[str], NDArray[np.uint8]]:
        """Names of the strata, and the position of each cell's, ``(places, 49)``.

        Mapped change is one; of the rest, what the map of the last year shows that has the cell.
        """
        change = CHANGE if CHANGE not in self.classes else f"mapped {CHANGE}"
        codes = np.zeros((len(self.places), COUNT), np.uint8)
        for values in self.shown.values():
            codes = np.where(values > 0, values, codes)
        codes[self.changed] = len(self.names)
        return [*self.names, change], codes

    def at(self, cells: pd.DataFrame, year: int) -> NDArray[np.object_]:
        """Give what the map of a year shows of some cells, by name; empty where it has none.

        Parameters
        ----------
        cells
            ``place, number``: row in ``places``, and number of the cell in its tile.
        year
            One of the years.
        """
        names = np.array(self.names, dtype=object)
        found: NDArray[np.object_] = names[self.shown[year][cells["place"], cells["number"]]]
        return found

    def find(self, cell_ids: Sequence[str]) -> pd.DataFrame:
        """Find cells by their names: ``place, number``, as `at` takes them.

        Raises
        ------
        AerialError
            If a cell is not on the map.
        """
        tile_ids, numbers = split_cell_ids(cell_ids)
        row_of = pd.Series(np.arange(len(self.places)), index=self.places["tile_id"])
        places = pd.Series(tile_ids, dtype=object).map(row_of)
        if places.isna().any():
            first = list(cell_ids)[int(np.flatnonzero(places.isna())[0])]
            raise AerialError(
                f"{int(places.isna().sum())} of the {len(places)} cells of the reference sample "
                f"are not on the map any more ({first} and others): the map that is there now is "
                "of other scenes. Make the map of the sample's scenes again (`kedro run` with "
                "their scenes_root), or draw a sample of this one."
            )
        return pd.DataFrame({"place": places.astype(int), "number": numbers})


def show_map(
    cell_map: pd.DataFrame,
    cell_change: pd.DataFrame,
    classes: Sequence[str],
    mapping: MapSettings,
    patches: PatchRules,
) -> ShownMap:
    """Find what the maps of the last two years show: abstention and smoothing as they are drawn.

    Parameters
    ----------
    cell_map
        ``tile_id, year, epsg, xmin, ymin, xmax, ymax, cell_classes, cell_confidence``, a row a
        tile and year.
    cell_change
        `aerial_kedro.change.cells.CELL_CHANGE_COLUMNS`; may be empty.
    classes
        Classes by value.
    mapping
        Abstention and smoothing.
    patches
        Which cells make a patch of change.
    """
    years = sorted(int(year) for year in cell_map["year"].dropna().unique())[-2:]
    rows = cell_map[cell_map["year"].isin(years)].sort_values(["tile_id", "year"])
    places = rows.drop_duplicates("tile_id")[_PLACE].reset_index(drop=True)
    row_of = pd.Series(np.arange(len(places)), index=places["tile_id"])
    shown = {}
    for year in years:
        tiles = rows[rows["year"] == year].reset_index(drop=True)
        values = np.zeros((len(places), COUNT), np.uint8)
        found = shown_cells(tiles, classes, mapping)
        values[row_of[tiles["tile_id"]]] = found.reshape(-1, COUNT)
        shown[year] = values
    changed = np.zeros((len(places), COUNT), dtype=bool)
    if len(years) > 1:
        pair = (cell_change["year_before"] == years[0]) & (cell_change["year_after"] == years[1])
        compared = cell_change[pair].reset_index(drop=True)
        if len(compared):
            _, ranks = patches_of_change(compared, classes, patches)
            changed[row_of[compared["tile_id"]]] = ranks.reshape(-1, COUNT) > 0
    return ShownMap(places, list(classes), shown, changed)
