"""Patches of change: cells side by side that changed from the same class to the same class."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from rasterio.features import shapes
from scipy.ndimage import label

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.maps.drawing import NODATA
from aerial_kedro.maps.fine import cells_of_column, percent
from aerial_kedro.maps.mosaic import divide_at_gaps, zone_grid

PATCH_COLUMNS = [
    "rank", "class_before", "class_after", "area_ha", "cells", "mean_probability",
    "expected_area_ha", "lon", "lat", "west", "south", "east", "north", "geometry",
]  # fmt: skip
_DEGREES = "OGC:CRS84"
_M2_PER_HA = 1e4


def patches_of_change(
    tiles: pd.DataFrame, classes: Sequence[str], min_probability: float
) -> gpd.GeoDataFrame:
    """Find the patches that changed between two years.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` (of the fixed global grid), ``class_before, class_after``
        (49 bytes: 1 + position in ``classes``, 0 none), ``change_probability`` (49 bytes: percent),
        null where nothing is known; a row a tile.
    classes
        Class names.
    min_probability
        Cells whose change is less probable than this are left out, 0–1.

    Returns
    -------
    geopandas.GeoDataFrame
        `PATCH_COLUMNS` in OGC:CRS84, the largest expected change first: ``area_ha`` is the area of
        all cells of the patch, ``expected_area_ha`` the sum of each cell's area times its
        probability of change, ``lon, lat`` a point inside near the middle, ``west, south, east,
        north`` the bounds in degrees. Cells touch by their sides. A patch across the border of
        two zones is two.

    Raises
    ------
    AerialError
        As `zone_grid` does.
    """
    parts = []
    for epsg in sorted(tiles["epsg"].unique()):
        of_zone = tiles[tiles["epsg"] == epsg]
        for part in divide_at_gaps(of_zone):
            rows = of_zone.iloc[part]
            grid = zone_grid(rows, SIDE)
            before, after, probability = (
                grid.paste(cells_of_column(rows[name]))
                for name in ("class_before", "class_after", "change_probability")
            )
            found = patches_on_grid(before, after, probability, grid.transform, min_probability)
            parts.append(found.set_crs(epsg).to_crs(_DEGREES))
    if not parts:
        return gpd.GeoDataFrame(columns=PATCH_COLUMNS, geometry="geometry", crs=_DEGREES)
    return _ranked(gpd.GeoDataFrame(pd.concat(parts, ignore_index=True)), classes)


def patches_on_grid(
    before: np.ndarray,
    after: np.ndarray,
    probability: np.ndarray,
    transform: Affine,
    min_probability: float,
) -> gpd.GeoDataFrame:
    """Find the patches that changed on one grid.

    Parameters
    ----------
    before, after
        Class values of two years, ``(rows, cols)`` uint8, 0 where there is none.
    probability
        Probability of change in percent, uint8, of the same shape.
    transform
        Transform from ``(col, row)`` to metres.
    min_probability
        Cells whose change is less probable than this are left out, 0–1.

    Returns
    -------
    geopandas.GeoDataFrame
        ``before, after`` (class values), ``cells, area_ha, mean_probability, expected_area_ha,
        geometry``, without a CRS.
    """
    changed = (before != after) & (before != NODATA) & (after != NODATA)
    changed &= probability >= percent(min_probability)
    patches = _label_patches(before, after, changed)
    at = np.nonzero(changed)
    patch = patches[at] - 1
    cells = np.bincount(patch)
    certain = np.bincount(patch, weights=probability[at] / 100, minlength=len(cells))
    _, first = np.unique(patch, return_index=True)
    hectares = abs(transform.a * transform.e) / _M2_PER_HA
    return gpd.GeoDataFrame(
        {
            "before": before[at][first],
            "after": after[at][first],
            "cells": cells,
            "area_ha": cells * hectares,
            "mean_probability": certain / cells,
            "expected_area_ha": certain * hectares,
        },
        geometry=_polygons(patches, len(cells), transform),
    )


def _label_patches(before: np.ndarray, after: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """Count the patches from 1 on; int32, 0 where nothing changed."""
    kinds = np.where(changed, before.astype(np.uint16) * 256 + after, 0).astype(np.uint16)
    patches = np.zeros(kinds.shape, dtype=np.int32)
    count = 0
    for kind in np.unique(kinds[changed]):
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
    """Name the classes, add places and sort by the expected change."""
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
        ignore_index=True,
    )
    return ranked.assign(rank=np.arange(1, len(ranked) + 1))[PATCH_COLUMNS]
