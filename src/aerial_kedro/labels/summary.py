"""What became of labels of one's own: checked against the scenes, and counted."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.layer import LabelLayer
from aerial_kedro.labels.placing import CONTRADICTORY, LABELLED, MIXED, OTHER_YEAR, PARTLY
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.tiles.shapes import some_of
from aerial_kedro.tiles.squares import project_squares

LOGGER = logging.getLogger(__name__)

FEWEST_LABELS = 5
"""Cells that a class must have labels of, to be learned."""


class ClassLabels(CheckedModel):
    """Labels of a class.

    Parameters
    ----------
    labels
        Rows of the file.
    cells
        Year of the scenes to the number of cells that they label in it.
    places
        Cells that they label in any year, each counted once.
    """

    labels: int
    cells: dict[int, int]
    places: int


class LabelSummary(CheckedModel):
    """What a file of labels taught, and what it did not. Labels are rows of the file.

    Parameters
    ----------
    path
        The file.
    rows
        Its rows.
    classes
        Class to its labels.
    left_out
        Why rows teach nothing, to the number of them.
    dated
        Labels with a year; the others teach every year of the scenes.
    labelling
        Labels that label a cell.
    too_small
        Labels on tiles of their year that label no cell: polygons that cover too little of each,
        and labels that others contradict everywhere.
    of_other_years
        Labels on tiles, but of other years than these.
    outside
        Labels on no tile.
    contradictory
        Cells (in one year) that labels of two classes label; nothing is learned from them.
    mixed
        Cells that polygons of several classes touch, of which none covers enough.
    partly
        Cells that the polygons of one class cover, but not enough.
    mended
        Polygons that were mended.
    spellings
        Names that may be spellings of one class.
    """

    path: str
    rows: int
    classes: dict[str, ClassLabels]
    left_out: dict[str, int]
    dated: int
    labelling: int
    too_small: int
    of_other_years: int
    outside: int
    contradictory: int
    mixed: int
    partly: int
    mended: int
    spellings: tuple[tuple[str, ...], ...]

    @property
    def labels(self) -> int:
        """Labels: rows that teach, if they lie on the scenes."""
        return sum(each.labels for each in self.classes.values())

    @property
    def years(self) -> list[int]:
        """Years of the scenes in which labels label a cell."""
        return sorted({year for each in self.classes.values() for year in each.cells})

    def __str__(self) -> str:
        """Say in one sentence what was labelled, for the log."""
        cells = {name: sum(each.cells.values()) for name, each in self.classes.items()}
        by_class = ", ".join(f"{name} {count:,}" for name, count in cells.items())
        return (
            f"{self.labelling:,} labels of {self.path} label {sum(cells.values()):,} cells "
            f"({by_class})"
        )

    @property
    def sentences(self) -> list[str]:
        """All that the counts say of what was not learned from, for a log or a report."""
        told = [
            (sum(self.left_out.values()), "rows of the file teach nothing: "
             + ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())),
            (self.outside, "labels lie outside all tiles of the scenes"),
            (self.of_other_years, "labels lie on tiles, but are of a year that these do not have"),
            (self.too_small, "labels label no cell: polygons that cover too little of each, or "
             "labels that others contradict"),
            (self.contradictory, "cells are labelled with two classes and more: none is learned"),
            (self.mixed, "cells have polygons of several classes of which none covers enough"),
            (self.partly, "cells are covered in part by one class, and not enough"),
            (self.mended, "polygons had rings that cross themselves, and were mended"),
        ]  # fmt: skip
        found = [f"{count:,} {text}." for count, text in told if count]
        found += [
            f"{', '.join(map(repr, alike))} may be spellings of one class: they are taken as "
            "different." for alike in self.spellings
        ]  # fmt: skip
        if self.dated < self.labels:
            found.append(
                f"{self.labels - self.dated:,} labels have no year: they teach every year of the "
                "scenes."
            )
        return found


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
    said = ", ".join(f"{year} ({count:,} labels)" for year, count in missing.items())
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


def summarise_labels(layer: LabelLayer, placed: pd.DataFrame, names: Sequence[str]) -> LabelSummary:
    """Count what became of labels.

    Parameters
    ----------
    layer
        The labels.
    placed
        All that `labels.placing.find_labelled_cells` found.
    names
        The classes by which it numbered them.

    Returns
    -------
    LabelSummary
        The counts.
    """
    labels = layer.frame.drop_duplicates("row").set_index("row")
    kind = placed["found"].to_numpy(dtype=object)
    reached = _reached(labels, placed, names)
    counts = {name: len(rows) for name, rows in reached.items()}
    return LabelSummary(
        path=layer.path or "",
        rows=layer.rows,
        classes=_by_class(labels, placed[kind == LABELLED], names),
        left_out=dict(layer.left_out),
        dated=int(labels["year"].notna().sum()),
        **counts,
        outside=len(labels) - sum(counts.values()),
        contradictory=int((kind == CONTRADICTORY).sum()),
        mixed=int((kind == MIXED).sum()),
        partly=int((kind == PARTLY).sum()),
        mended=layer.mended,
        spellings=layer.spellings,
    )


def _reached(
    labels: pd.DataFrame, placed: pd.DataFrame, names: Sequence[str]
) -> dict[str, set[int]]:
    """Rows that label a cell, that only touch some, and that only other years' tiles have."""
    lists = placed["rows"].tolist()
    length = [len(each) for each in lists]
    row = np.concatenate([np.empty(0, dtype=np.int64), *lists]).astype(np.int64)
    kind = np.repeat(placed["found"].to_numpy(dtype=object), length)
    value = {name: 1 + position for position, name in enumerate(names)}
    own = labels["class_name"].map(value).reindex(row).to_numpy()
    labelling = (kind == LABELLED) & (own == np.repeat(placed["label"].to_numpy(), length))
    first = set(row[labelling].tolist())
    second = set(row[kind != OTHER_YEAR].tolist()) - first
    return {
        "labelling": first,
        "too_small": second,
        "of_other_years": set(row.tolist()) - first - second,
    }


def _by_class(
    labels: pd.DataFrame, labelled: pd.DataFrame, names: Sequence[str]
) -> dict[str, ClassLabels]:
    """Labels and labelled cells of each class that the file has."""
    found = {}
    for name, count in labels["class_name"].value_counts().sort_index().items():
        own = labelled[labelled["label"] == 1 + list(names).index(str(name))]
        by_year = own["year"].value_counts().sort_index()
        found[str(name)] = ClassLabels(
            labels=int(count),
            cells={int(str(year)): int(cells) for year, cells in by_year.items()},
            places=len(own[["tile_id", "cell"]].drop_duplicates()),
        )
    return found


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
