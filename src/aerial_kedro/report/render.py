"""One HTML page from the report's content: no other file, no network, no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.report import wording
from aerial_kedro.report.colours import class_colours
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.figures import (
    change_figure,
    class_accuracy_figure,
    comparison_figure,
    confusion_figure,
    reliability_figure,
)
from aerial_kedro.report.maps import confidence_figure, map_colours, map_figure
from aerial_kedro.report.pages import data_address, figure_address, page_environment
from aerial_kedro.report.pictures import MapImage
from aerial_kedro.report.summary import confusion_texts, headlines, summary_sentences


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
    test = content.test
    errors = {year: found.image for year, found in content.error_maps.items()}
    filters: dict[str, Callable[..., object]] = {
        "area": wording.area,
        "area_range": wording.area_range,
        "decimal_range": wording.decimal_range,
        "baseline_name": wording.baseline_name,
        "address": data_address,
    }
    template = page_environment(filters).get_template("report.html.j2")
    return template.render(
        content=content,
        headlines=headlines(content),
        sentences=summary_sentences(content),
        charts=_charts(content),
        maps={year: figure_address(map_figure(found)) for year, found in content.maps.items()},
        confidence_maps={
            year: figure_address(confidence_figure(found))
            for year, found in content.maps.items()
            if found.confidence is not None
        },
        legend=_legend(content.maps),
        error_maps={year: figure_address(map_figure(found)) for year, found in errors.items()},
        error_legend=_legend(errors),
        colours=_colours(content),
        test=test,
        confusions=confusion_texts(test) if test else [],
        example=_most_frequent_class(test) if test else "",
        largest_share=max(
            (row.share for rows in content.areas.values() for row in rows), default=1
        ),
    )


def _charts(content: ReportContent) -> dict[str, str]:
    """Draw the charts that the content has data for."""
    charts = {}
    if content.change.assessment:
        charts["change"] = change_figure(content.change.assessment)
    if (training := content.training) and (test := content.test):
        models = {wording.model_name(name): each.test for name, each in training.models.items()}
        baselines = {wording.baseline_name(name): each for name, each in training.baselines.items()}
        charts |= {
            "confusion": confusion_figure(test),
            "classes": class_accuracy_figure(
                {name: each for name, each in models.items() if each.classes == test.classes}
            ),
            "comparison": comparison_figure(models, baselines),
        }
        if test.reliability:
            charts["reliability"] = reliability_figure(test)
    return {name: figure_address(figure) for name, figure in charts.items()}


def _most_frequent_class(test: Evaluation) -> str:
    """Choose the class by which the page explains the measures."""
    return max(test.per_class, key=lambda name: test.per_class[name].support)


def _legend(maps: Mapping[str, MapImage]) -> dict[str, str]:
    """Colour of each class that any of the maps holds."""
    found: dict[str, str] = {}
    for one in maps.values():
        colours = map_colours(one)
        for i, name in enumerate(one.classes):
            if name not in found and (one.class_index == i).any():
                found[name] = colours[name]
    return found


def _colours(content: ReportContent) -> dict[str, str]:
    """Colour of every class that the page names."""
    names = [row.class_name for rows in content.areas.values() for row in rows]
    names += content.test.classes if content.test else []
    names += list(content.gallery)
    names += list(content.catalog.class_by_split) if content.catalog else []
    names += content.change.classes
    return {**class_colours(names), **_legend(content.maps)}
