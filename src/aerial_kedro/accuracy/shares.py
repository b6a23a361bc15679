"""Class shares of the land by the map, beside those by the land cover that it learned from.

The land cover counts every cell of its raster, the map assigns each tile, or each cell of one, to
one class, so even a map without error differs where classes are mixed: roads and field edges vanish
in the tiles around them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from aerial_kedro.parameters import CheckedModel

OTHER = "Other"
"""Row of the classes that are in no group."""


class ShareRow(CheckedModel):
    """Share of the land that a class, or a group of classes, has.

    Parameters
    ----------
    name
        Class or group.
    members
        Classes of a group; empty for a class.
    land_cover, mapped
        Share by the exact shares of the land cover, and by the map, 0–1.
    adjusted
        Share by the map, adjusted for its errors (Olofsson et al. 2014); None where unknown.
    difference_points
        Share by the map less that by the land cover, in percentage points.
    """

    name: str
    members: list[str] = Field(default_factory=list)
    land_cover: float
    mapped: float
    adjusted: float | None = None
    difference_points: float


class ShareComparison(CheckedModel):
    """Shares of one year's map and of the land cover, over the same tiles.

    Parameters
    ----------
    land_cover_years
        Years of the land cover that the tiles have their shares from.
    tiles, tiles_without_land_cover
        Mapped tiles, and those of them that are left out because no land cover covers them.
    classes, groups
        Shares of each class, and of each group of the parameter `report.groups`.
    group_agreement
        Share of tiles, or cells, where the map's group is the group of the land cover's largest
        class, among those that the model classified and whose largest class has a group; None
        without such a tile.
    group_agreement_count, units
        Number of those tiles, or cells.
    """

    land_cover_years: list[int]
    tiles: int
    tiles_without_land_cover: int
    classes: list[ShareRow]
    groups: list[ShareRow] = Field(default_factory=list)
    group_agreement: float | None = None
    group_agreement_count: int = 0
    units: Literal["tiles", "cells"] = "tiles"

    @property
    def named_groups(self) -> list[str]:
        """The groups without the rest that is in none."""
        return [row.name for row in self.groups if row.name != OTHER]


def compare_shares(
    land_cover: Mapping[str, float],
    mapped: Mapping[str, float],
    adjusted: Mapping[str, float],
    names: Sequence[str],
) -> list[ShareRow]:
    """Put the shares of each class side by side.

    Parameters
    ----------
    land_cover, mapped
        Area of each class over the same tiles, in any unit.
    adjusted
        Share of each class, adjusted for the map's errors, 0–1; a class may be missing.
    names
        The classes in order; those that neither side holds are left out.

    Raises
    ------
    ValueError
        If one side has no area.

    Examples
    --------
    >>> [row] = compare_shares({"Forest": 3.0}, {"Forest": 2.0}, {}, ["Forest", "Shrub"])
    >>> row.land_cover, row.mapped
    (1.0, 1.0)
    """
    by_cover, by_map = sum(land_cover.values()), sum(mapped.values())
    if not by_cover > 0 or not by_map > 0:
        raise ValueError("Shares need an area on the map and on the land cover.")
    rows = []
    for name in names:
        cover, shown = land_cover.get(name, 0.0) / by_cover, mapped.get(name, 0.0) / by_map
        if cover > 0 or shown > 0:
            rows.append(_row(name, cover, shown, adjusted.get(name)))
    return rows


def group_shares(rows: Sequence[ShareRow], groups: Mapping[str, Sequence[str]]) -> list[ShareRow]:
    """Add classes up to groups; what is in no group makes a last row, `OTHER`.

    The adjusted share of a group is known where that of each of its classes is.
    """
    grouped = {name for members in groups.values() for name in members}
    rest = [row.name for row in rows if row.name not in grouped]
    found = []
    for group, members in [*groups.items(), (OTHER, rest)]:
        own = [row for row in rows if row.name in members]
        if not own:
            continue
        adjusted = [row.adjusted for row in own if row.adjusted is not None]
        found.append(
            _row(
                group,
                sum(row.land_cover for row in own),
                sum(row.mapped for row in own),
                sum(adjusted) if len(adjusted) == len(own) else None,
                [row.name for row in own],
            )
        )
    return found


def group_agreement(
    tiles: Mapping[tuple[str, str], int], groups: Mapping[str, Sequence[str]]
) -> tuple[float | None, int]:
    """Share of tiles whose group is the same by the map and by the land cover's largest class.

    Parameters
    ----------
    tiles
        Number of tiles by class on the map and largest class of the land cover.
    groups
        Group to its classes. Tiles whose largest class has no group are not counted.

    Returns
    -------
    tuple
        The share, None without a tile; and the number of tiles.

    Examples
    --------
    >>> groups = {"Green": ["Forest", "Shrub"], "Built": ["Developed"]}
    >>> group_agreement({("Forest", "Shrub"): 3, ("Forest", "Developed"): 1}, groups)
    (0.75, 4)
    """
    group_of = {name: group for group, members in groups.items() for name in members}
    counted = {pair: count for pair, count in tiles.items() if pair[1] in group_of}
    total = sum(counted.values())
    if not total:
        return None, 0
    same = sum(
        count
        for (mapped, largest), count in counted.items()
        if group_of.get(mapped) == group_of[largest]
    )
    return same / total, total


def _row(
    name: str, cover: float, shown: float, adjusted: float | None, members: Sequence[str] = ()
) -> ShareRow:
    return ShareRow(
        name=name,
        members=list(members),
        land_cover=cover,
        mapped=shown,
        adjusted=adjusted,
        difference_points=100 * (shown - cover),
    )
