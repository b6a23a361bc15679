"""Nodes that assess a map by a reference sample that people have interpreted."""

import logging

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.answers import AnswerFile, check_answers
from aerial_kedro.accuracy.assessment import (
    Interpreted,
    assess_land_cover,
    assess_map,
    compare_interpreters,
    count_alternates,
    foretell,
    weigh_unsure,
)
from aerial_kedro.accuracy.sampling import SampleDesign
from aerial_kedro.accuracy.stratified import Figure
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.change.checked import Assessment, assess_change
from aerial_kedro.change.interpreted import interpret_change, interpret_year
from aerial_kedro.change.shown import ShownMap
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.maps.fine import cells_of_column
from aerial_kedro.report.colours import class_colours

LOGGER = logging.getLogger(__name__)


def read_answers(file: AnswerFile, design: SampleDesign) -> pd.DataFrame:
    """Check a filled file against the design that it must be an answer to: `check_answers`."""
    return check_answers(file, design, UNSURE)


def assess(
    answers: pd.DataFrame,
    file: AnswerFile,
    design: SampleDesign,
    shown: ShownMap,
    cell_predictions: DataFrame,
    tile_catalog: DataFrame,
) -> Assessment:
    """Assess the map that is there by the answers to a sample that was drawn of it.

    Parameters
    ----------
    answers
        What people saw, by `read_answers`.
    file
        The file that they filled.
    design
        How the sample was drawn.
    shown
        What the map shows, now.
    cell_predictions, tile_catalog
        For the land cover of the sampled cells.

    Raises
    ------
    AerialError
        If the map has other years than the sample, or not all of its cells any more.
    """
    check_years(design, shown)
    rows = pd.concat([answers, shown.find(answers["cell_id"].tolist())], axis=1)
    rows["land_cover"] = _land_cover(rows, shown, cell_predictions, tile_catalog)
    by_year = {year: interpret_year(rows, design, shown, year) for year in design.years}
    areas = {year: shown.areas_km2(year) for year in design.years}
    years = {str(year): assess_map(each, areas[year]) for year, each in by_year.items()}
    last = by_year[design.years[-1]]
    found = years[str(design.years[-1])]
    redrawn = shown.key != design.map_key
    assessment = Assessment(
        labels=file.name,
        sample=design.fingerprint,
        model=design.model,
        map_key=shown.key,
        redrawn=redrawn,
        year=design.years[-1],
        cells=found.cells,
        area_km2=last.area_km2,
        strata=_count_strata(last),
        overall=found.overall,
        classes=found.classes,
        years=years,
        change=None
        if len(design.years) == 1
        else assess_change(interpret_change(rows, design, shown)),
        land_cover=assess_land_cover(last, shown.classes),
        unsure=weigh_unsure(last, areas[design.years[-1]]),
        alternate=count_alternates(last),
        second_interpreter=compare_interpreters(list(by_year.values())),
        another_100_cells=foretell(last, found),
        classes_not_on_map=sorted({*rows["class"]} - {*shown.classes, ""}),
    )
    _log(assessment)
    return assessment


def show_assessment(page: str, assessment: Assessment, design: SampleDesign) -> str:
    """Put the assessment on top of the report; an older one makes room for it.

    Parameters
    ----------
    page
        The report, as HTML.
    assessment
        What people saw.
    design
        The sample; its classes have the colours of the map.
    """
    from aerial_kedro.report.checked import put_on_page  # noqa: PLC0415  (loads slowly)

    return put_on_page(page, assessment, class_colours(design.classes, design.colours))


def check_years(design: SampleDesign, shown: ShownMap) -> None:
    """Refuse a map of other years than the sample's."""
    if shown.years != design.years:
        raise AerialError(
            f"The reference sample is of {_listed(design.years)}, the map that is there now of "
            f"{_listed(shown.years)}. Make the map of the sample's scenes again, or draw a sample "
            "of this one: `kedro run --pipeline=reference_sample`."
        )


def _listed(years: list[int]) -> str:
    return " and ".join(map(str, years))


def _count_strata(year: Interpreted) -> dict[str, int]:
    counts = np.bincount(year.sample.strata, minlength=len(year.sample.names))
    return dict(zip(year.sample.names, counts.tolist(), strict=True))


def _land_cover(
    rows: pd.DataFrame, shown: ShownMap, cell_predictions: DataFrame, tile_catalog: DataFrame
) -> pd.Series:
    """Give the land cover's class of each row's cell in its year; empty where it has none.

    Labels of one's own name classes of cells too: only tiles with shares have a land cover.
    """
    tiles = shown.places["tile_id"].iloc[rows["place"]].to_numpy()
    wanted = sorted(set(tiles))
    stored = (
        cell_predictions.filter(F.col("tile_id").isin(wanted) & F.col("year").isin(shown.years))
        .select("image_id", "tile_id", "year", "cell_labels")
        .join(tile_catalog.filter("fractions is not null"), "image_id", "left_semi")
        .toPandas()
    )
    labels = cells_of_column(stored["cell_labels"]).reshape(len(stored), COUNT)
    row_of = {
        (tile, str(year)): at
        for at, (tile, year) in enumerate(zip(stored["tile_id"], stored["year"], strict=True))
    }
    names = ["", *shown.classes]
    cells = zip(tiles, rows["year"], rows["number"], strict=True)
    return pd.Series(
        [
            names[labels[row_of[tile, year], number]] if (tile, year) in row_of else ""
            for tile, year, number in cells
        ],
        dtype=object,
    )


def _log(found: Assessment) -> None:
    if found.redrawn:
        LOGGER.info(
            "The map was drawn anew since the sample was: the strata are those of the sample, the "
            "classes those of the map that is there now"
        )
    LOGGER.info(
        "By %d cells that people interpreted, the map of %d has %s of the ground right",
        found.cells, found.year, _in_percent(found.overall),
    )  # fmt: skip
    if (cover := found.land_cover) is not None:
        LOGGER.info(
            "The land cover has %s right, the map %s there",
            _in_percent(cover.overall), _in_percent(cover.map_overall),
        )  # fmt: skip


def _in_percent(figure: Figure) -> str:
    if figure.estimate is None:
        return f"an unknown share ({figure.reason})"
    text = f"{100 * figure.estimate:.1f} %"
    if figure.low is None or figure.high is None:
        return f"{text} (no interval: {figure.reason})"
    return f"{text} (95 % interval {100 * figure.low:.1f} to {100 * figure.high:.1f})"
