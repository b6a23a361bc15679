"""One HTML page from the report's content: no other file, no network, no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.report import wording
from aerial_kedro.report.change import ranking_figure
from aerial_kedro.report.colours import class_colours
from aerial_kedro.report.content import MapImage, Period, ReportContent
from aerial_kedro.report.figures import (
    class_accuracy_figure,
    comparison_figure,
    confusion_figure,
    reliability_figure,
)
from aerial_kedro.report.maps import confidence_figure, imagery_jpeg, map_colours, map_figure
from aerial_kedro.report.pages import data_address, figure_address, page_environment
from aerial_kedro.report.summary import headlines, largest_confusions, summary_sentences


class _MapPictures(BaseModel):
    """The pictures of one period's map, as data addresses."""

    model_config = ConfigDict(frozen=True)

    land_cover: str
    confidence: str | None
    imagery: str | None
    crs: str
    rows: int
    columns: int


def render_report(content: ReportContent) -> str:
    """Render the page.

    Parameters
    ----------
    content
        What it shows; sections whose data is absent are left out.

    Returns
    -------
    str
        A whole HTML document. All text that comes from data is escaped.

    Examples
    --------
    >>> page = render_report(ReportContent(title="Wells & Co", created="today"))
    >>> "<h1>Wells &amp; Co</h1>" in page
    True
    """
    test = content.chosen_test
    template = page_environment(_FILTERS).get_template("report.html.j2")
    return template.render(
        content=content,
        headlines=headlines(content),
        sentences=summary_sentences(content),
        charts=_charts(content),
        maps={period: _map_pictures(found) for period, found in content.maps.items()},
        legend=_legend(content.maps),
        error_pictures={
            period: figure_address(map_figure(found.image, legend=False))
            for period, found in content.error_maps.items()
        },
        error_legend=_legend({year: found.image for year, found in content.error_maps.items()}),
        change_chart=_change_chart(content),
        colours=_colours(content),
        test=test,
        confusions=largest_confusions(test) if test else [],
        example=_most_frequent_class(test) if test else "",
        largest_share=max(
            (row.share for rows in content.areas.values() for row in rows), default=1
        ),
    )


_FILTERS: dict[str, Callable[..., object]] = {
    "area": wording.area,
    "area_range": wording.area_range,
    "decimal_range": wording.decimal_range,
    "baseline_name": wording.baseline_name,
    "address": data_address,
}


def _charts(content: ReportContent) -> dict[str, str]:
    """Draw the charts that the content has data for."""
    test = content.chosen_test
    if test is None:
        return {}
    on_test = {wording.model_name(name): found.test for name, found in content.models.items()}
    baselines = {wording.baseline_name(name): found for name, found in content.baselines.items()}
    charts = {
        "confusion": figure_address(confusion_figure(test)),
        "classes": figure_address(class_accuracy_figure(_same_classes(on_test, test))),
        "comparison": figure_address(comparison_figure(on_test, baselines)),
    }
    if test.reliability:
        charts["reliability"] = figure_address(reliability_figure(test))
    return charts


def _change_chart(content: ReportContent) -> str:
    judged = content.change.assessment if content.change else None
    return figure_address(ranking_figure(judged)) if judged else ""


def _same_classes(evaluations: Mapping[str, Evaluation], test: Evaluation) -> dict[str, Evaluation]:
    return {name: found for name, found in evaluations.items() if found.classes == test.classes}


def _most_frequent_class(test: Evaluation) -> str:
    """Choose the class by which the page explains the measures."""
    return max(test.per_class, key=lambda name: test.per_class[name].support)


def _map_pictures(found: MapImage) -> _MapPictures:
    return _MapPictures(
        land_cover=figure_address(map_figure(found, legend=False)),
        confidence=None if found.confidence is None else figure_address(confidence_figure(found)),
        imagery=None if found.imagery is None else data_address(imagery_jpeg(found.imagery)),
        crs=found.crs,
        rows=found.class_index.shape[0],
        columns=found.class_index.shape[1],
    )


def _legend(maps: Mapping[Period, MapImage]) -> dict[str, str]:
    """Colour of each class that any of the maps holds."""
    found: dict[str, str] = {}
    for one in maps.values():
        colours = map_colours(one)
        for i, name in enumerate(one.classes):
            if name not in found and (one.class_index == i).any():
                found[name] = colours[name]
    return found


def _colours(content: ReportContent) -> dict[str, Any]:
    """Colour of every class that the page names."""
    names = [row.class_name for rows in content.areas.values() for row in rows]
    names += content.chosen_test.classes if content.chosen_test else []
    names += list(content.gallery)
    names += list(content.catalog.class_by_split) if content.catalog else []
    names += content.change.classes if content.change else []
    return {**class_colours(names), **_legend(content.maps)}
