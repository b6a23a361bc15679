"""The section "Checked by people", put on top of a report that is there."""

import re
from collections.abc import Mapping

from aerial_kedro.accuracy.area import Z_95
from aerial_kedro.accuracy.stratified import Figure
from aerial_kedro.change.checked import Assessment
from aerial_kedro.errors import AerialError
from aerial_kedro.report import wording
from aerial_kedro.report.colours import class_colours
from aerial_kedro.report.pages import page_environment

_SLOTS = {
    name: re.compile(f"(<!--{name}-->).*?(<!--/{name}-->)", re.DOTALL)
    for name in ("people-link", "people")
}
_LINK = '<li><a href="#people">Checked by people</a></li>'


def put_on_page(page: str, assessment: Assessment, colours: Mapping[str, str] | None = None) -> str:
    """Put the section into a report; an older one makes room for it.

    Parameters
    ----------
    page
        The report, as HTML.
    assessment
        What the section shows.
    colours
        Those of the map's classes, class to ``#rrggbb``; None where the user gave none.

    Raises
    ------
    AerialError
        If the page has no place for it.
    """
    parts = {"people-link": _LINK, "people": render_assessment(assessment, colours)}
    for name, slot in _SLOTS.items():
        found = slot.search(page)
        if found is None:
            raise AerialError(
                "08_reporting/report.html has no place for what people checked: it is of tiles or "
                "of class folders, or another version of this project wrote it. Make the map of "
                "cells and its report again (`kedro run`), then assess again. The figures are in "
                "08_reporting/assessment.json."
            )
        page = page[: found.end(1)] + parts[name] + page[found.start(2) :]
    return page


def render_assessment(assessment: Assessment, colours: Mapping[str, str] | None = None) -> str:
    """Render the section alone, as HTML. All text that comes from data is escaped."""
    return (
        page_environment()
        .get_template("people.html.j2")
        .render(
            found=assessment,
            comparison=say_which_is_better(assessment),
            gaps=_list_gaps(assessment),
            colours=class_colours(list(assessment.classes), colours),
            in_percent=in_percent,
            in_km2=in_km2,
        )
    )


def say_which_is_better(assessment: Assessment) -> str:
    """Say whether the map is better than the land cover; empty where there is none."""
    if (cover := assessment.land_cover) is None:
        return ""
    figure = cover.difference
    if figure.estimate is None or figure.low is None or figure.high is None:
        return f"Whether the map is better than the land cover is not known: {figure.reason}."
    points = (
        f"{100 * abs(figure.estimate):.1f} points (95 % interval of the map's less the land "
        f"cover's: {100 * figure.low:+.1f} to {100 * figure.high:+.1f})"
    ).replace("-", "−")
    if figure.low > 0:
        return f"The map is better than the land cover, by {points}."
    if figure.high < 0:
        return f"The land cover is better than the map, by {points}."
    return (
        "The sample does not show which is better, the map or the land cover: they are "
        f"{points} apart, and the interval holds 0."
    )


def in_percent(figure: Figure) -> tuple[str, str]:
    """Write a share and its interval; the second is empty where there is none."""
    if figure.estimate is None:
        return "not known", ""
    value = wording.percent(figure.estimate)
    if figure.low is None or figure.high is None:
        return value, "no interval"
    return value, f"{100 * figure.low:.1f} to {100 * figure.high:.1f}\u00a0%"


def in_km2(figure: Figure) -> tuple[str, str]:
    """Write an area and its interval, with the textbook's ± behind it."""
    if figure.estimate is None:
        return "not known", ""
    value = wording.area(figure.estimate)
    if figure.low is None or figure.high is None or figure.standard_error is None:
        return value, "no interval"
    decimals = len(value.partition(".")[2])
    margin = f"{Z_95 * figure.standard_error:,.{decimals}f}"
    return f"{value} ± {margin}", f"{wording.area(figure.low)} to {wording.area(figure.high)}"


def _list_gaps(assessment: Assessment) -> list[str]:
    """Say why figures are not known, each reason once."""
    figures = [assessment.overall]
    for each in assessment.classes.values():
        figures += [each.users_accuracy, each.producers_accuracy, each.area_km2]
    if (change := assessment.change) is not None:
        figures += [change.area_km2, change.users_accuracy, change.producers_accuracy]
    reasons = [figure.reason for figure in figures if figure.reason]
    return [f"{text[0].upper()}{text[1:]}." for text in dict.fromkeys(reasons)]
