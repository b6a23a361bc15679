"""Columns of a file of labels: which holds the classes, which the year, and what their values mean.

Values are looked at once each, not once a row: a file of a million labels has few of them.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import FIRST_YEAR, LAST_YEAR
from aerial_kedro.tiles.shapes import some_of

CLASS_COLUMNS = (
    "class", "class_name", "classname", "label", "landcover", "land_cover", "cover", "category",
)  # fmt: skip
"""Names, in small letters, under which a column of classes is found."""

YEAR_COLUMNS = ("year", "date", "datetime", "date_time", "timestamp")
"""Names, in small letters, under which a year or date is found."""

PAGE_COLUMNS = ("sample_id", "cell_id", "alternate", "remark")
"""Columns of the labelling page that are never taken for classes."""

PLACE_COLUMNS = (
    ("lon", "lat"), ("longitude", "latitude"), ("lng", "lat"), ("long", "lat"), ("x", "y"),
)  # fmt: skip
"""Names, in small letters, of the two columns that place a row of a table."""

# A text column with more values than this, or with hardly a value twice, holds no classes.
_MOST_VALUES = 50
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})(-\d{1,2})?([T ].*)?")
_PLAIN_DATE = re.compile(r"(\d{4})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_YEAR = re.compile(r"(\d{4})(\.0+)?")
_WHOLE = re.compile(r"[+-]?\d+(\.0+)?")


def find_columns(columns: Sequence[str], known: Sequence[str]) -> list[str]:
    """Find the columns of known names, in capitals or not."""
    return [name for name in columns if name.strip().casefold() in known]


def find_class_column(table: pd.DataFrame, given: str | None, where: str) -> str:
    """Find the column that holds the names of classes.

    Parameters
    ----------
    table
        The file's columns, without geometries.
    given
        Its name, where the user gives one.
    where
        The file, for messages.

    Raises
    ------
    AerialError
        If there is none, or it is not plain which.
    """
    columns = list(table.columns)
    if given is not None:
        return _given_column(columns, given, "labels.class_column", where)
    found = find_columns(columns, CLASS_COLUMNS) or _texts_with_few_values(table)
    if len(found) == 1:
        return found[0]
    listed = some_of(columns, 20) or "none"
    raise AerialError(
        f"{where} has {len(found)} columns that may hold the classes: {', '.join(found)}. "
        "Say which one: --params=labels.class_column=NAME."
        if found
        else f"{where} has no column that is plainly of classes; there are: {listed}. Say which "
        "one it is: --params=labels.class_column=NAME."
    )


def _given_column(columns: Sequence[str], given: str, parameter: str, where: str) -> str:
    same = [name for name in columns if name == given]
    found = same or find_columns(columns, (given.strip().casefold(),))
    if len(found) == 1:
        return found[0]
    raise AerialError(
        f"{where} has no column {given!r}, which `{parameter}` names; there are: "
        f"{some_of(columns, 20) or 'none'}. Set it to one of them, or to null to have it found."
    )


def _texts_with_few_values(table: pd.DataFrame) -> list[str]:
    """Columns of text in which a few values come again and again."""
    found = []
    for name in table.columns:
        if name.strip().casefold() in (*PAGE_COLUMNS, *YEAR_COLUMNS):
            continue
        values = table[name].dropna()
        if pd.api.types.is_numeric_dtype(values.dtype) or not len(values):
            continue
        different = {str(each).strip() for each in values.unique()} - {""}
        few = 0 < len(different) <= min(_MOST_VALUES, len(values) / 2)
        if few and not all(_is_number(each) or _ISO_DATE.fullmatch(each) for each in different):
            found.append(name)
    return found


def read_classes(values: pd.Series, column: str, where: str) -> tuple[pd.Series, bool]:
    """Read the names of classes: blanks around them are dropped.

    Parameters
    ----------
    values
        The column.
    column, where
        Its name and the file, for messages.

    Returns
    -------
    names : pandas.Series
        Text (object), None where there is none.
    are_numbers : bool
        Whether all of them are numbers, which stand for themselves: ``3`` is called "3".

    Raises
    ------
    AerialError
        If the values are numbers with fractions, or a name cannot be written on a map.
    """
    texts = _each_once(values, lambda value: str(value).strip() or None)
    different = [str(each) for each in texts.dropna().unique()]
    are_numbers = bool(different) and all(_is_number(each) for each in different)
    if are_numbers:
        broken = [each for each in different if not _WHOLE.fullmatch(each)]
        if broken:
            raise AerialError(
                f"{where} has numbers with fractions in its column of classes, {column!r}: "
                f"{some_of(broken)}. They are measurements, no classes: give names, or another "
                "column (--params=labels.class_column=NAME)."
            )
        texts = _each_once(texts, lambda text: str(int(float(text))))
    else:
        texts = _each_once(texts, lambda text: unicodedata.normalize("NFC", text))
        _check_names([str(each) for each in texts.dropna().unique()], column, where)
    return texts, are_numbers


def _check_names(names: list[str], column: str, where: str) -> None:
    """Refuse names that a map's tag ``CLASSES`` (``1 Forest, 2 Water``) could not carry."""
    for name in names:
        hidden = [each for each in name if unicodedata.category(each) in ("Cc", "Zl", "Zp")]
        if hidden or "," in name:
            what = "a comma" if not hidden else "a line break or another control character"
            raise AerialError(
                f"{where} has a class called {name!r} in its column {column!r}: the map's list of "
                f"classes is divided by commas in one line, so a name cannot hold {what}. Rename "
                "it in the file."
            )


def find_spellings(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Find names that differ in capitals, blanks, hyphens or underscores alone.

    Examples
    --------
    >>> find_spellings(["Row crop", "Forest", "row_crop"])
    (('Row crop', 'row_crop'),)
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(re.sub(r"[\s_-]+", " ", name).casefold(), []).append(name)
    return tuple(tuple(sorted(each)) for each in alike.values() if len(each) > 1)


def read_years(table: pd.DataFrame, given: str | None, where: str) -> tuple[pd.Series, str | None]:
    """Read the year of each row, from a column of years or dates.

    Parameters
    ----------
    table
        The file's columns.
    given
        Name of the column, where the user gives one.
    where
        The file, for messages.

    Returns
    -------
    years : pandas.Series
        Int32, missing where the row has none.
    column : str or None
        The column; None where there is none.

    Raises
    ------
    AerialError
        If a value is no year and no date, or two columns contradict each other.
    """
    if given is not None:
        columns = [_given_column(list(table.columns), given, "labels.year_column", where)]
    else:
        columns = find_columns(list(table.columns), YEAR_COLUMNS)
    if not columns:
        return pd.Series(pd.NA, index=table.index, dtype="Int32"), None
    found = [_years_of(table[name], name, where) for name in columns]
    for name, years in zip(columns[1:], found[1:], strict=True):
        differ = (found[0] != years).fillna(value=False).to_numpy(bool)
        if differ.any():
            raise AerialError(
                f"{where} has two columns with years, {columns[0]!r} and {name!r}, that differ in "
                f"{int(differ.sum()):,} rows, the first of them number "
                f"{int(np.flatnonzero(differ)[0]) + 1}. Say which one holds: "
                "--params=labels.year_column=NAME."
            )
    return found[0], columns[0]


def _years_of(values: pd.Series, column: str, where: str) -> pd.Series:
    years = _each_once(values, _year_of)
    wrong = (years == 0).to_numpy(bool)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise AerialError(
            f"{where} has {values.iloc[row]!r} in its column {column!r} (row {row + 1}): that is "
            f"neither a year from {FIRST_YEAR} to {LAST_YEAR} nor a date such as 2018-07-04. "
            "Correct it, or leave it empty: a label without a year is of every year."
        )
    return years.astype("Int32")


def _year_of(value: object) -> int | None:
    """Year of a value; None where it is empty, 0 where it is none."""
    if isinstance(value, datetime):  # pandas' timestamps as well
        return value.year if FIRST_YEAR <= value.year <= LAST_YEAR else 0
    text = str(value).strip().replace("/", "-")
    if not text:
        return None
    for form in (_YEAR, _PLAIN_DATE, _ISO_DATE):
        if match := form.fullmatch(text):
            year = int(match[1])
            return year if FIRST_YEAR <= year <= LAST_YEAR else 0
    return 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return bool(re.search(r"\d", text))


def _each_once(values: pd.Series, read: Callable[..., object]) -> pd.Series:
    """Read every different value once; what is missing stays so (None)."""
    codes, different = pd.factorize(values)
    read_values = np.array([*(read(each) for each in different), None], dtype=object)
    return pd.Series(read_values[codes], index=values.index, dtype=object)
