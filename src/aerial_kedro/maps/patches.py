"""Patches of change: cells side by side that changed from the same class to the same class."""

import itertools
import logging
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from pydantic import Field
from rasterio.features import shapes

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.maps.drawing import NODATA, TilesFarApartError
from aerial_kedro.maps.fine import cells_of_column, percent
from aerial_kedro.maps.mosaic import zone_grid
from aerial_kedro.maps.parts import divide_apart
from aerial_kedro.parameters import CheckedModel

LOGGER = logging.getLogger(__name__)
PATCH_COLUMNS = [
    "rank", "class_before", "class_after", "area_ha", "cells", "mean_probability",
    "expected_area_ha", "epsg", "lon", "lat", "west", "south", "east", "north", "geometry",
]  # fmt: skip
_DEGREES = "OGC:CRS84"
_M2_PER_HA = 1e4


class PatchRules(CheckedModel):
    """Which cells make a patch of change.

    Parameters
    ----------
    min_probability
        Cells whose change is less probable are left out, 0–1.
    min_width
        Cells that a patch is wide everywhere. A pixel on the edge of a field is of one class in
        one year and of its neighbour in the next, by the light and by half a pixel's shift: with
        2, single cells and lines of them are no patches.
    """

    min_probability: float = Field(ge=0, le=1)
    min_width: int = Field(ge=1)


def patches_of_change(
    tiles: pd.DataFrame, classes: Sequence[str], rules: PatchRules
) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Find the patches that changed between two years.

    Tiles that hang together, but along so long a line that their grid would be huge, are left out
    with a warning.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` (of the fixed global grid), ``class_before, class_after``
        (49 bytes: 1 + position in ``classes``, 0 none), ``change_probability`` (49 bytes: percent),
        null where nothing is known; ``year_before, year_after``, one pair of years; a row a tile.
    classes
        Class names.
    rules
        Which cells make a patch.

    Returns
    -------
    patches : geopandas.GeoDataFrame
        `PATCH_COLUMNS` in OGC:CRS84, the largest expected change first: ``area_ha`` is the area of
        all cells of the patch, ``expected_area_ha`` the sum of each cell's area times its
        probability of change, ``epsg`` the zone, ``lon, lat`` a point inside near the middle,
        ``west, south, east, north`` the bounds in degrees. Cells touch by their sides. A patch
        across the border of two zones is two.
    ranks : numpy.ndarray
        Rank of the patch that each cell belongs to, ``(tiles, 7, 7)`` int32; 0 where none.

    Raises
    ------
    AerialError
        If the tiles are not of the global grid, or a place appears twice.
    """
    parts = []
    numbers = np.zeros((len(tiles), SIDE, SIDE), dtype=np.int32)
    count = 0
    for epsg in sorted(tiles["epsg"].unique()):
        of_zone = np.flatnonzero(tiles["epsg"] == epsg)
        for part in divide_apart(tiles.iloc[of_zone]):
            own = of_zone[part]
            rows = tiles.iloc[own]
            try:
                grid = zone_grid(rows, SIDE)
            except TilesFarApartError:
                _warn_of_missing_patches(rows)
                continue
            before, after, probability = (
                grid.paste(cells_of_column(rows[name]))
                for name in ("class_before", "class_after", "change_probability")
            )
            found, on_grid = patches_on_grid(before, after, probability, grid.transform, rules)
            own_numbers = grid.cut(on_grid)
            numbers[own] = np.where(own_numbers > 0, own_numbers + count, 0)
            count += len(found)
            parts.append(found.assign(epsg=int(epsg)).set_crs(epsg).to_crs(_DEGREES))
    if not count:
        nothing = gpd.GeoDataFrame(columns=PATCH_COLUMNS, geometry="geometry", crs=_DEGREES)
        return nothing, numbers
    ranked = _ranked(gpd.GeoDataFrame(pd.concat(parts, ignore_index=True)), classes)
    ranks = np.zeros(count + 1, dtype=np.int32)
    ranks[ranked.index + 1] = ranked["rank"]
    return ranked.reset_index(drop=True), ranks[numbers]


def _warn_of_missing_patches(tiles: pd.DataFrame) -> None:
    first = tiles.iloc[0]
    LOGGER.warning(
        "%d to %d: no patches of change are looked for among %s tiles of EPSG:%d, which lie along "
        "so long a line that they do not fit into memory; what each cell shows is written. For "
        "patches, run the scenes of each region on their own (--params=scenes_root=DIR)",
        first["year_before"], first["year_after"], f"{len(tiles):,}", first["epsg"],
    )  # fmt: skip


def patches_on_grid(
    before: np.ndarray,
    after: np.ndarray,
    probability: np.ndarray,
    transform: Affine,
    rules: PatchRules,
) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Find the patches that changed on one grid.

    Parameters
    ----------
    before, after
        Class values of two years, ``(rows, cols)`` uint8, 0 where there is none.
    probability
        Probability of change in percent, uint8, of the same shape.
    transform
        Transform from ``(col, row)`` to metres.
    rules
        Which cells make a patch.

    Returns
    -------
    patches : geopandas.GeoDataFrame
        ``before, after`` (class values), ``cells, area_ha, mean_probability, expected_area_ha,
        geometry``, without a CRS.
    numbers : numpy.ndarray
        1 + row of the patch that each cell belongs to, ``(rows, cols)`` int32; 0 where none.
    """
    changed = (before != after) & (before != NODATA) & (after != NODATA)
    changed &= probability >= percent(rules.min_probability)
    kinds = np.where(changed, before.astype(np.uint16) * 256 + after, 0).astype(np.uint16)
    numbers = _number_patches(_wide_enough(kinds, rules.min_width))
    at = np.nonzero(numbers)
    patch = numbers[at] - 1
    cells = np.bincount(patch)
    certain = np.bincount(patch, weights=probability[at] / 100, minlength=len(cells))
    _, first = np.unique(patch, return_index=True)
    hectares = abs(transform.a * transform.e) / _M2_PER_HA
    found = gpd.GeoDataFrame(
        {
            "before": before[at][first],
            "after": after[at][first],
            "cells": cells,
            "area_ha": cells * hectares,
            "mean_probability": certain / cells,
            "expected_area_ha": certain * hectares,
        },
        geometry=_polygons(numbers, len(cells), transform),
    )
    return found, numbers


def _wide_enough(kinds: np.ndarray, width: int) -> np.ndarray:
    """Keep the cells that lie in a square of so many cells a side of their own kind, else 0.

    A morphological opening of each kind, all at once.
    """
    kept = np.zeros_like(kinds)
    rows, cols = (length - width + 1 for length in kinds.shape)
    if rows < 1 or cols < 1:
        return kept
    squares = [
        (slice(down, down + rows), slice(right, right + cols))
        for down, right in itertools.product(range(width), repeat=2)
    ]
    corner = kinds[squares[0]]
    whole = np.logical_and.reduce([kinds[each] == corner for each in squares])
    for each in squares:
        kept[each][whole] = corner[whole]
    return kept


def _number_patches(kinds: np.ndarray) -> np.ndarray:
    """Count the patches from 1 on; int32, 0 where the kind is 0."""
    from scipy.ndimage import label

    patches = np.zeros(kinds.shape, dtype=np.int32)
    count = 0
    for kind in np.unique(kinds[kinds > 0]):
        own = kinds == kind
        found, more = label(own)
        patches[own] = found[own] + count
        count += more
    return patches


def _polygons(patches: np.ndarray, count: int, transform: Affine) -> np.ndarray:
    """Outline each patch, ``(count,)``; cells that touch by corners only are not joined."""
    outlines = list(shapes(patches, mask=patches > 0, connectivity=4, transform=transform))
    if not outlines:
        return np.empty(0, dtype=object)
    rings = [(at, ring) for at, (shape, _) in enumerate(outlines) for ring in shape["coordinates"]]
    lengths = [len(ring) for _, ring in rings]
    points = np.array([point for _, ring in rings for point in ring])
    # All at once: one polygon at a time takes four times as long.
    lines = shapely.linearrings(points, indices=np.repeat(np.arange(len(rings)), lengths))
    polygons = np.empty(count, dtype=object)
    places = [int(patch) - 1 for _, patch in outlines]
    polygons[places] = shapely.polygons(np.asarray(lines), indices=[at for at, _ in rings])
    return polygons


def _ranked(patches: gpd.GeoDataFrame, classes: Sequence[str]) -> gpd.GeoDataFrame:
    """Name the classes, add places and sort by the expected change; the index stays."""
    names = np.array([*classes], dtype=object)
    inside = patches.geometry.representative_point()
    west, south, east, north = patches.geometry.bounds.to_numpy().T
    table = patches.assign(
        class_before=names[patches["before"].to_numpy(int) - 1],
        class_after=names[patches["after"].to_numpy(int) - 1],
        lon=inside.x, lat=inside.y, west=west, south=south, east=east, north=north,
    )  # fmt: skip
    ranked = table.sort_values(
        ["expected_area_ha", "mean_probability", "lat", "lon"],
        ascending=[False, False, False, True],
    )
    return ranked.assign(rank=np.arange(1, len(ranked) + 1))[PATCH_COLUMNS]
