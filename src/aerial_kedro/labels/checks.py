"""Labels of one's own against the scenes: places, years, and whether they are enough."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.layer import LabelLayer
from aerial_kedro.labels.summary import LabelSummary
from aerial_kedro.tiles.shapes import some_of
from aerial_kedro.tiles.squares import project_squares

LOGGER = logging.getLogger(__name__)

FEWEST_LABELS = 5
"""Cells that a class must have labels of, to be learned."""


def bounds_of_tiles(tiles: pd.DataFrame) -> np.ndarray:
    """Bounds of tiles (``epsg, xmin, ymin, xmax, ymax``) in degrees, ``(tiles, 4)``."""
    return np.asarray(shapely.bounds(project_squares(tiles, "EPSG:4326")))


def check_places(layer: LabelLayer, bounds: np.ndarray) -> int:
    """Check that labels lie where the scenes are, before anything is computed.

    Parameters
    ----------
    layer
        The labels.
    bounds
        ``xmin, ymin, xmax, ymax`` in degrees of the scenes, or of their tiles, ``(n, 4)``.

    Returns
    -------
    int
        Number of labels (rows of the file) outside, which the log names.

    Raises
    ------
    AerialError
        If all labels are outside; whether they would lie inside with longitude and latitude
        swapped is said.
    """
    shapes = np.array(layer.frame.geometry.array, dtype=object)
    tree = shapely.STRtree(shapely.box(*np.asarray(bounds, dtype=float).T))
    inside = np.unique(tree.query(shapes, predicate="intersects")[0])
    rows = layer.frame["row"].to_numpy()
    outside = np.setdiff1d(rows, rows[inside])
    if len(inside):
        if len(outside):
            LOGGER.warning(
                "%s has %s of %s labels outside all scenes (rows %s): they teach nothing",
                layer.where, f"{len(outside):,}", f"{len(np.unique(rows)):,}", some_of(outside),
            )  # fmt: skip
        return len(outside)
    swapped = shapely.transform(shapes, lambda corners: corners[:, ::-1])
    if len(tree.query(swapped, predicate="intersects")[0]):
        raise AerialError(
            f"{layer.where} has longitude and latitude swapped: no label lies in the scenes as it "
            "is, and with the two exchanged they do. Exchange them in the file (in a CSV, the "
            "names of the columns)."
        )
    raise AerialError(
        f"{layer.where} has no label in the scenes: labels lie in "
        f"{_degrees(layer.frame.total_bounds)}, scenes in "
        f"{_degrees([*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)])}. "
        "Give labels and scenes of one place, or correct the file's coordinate reference system."
    )


def _degrees(bounds: Sequence[float]) -> str:
    west, south, east, north = bounds
    return f"lon {west:.4f} to {east:.4f}, lat {south:.4f} to {north:.4f}"


def check_years(layer: LabelLayer, years: Sequence[int]) -> dict[int, int]:
    """Check that the scenes have the years that labels are of.

    Parameters
    ----------
    layer
        The labels.
    years
        Years of the scenes.

    Returns
    -------
    dict
        Year that no scene has, to the number of its labels; the log names them.

    Raises
    ------
    AerialError
        If no label is of a year that scenes have.
    """
    known = sorted({int(year) for year in years})
    rows = layer.frame.drop_duplicates("row")
    dated = rows["year"].dropna().astype(int)
    counts = dated[~dated.isin(known)].value_counts().sort_index()
    missing = {int(year): int(count) for year, count in counts.items()}
    if not missing:
        return {}
    said = ", ".join(f"{year} ({count:,} label(s))" for year, count in missing.items())
    if sum(missing.values()) == len(rows):
        raise AerialError(
            f"{layer.where} has labels of {said} only, by its column {layer.year_column!r}, and "
            f"the scenes are of {some_of(known)}. Give scenes of these years; or, if the ground "
            "has not changed since, take out that column: then labels teach every year."
        )
    LOGGER.warning(
        "%s has labels of years that no scene has: %s. They teach nothing; scenes are of %s",
        layer.where, said, some_of(known),
    )  # fmt: skip
    return missing


def check_enough(summary: LabelSummary, held: Sequence[str] = ()) -> None:
    """Refuse a class that too few cells have labels of.

    Parameters
    ----------
    summary
        The counts.
    held
        Classes that a land cover teaches as well.

    Raises
    ------
    AerialError
        Naming each class with fewer than five labelled cells, and why labels were lost.
    """
    few = {
        name: each.places
        for name, each in summary.classes.items()
        if each.places < FEWEST_LABELS and name not in held
    }
    if few:
        listed = ", ".join(f"{name!r} ({cells})" for name, cells in few.items())
        raise AerialError(
            f"The file of labels {summary.path} has fewer than {FEWEST_LABELS} labelled cells of: "
            f"{listed}. Label more of them (--pipeline=suggest_labels), or give these rows another "
            f"class. {' '.join(summary.sentences)}".rstrip()
        )
