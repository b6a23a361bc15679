"""Labels of one's own: points and polygons with a class, read from any vector file or table."""

import logging
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import geopandas as gpd
import pandas as pd
from pydantic import ValidationError

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.columns import (
    find_class_column,
    find_columns,
    find_spellings,
    read_classes,
    read_years,
)
from aerial_kedro.labels.outlines import degrees_of_table, outlines
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.parameters import describe_problems

LOGGER = logging.getLogger(__name__)

NO_CLASS, UNSURE_ROW, MIXED_ROW = "without a class", "marked unsure", "marked mixed"
"""Why a row of the file teaches nothing, besides what `labels.outlines` leaves out."""

# How the labelling page marks a row: the word first, free text after a semicolon.
_MARK = re.compile(r"\s*(unsure|mixed)\s*(?:;.*)?", re.IGNORECASE | re.DOTALL)
_FEWEST_CLASSES = 2
_MOST_CLASSES = 255


@dataclass(frozen=True)
class LabelTable:
    """A file of labels as it was read.

    Parameters
    ----------
    path
        Its address; None where the run has none.
    frame
        Its rows: with geometries, or of a CSV as text.
    """

    path: str | None = None
    frame: pd.DataFrame | None = None


def _no_labels() -> gpd.GeoDataFrame:
    columns = {"class_name": "object", "year": "Int32", "row": "int64"}
    frame = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    return gpd.GeoDataFrame(frame, geometry=[], crs=4326)


@dataclass(frozen=True)
class LabelLayer:
    """Labels, each a point or a polygon with its class.

    Parameters
    ----------
    path
        Address of the file; None where the run has no labels.
    frame
        A row a label, in EPSG:4326: ``geometry`` (valid points, polygons and multipolygons),
        ``class_name`` (text), ``year`` (Int32; missing: every year), ``row`` (number of the row in
        the file, from 1; the parts of a multipoint share it).
    rows
        Rows of the file.
    left_out
        Why rows teach nothing, to the number of them.
    mended
        Polygons whose rings crossed themselves and were mended.
    spellings
        Names of classes that differ in capitals, blanks or hyphens alone; they are not merged.
    class_column, year_column
        The columns read; None where there is none.
    """

    path: str | None = None
    frame: gpd.GeoDataFrame = field(default_factory=_no_labels)
    rows: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    mended: int = 0
    spellings: tuple[tuple[str, ...], ...] = ()
    class_column: str | None = None
    year_column: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the run has labels."""
        return self.path is not None

    @cached_property
    def names(self) -> list[str]:
        """The classes, in the order of the alphabet."""
        return sorted({str(name) for name in self.frame["class_name"]})

    @property
    def where(self) -> str:
        """The file, as messages call it."""
        return f"The file of labels {self.path}"


def read_labels(table: LabelTable, settings: LabelRules) -> LabelLayer:
    """Make labels of a file's rows, and say in the log what was found and what was left out.

    The file of the labelling page is read as it is: rows without a class, and those marked unsure
    or mixed, teach nothing.

    Parameters
    ----------
    table
        The file as it was read.
    settings
        Which columns to read.

    Returns
    -------
    LabelLayer
        The labels; one without a path where the run has no file.

    Raises
    ------
    AerialError
        If the file holds no labels, its columns or its place cannot be made out, or it is a
        reference sample.
    """
    if table.path is None or table.frame is None:
        return LabelLayer()
    where = f"The file of labels {table.path}"
    frame = table.frame.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    geometry = frame.geometry.name if isinstance(frame, gpd.GeoDataFrame) else None
    columns = pd.DataFrame(frame.drop(columns=geometry) if geometry else frame)
    _refuse_what_is_no_labels(columns, where)
    class_column = find_class_column(columns, settings.class_column, where)
    names, are_numbers = read_classes(columns[class_column], class_column, where)
    years, year_column = read_years(columns, settings.year_column, where)
    reason = _reasons(columns, names)
    located = frame if geometry else degrees_of_table(frame, reason.isna().to_numpy(), where)
    shapes = outlines(located, reason, where)
    kept = shapes.rows
    labels = gpd.GeoDataFrame(
        {
            "class_name": names.iloc[kept].to_numpy(dtype=object),
            "year": years.iloc[kept].array,
            "row": kept + 1,
        },
        geometry=shapes.geometry,
        crs=4326,
    )
    left_out = Counter(str(each) for each in shapes.reasons.dropna())
    found = LabelLayer(
        table.path, labels, len(frame), dict(sorted(left_out.items())), shapes.mended,
        find_spellings(sorted(set(labels["class_name"]))), class_column, year_column,
    )  # fmt: skip
    if not len(labels):
        raise AerialError(
            f"{where} has {len(frame):,} rows, and none of them teaches: {_listed(left_out)}. Give "
            "points or polygons with a class."
        )
    _log(found, are_numbers)
    return found


def _refuse_what_is_no_labels(columns: pd.DataFrame, where: str) -> None:
    if not len(columns):
        raise AerialError(f"{where} is empty. Give points or polygons with a class each.")


def _reasons(columns: pd.DataFrame, names: pd.Series) -> pd.Series:
    """Why each row teaches nothing; missing where it does."""
    reason = pd.Series(None, index=columns.index, dtype="object").mask(names.isna(), NO_CLASS)
    for name in find_columns(list(columns.columns), ("remark",)):
        marks = [_MARK.fullmatch(str(each)) for each in columns[name]]
        words = pd.Series([mark and mark[1].lower() for mark in marks], columns.index)
        reason = reason.mask(words == "unsure", UNSURE_ROW).mask(words == "mixed", MIXED_ROW)
    return reason


def _log(layer: LabelLayer, are_numbers: bool) -> None:
    where = layer.where
    LOGGER.info(
        "%s: %s labels of %d classes, from the column %r; years from %s",
        where, f"{len(layer.frame):,}", len(layer.names), layer.class_column,
        f"the column {layer.year_column!r}" if layer.year_column
        else "no column: each label is of every year of the scenes",
    )  # fmt: skip
    if layer.left_out:
        LOGGER.warning(
            "%s: %s of %s rows teach nothing: %s", where,
            f"{sum(layer.left_out.values()):,}", f"{layer.rows:,}", _listed(layer.left_out),
        )  # fmt: skip
    if layer.mended:
        LOGGER.warning(
            "%s has %s polygon(s) whose rings cross themselves. They were mended for this run; "
            "mend the file to be sure of their borders (QGIS: Fix geometries)",
            where, f"{layer.mended:,}",
        )  # fmt: skip
    for alike in layer.spellings:
        LOGGER.warning(
            "%s spells what may be one class in %d ways: %s. They are taken as different classes; "
            "write them alike if they are not",
            where, len(alike), ", ".join(map(repr, alike)),
        )  # fmt: skip
    if are_numbers:
        LOGGER.warning(
            "%s names its classes by numbers (%s) in the column %r: they are called so on the map. "
            "For names, add a column of names and set labels.class_column to it",
            where, ", ".join(layer.names[:10]), layer.class_column,
        )  # fmt: skip


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items())


def classes_of_labels(layer: LabelLayer, table: LandCoverClasses | None) -> LandCoverClasses:
    """Make the class table of a run with labels.

    Parameters
    ----------
    layer
        The labels.
    table
        The land cover's classes, where a land cover is used as well.

    Returns
    -------
    LandCoverClasses
        The labels' classes in the order of the alphabet with the codes 1, 2, …; with a land cover
        its table as it is, and after it the
        classes that it lacks, with codes that no raster has.

    Raises
    ------
    AerialError
        If there are fewer than two classes or more than 255, or one is called Unsure.
    """
    held = [] if table is None else table.names
    names = [*held, *(name for name in layer.names if name not in held)]
    if len(names) < _FEWEST_CLASSES:
        raise AerialError(
            f"{layer.where} has one class only, {layer.names[0]!r}: a map shows two or more. "
            "Label at least one other, if only as 'other'."
        )
    if len(names) > _MOST_CLASSES:
        raise AerialError(
            f"{layer.where} has {len(layer.names):,} classes in the column "
            f"{layer.class_column!r}; a map holds {_MOST_CLASSES}. Is that the column of classes? "
            "Another is given by --params=labels.class_column=NAME."
        )
    codes = {} if table is None else dict(table.codes)
    background = [] if table is None else table.background
    used = {0, *background, *(code for each in codes.values() for code in each)}
    first = max(used) + 1 if table is not None else 1
    added = [name for name in names if name not in codes]
    codes |= {name: [first + position] for position, name in enumerate(added)}
    excluded = [] if table is None else table.excluded
    try:
        return LandCoverClasses(codes=codes, excluded=excluded, background=background)
    except ValidationError as error:
        reason = describe_problems(error, show_values=False)[0]
        raise AerialError(f"{layer.where}: {reason}.") from None
