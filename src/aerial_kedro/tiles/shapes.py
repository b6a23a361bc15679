"""Shapes of vector files: mending polygons, and naming a few features in a message."""

from collections.abc import Iterable

import numpy as np
import shapely

_EXAMPLES = 5


def mend_polygons(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mend polygons whose rings cross themselves (`shapely.make_valid`).

    Parameters
    ----------
    shapes
        Polygons or multipolygons, ``(n,)``.

    Returns
    -------
    shapes : numpy.ndarray
        Valid polygons or multipolygons, ``(n,)``; lines and points that are left over from mending
        are dropped, so that one whose ring encloses nothing is empty.
    broken : numpy.ndarray
        Bool, ``(n,)``: which were mended.
    """
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        shapes = shapes.copy()
        shapes[broken] = only_areas(shapely.make_valid(shapes[broken]))
    return shapes, broken


def only_areas(shapes: np.ndarray) -> np.ndarray:
    """Drop lines and points from collections, ``(n,)``: what is left are (multi)polygons."""
    mixed = np.flatnonzero(~is_polygon(shapes))
    if len(mixed):
        shapes = shapes.copy()
        for each in mixed:
            parts = shapely.get_parts(shapes[each])
            shapes[each] = shapely.union_all(parts[shapely.area(parts) > 0])
    return shapes


def is_polygon(shapes: np.ndarray) -> np.ndarray:
    """Find the polygons and multipolygons, bool ``(n,)``."""
    kinds = [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON]
    return np.isin(shapely.get_type_id(shapes), kinds)


def some_of(items: Iterable[object], most: int = _EXAMPLES) -> str:
    """List the first few items for a message.

    Examples
    --------
    >>> some_of(["a", "b", "c"], most=2)
    'a, b, …'
    """
    texts = [str(each) for each in items]
    return ", ".join(texts[:most]) + (", …" if len(texts) > most else "")
