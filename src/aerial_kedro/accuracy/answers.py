"""The filled file of a reference sample, checked against the design that it came from."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from aerial_kedro.accuracy.sampling import SampleDesign
from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import CheckedModel

LOGGER = logging.getLogger(__name__)

SAMPLE_COLUMNS = [
    "sample_id", "cell_id", "year", "lon", "lat", "stratum", "inclusion_probability",
    "class", "alternate", "remark",
]  # fmt: skip
"""Columns of the sample's file."""

SECOND = "second_class"
"""Column that a second interpreter may fill."""

UNSURE_WORD = "unsure"
_NEEDED = ("sample_id", "cell_id", "year", "class")
_OF_A_SAMPLE = {"stratum", "inclusion_probability"}
_ROUNDING = 1e-4  # what table programs keep of a small probability: five digits or more
_SHOWN = 5
_MOSTLY = 0.5  # of the labelled cells
_SAMPLE_ID = re.compile(r"[0-9a-f]{4}-\d{4,}")  # as `accuracy.sampling` names rows


class AnswerFile(CheckedModel):
    """What a file of answers holds, as text.

    Parameters
    ----------
    name
        Its path.
    rows
        A row a cell and year: column to text, empty where there is nothing.
    """

    name: str
    rows: list[dict[str, str]]


def check_answers(file: AnswerFile, design: SampleDesign, open_class: str) -> pd.DataFrame:
    """Check a filled file against the design.

    Parameters
    ----------
    file
        The file.
    design
        What it must be an answer to.
    open_class
        What the map calls cells that it leaves open: no class.

    Returns
    -------
    pandas.DataFrame
        ``sample_id, cell_id, year, stratum, class, alternate, second, unsure``, a row for each of
        the design's cells and years, in its order.

    Raises
    ------
    AerialError
        If the file is empty, of another sample, has rows missing, added, twice, edited or not
        answered, or spells a class in two ways.
    """
    design.check()
    rows = _table(file)
    _check_rows(rows, design, file.name)
    wanted = _wanted(design)
    merged = wanted.merge(rows, on=["sample_id", "year"], suffixes=("", "_given"))
    _check_kept(merged, file.name)
    merged["unsure"] = _first_words(merged["remark"]) == UNSURE_WORD
    _check_answered(merged, file.name)
    _check_spelling(merged, design.classes, open_class, file.name)
    return merged[
        ["sample_id", "cell_id", "year", "stratum", "class", "alternate", "second", "unsure"]
    ]


def check_not_reference(
    columns: Iterable[str],
    sample_ids: Iterable[str],
    cell_ids: Iterable[str],
    design: SampleDesign | None,
    source: str,
) -> None:
    """Refuse labels that are answers to a reference sample: what evaluates a map must not teach it.

    A few labels on sampled cells are none of these: who labels a region meets some by chance. They
    are to be left out of training.

    Parameters
    ----------
    columns
        Columns of the labels' file.
    sample_ids, cell_ids
        What its rows are called, where it says so, and the cells that they label.
    design
        The reference sample that is there; None without one.
    source
        The file, for the message.

    Raises
    ------
    AerialError
        If the file has the columns of a reference sample, rows of this one, or labels mostly its
        cells.
    """
    own = {(name.strip().casefold()) for name in map(str, columns)} & _OF_A_SAMPLE
    if own == _OF_A_SAMPLE:
        _refuse_to_learn(source, f"it has the columns {' and '.join(sorted(own))}")
    samples = sorted(each for each in set(sample_ids) if _SAMPLE_ID.fullmatch(each))
    if samples:
        _refuse_to_learn(source, f"its rows are of a sample, such as {samples[0]}")
    if design is None:
        return
    if named := {*sample_ids} & {each.sample_id for each in design.cells}:
        _refuse_to_learn(source, f"it has {len(named)} rows of the sample, such as {min(named)}")
    labelled = {*cell_ids}
    both = labelled & design.cell_ids
    if len(both) > len(labelled) * _MOSTLY:
        _refuse_to_learn(source, f"{len(both)} of the {len(labelled)} cells it labels are sampled")


def _refuse_to_learn(source: str, why: str) -> None:
    raise AerialError(
        f"labels_path={source} holds answers to a reference sample ({why}). What evaluates a map "
        "must not teach it: give it as --pipeline=assess --params=reference_labels=FILE, and "
        "labels to learn from as labels_path (`kedro run --pipeline=suggest_labels` writes a page "
        "for them)."
    )


def _table(file: AnswerFile) -> pd.DataFrame:
    if not file.rows:
        raise AerialError(
            f"reference_labels={file.name} has no rows. Give the file that the page "
            "(08_reporting/reference.html) saves, or the filled "
            "07_model_output/reference_sample.csv."
        )
    rows = pd.DataFrame(file.rows)
    missing = [name for name in _NEEDED if name not in rows.columns]
    if missing:
        raise AerialError(
            f"reference_labels={file.name} lacks the columns {', '.join(missing)}; it has "
            f"{', '.join(rows.columns)}. Give the file that the page saves, or the filled "
            "07_model_output/reference_sample.csv, with its columns as they were."
        )
    for name in ("alternate", "remark", SECOND):
        if name not in rows.columns:
            rows[name] = ""
    rows = rows.rename(columns={SECOND: "second"}).map(lambda text: text.strip())
    return rows.assign(year=rows["year"].str.removesuffix(".0"))


def _wanted(design: SampleDesign) -> pd.DataFrame:
    probability = {each.name: each.probability for each in design.strata}
    return pd.DataFrame(
        [
            (each.sample_id, each.cell_id, str(year), each.stratum, probability[each.stratum])
            for each in design.cells
            for year in each.years
        ],
        columns=["sample_id", "cell_id", "year", "stratum", "inclusion_probability"],
    )


def _check_rows(rows: pd.DataFrame, design: SampleDesign, name: str) -> None:
    own = {(each.sample_id, str(year)) for each in design.cells for year in each.years}
    found = list(zip(rows["sample_id"], rows["year"], strict=True))
    if not own & set(found):
        raise AerialError(
            f"reference_labels={name} is of another sample: none of its {len(found)} rows is of "
            f"the {len(own)} that were drawn from this map (seed {design.seed}, model "
            f"{design.model}). Give the answers to data/07_model_output/reference_sample.csv, or "
            "the data folder in which that sample was drawn."
        )
    if doubled := _repeated(found):
        raise AerialError(
            f"reference_labels={name} has {_rows(doubled)} twice. Keep one row of each; what a "
            f"second interpreter saw goes into the column {SECOND}."
        )
    if added := sorted(set(found) - own):
        raise AerialError(
            f"reference_labels={name} has {_rows(added)}, which were not drawn. Cells that are "
            "chosen by hand belong to no probability sample: take them out."
        )
    if missing := sorted(own - set(found)):
        raise AerialError(
            f"reference_labels={name} lacks {_rows(missing)} of the {len(own)} that were drawn. "
            "Bring them back from data/07_model_output/reference_sample.csv; of a cell that cannot "
            f"be interpreted, write {UNSURE_WORD!r} into remark."
        )


def _check_kept(merged: pd.DataFrame, name: str) -> None:
    """Refuse what was drawn and has been edited since."""
    for column in ("cell_id", "stratum"):
        if f"{column}_given" in merged.columns:
            given = merged[f"{column}_given"]
            # An empty column is that of a program which could not keep it.
            _refuse_edited(merged, given.ne(merged[column]) & given.ne(""), column, name)
    column = "inclusion_probability"
    if f"{column}_given" in merged.columns:
        text = merged[f"{column}_given"].str.replace(",", ".")
        given = pd.to_numeric(text, errors="coerce")
        apart = (given / merged[column] - 1).abs().gt(_ROUNDING) | given.isna()
        _refuse_edited(merged, apart & text.ne(""), column, name)


def _refuse_edited(merged: pd.DataFrame, edited: pd.Series, column: str, name: str) -> None:
    if not edited.any():
        return
    first = merged[edited].iloc[0]
    raise AerialError(
        f"reference_labels={name} has another {column} than was drawn in {int(edited.sum())} rows, "
        f"first {first['sample_id']} of {first['year']}: {first[f'{column}_given']!r}, not "
        f"{first[column]!r}. The estimates rest on how the sample was drawn: bring the column back "
        "from data/07_model_output/reference_sample.csv."
    )


def _check_answered(merged: pd.DataFrame, name: str) -> None:
    if not merged["class"].ne("").any():
        raise AerialError(
            f"reference_labels={name} has no answer: the column class is empty in all "
            f"{len(merged)} rows. Fill it on the page (08_reporting/reference.html), in QGIS or in "
            "a table program."
        )
    unanswered = merged[merged["class"].eq("") & ~merged["unsure"]]
    if len(unanswered):
        pairs = list(zip(unanswered["sample_id"], unanswered["year"], strict=True))
        raise AerialError(
            f"reference_labels={name} has no class in {_rows(pairs)}. Without them the sample is "
            "no random one. Answer them, or, of a cell that cannot be interpreted, write "
            f"{UNSURE_WORD!r} into remark: such cells are reported both ways."
        )


def _check_spelling(
    merged: pd.DataFrame, classes: Sequence[str], open_class: str, name: str
) -> None:
    given = {text for column in ("class", "alternate", "second") for text in merged[column] if text}
    by_key: dict[str, set[str]] = {}
    for text in [*given, *classes]:
        by_key.setdefault(text.casefold(), set()).add(text)
    # A map may have two classes whose names are so alike: those are no spellings of one.
    twice = sorted(
        sorted(texts) for texts in by_key.values() if len(texts) > 1 and texts - set(classes)
    )
    if twice:
        one, other = twice[0][:2]
        raise AerialError(
            f"reference_labels={name} spells a class in two ways, or otherwise than the map: "
            f"{one!r} and {other!r}. Write it as the map does: {', '.join(classes)}."
        )
    if open_class.casefold() in by_key:
        raise AerialError(
            f"reference_labels={name} has the class {open_class!r}, which is what the map calls "
            f"cells that it leaves open. Leave class empty and write {UNSURE_WORD!r} into remark."
        )
    for text in sorted(given - set(classes)):
        LOGGER.warning(
            "The class %r of reference_labels is none of the map's (%s): wherever people saw it, "
            "the map is wrong", text, ", ".join(classes),
        )  # fmt: skip


def _first_words(remarks: pd.Series) -> pd.Series:
    return remarks.str.split(r"[;,\s]", n=1, regex=True).str[0].str.casefold()


def _repeated(found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(each for each, count in Counter(found).items() if count > 1)


def _rows(pairs: Sequence[tuple[str, str]]) -> str:
    """Name rows in a message: all of a few, the first of many."""
    some = ", ".join(f"{sample} of {year}" for sample, year in pairs[:_SHOWN])
    more = f" and {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
    return f"{len(pairs)} row{'s' if len(pairs) > 1 else ''} ({some}{more})"
