"""Tiles as squares on the ground: seen from another CRS, and how far apart they lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from aerial_kedro.tiles.grid import transform_zones, zones_of

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
# UTM stretches distances by at most 0.1 % inside a zone; the sphere does by less than 0.6 %.
DISTORTION = 1.01
# A distance may fall short of the one required by this much, from rounding.
ROUNDING_M = 0.01
# A side of a tile is cut into this many pieces before it is projected to another CRS.
_SIDE_PIECES = 4
_POINTS_AT_A_TIME = 2_000


def centres(tiles: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Centres of tiles (``xmin, ymin, xmax, ymax``) in the units of their CRS, each ``(n,)``."""
    x = ((tiles["xmin"] + tiles["xmax"]) / 2).to_numpy()
    y = ((tiles["ymin"] + tiles["ymax"]) / 2).to_numpy()
    return x, y


def project_squares(tiles: pd.DataFrame, crs: str, pieces: int = _SIDE_PIECES) -> np.ndarray:
    """Return tiles as polygons in another CRS, their sides cut so that they may bend.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` for each tile.
    crs
        The target CRS, as any text that PROJ reads.
    pieces
        Number of pieces that a side is cut into.

    Returns
    -------
    numpy.ndarray
        Polygons, shape ``(len(tiles),)``.
    """
    steps = np.linspace(0, 1, pieces + 1)[:-1]
    along = np.concatenate([steps, np.ones_like(steps), 1 - steps, np.zeros_like(steps)])
    across = np.concatenate([np.zeros_like(steps), steps, np.ones_like(steps), 1 - steps])
    xmin, ymin, xmax, ymax = (
        tiles[name].to_numpy(float)[:, None] for name in ("xmin", "ymin", "xmax", "ymax")
    )
    x, y = xmin + along * (xmax - xmin), ymin + across * (ymax - ymin)
    epsgs = tiles["epsg"].to_numpy()
    corners = transform_zones(epsgs, x, y, CRS.from_user_input(crs))
    return np.asarray(shapely.polygons(np.stack(corners, axis=-1)))


def smallest_distance_m(first: pd.DataFrame, second: pd.DataFrame) -> float | None:
    """Find the smallest distance between the edges of two sets of tiles.

    Parameters
    ----------
    first, second
        ``lon, lat`` of the centre in degrees and ``size_m``, for each tile of the grid.

    Returns
    -------
    float or None
        Metres in the CRS of the first tile's zone, 0 where tiles touch or overlap; None if either
        set is empty.
    """
    from scipy.spatial import cKDTree

    if not len(first) or not len(second):
        return None
    points = on_sphere(second)
    tree = cKDTree(on_sphere(first))
    to_centre, _ = tree.query(points)
    # The nearest edges need not belong to the nearest centres, but to centres not much farther.
    size = max(first["size_m"].max(), second["size_m"].max())
    reach = (to_centre.min() + size * math.sqrt(2)) * DISTORTION
    near = np.flatnonzero(to_centre <= reach)
    return min(
        float(_between_edges(first.iloc[partners], second.iloc[wanted]).min())
        for wanted, partners in _neighbours(tree, points, near, reach)
    )


def lie_nearer(tiles: pd.DataFrame, others: pd.DataFrame, distance_m: float) -> np.ndarray:
    """Find the tiles that lie nearer than a distance to any of some others, from edge to edge.

    Parameters
    ----------
    tiles, others
        ``lon, lat`` of the centre in degrees and ``size_m``, for each tile of the grid.
    distance_m
        The distance in metres; tiles at exactly that distance are not nearer.

    Returns
    -------
    numpy.ndarray
        Bool, ``(len(tiles),)``.
    """
    from scipy.spatial import cKDTree

    if not len(tiles) or not len(others):
        return np.zeros(len(tiles), dtype=bool)
    points = on_sphere(tiles)
    tree = cKDTree(on_sphere(others))
    to_centre, _ = tree.query(points)
    largest, smallest = (
        (getattr(tiles["size_m"], which)() + getattr(others["size_m"], which)()) / 2
        for which in ("max", "min")
    )
    # The edges of two squares lie no farther apart than their centres less half of either side,
    # and no nearer than less half of either diagonal: only between the two must be measured.
    farthest = np.maximum(to_centre * DISTORTION - smallest, 0)
    near: np.ndarray = farthest < distance_m - ROUNDING_M
    reach = (distance_m + largest * math.sqrt(2)) * DISTORTION
    unsure = np.flatnonzero(~near & (to_centre <= reach))
    if not len(unsure):
        return near
    for wanted, partners in _neighbours(tree, points, unsure, reach):
        distances = _between_edges(tiles.iloc[wanted], others.iloc[partners])
        near[wanted[distances < distance_m - ROUNDING_M]] = True
    return near


def _neighbours(
    tree: cKDTree, points: np.ndarray, wanted: np.ndarray, reach: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pair some points with those of a tree within reach, as positions; a part at a time.

    All pairs of a large county at once, with a polygon each, would take hundreds of megabytes.
    """
    for start in range(0, len(wanted), _POINTS_AT_A_TIME):
        some = wanted[start : start + _POINTS_AT_A_TIME]
        partners = tree.query_ball_point(points[some], reach)
        if any(partners):
            count = [len(each) for each in partners]
            yield np.repeat(some, count), np.concatenate(partners).astype(int)


def _between_edges(first: pd.DataFrame, second: pd.DataFrame) -> np.ndarray:
    """Distances between the edges of pairs of tiles, row by row."""
    one, other = _squares(first), _squares(second)
    distances = np.empty(len(one))
    for epsg in np.unique(one["epsg"]):
        chosen = (one["epsg"] == epsg).to_numpy()
        distances[chosen] = shapely.distance(
            project_squares(one[chosen], f"EPSG:{epsg}"),
            project_squares(other[chosen], f"EPSG:{epsg}"),
        )
    return distances


def _squares(places: pd.DataFrame) -> pd.DataFrame:
    """Rebuild the squares of grid tiles from their centres: ``epsg, xmin, ymin, xmax, ymax``."""
    lon, lat = places["lon"].to_numpy(), places["lat"].to_numpy()
    epsgs = zones_of(lon, lat)
    x, y = transform_zones(epsgs, lon, lat, 4326, "INVERSE")
    half = places["size_m"].to_numpy() / 2
    return pd.DataFrame(
        {"epsg": epsgs, "xmin": x - half, "ymin": y - half, "xmax": x + half, "ymax": y + half}
    )


def on_sphere(places: pd.DataFrame) -> np.ndarray:
    """Place points (``lon, lat``) on a sphere, in metres, (n, 3), across zone borders."""
    lam, phi = np.radians(places[["lon", "lat"]].to_numpy(float)).T
    points = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)
    return np.asarray(points * _EARTH_RADIUS_M)
