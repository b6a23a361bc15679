"""The page of a comparison of models: one HTML file, no network, no script."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from aerial_kedro.accuracy.ranking import ComparedModel, Ranking, accuracy_range
from aerial_kedro.report.figures import (
    ACCENT,
    INK,
    MUTED,
    house_style,
    label,
    new_figure,
    quiet,
)
from aerial_kedro.report.pages import figure_address, page_environment
from aerial_kedro.report.wording import in_words

_ROOM = 0.15
"""Margin on both sides of the intervals, as a share of what they span."""


def render_comparison(ranking: Ranking, created: str, fingerprint: str, images: int) -> str:
    """Render the page.

    Parameters
    ----------
    ranking
        The models that it shows.
    created
        When the page was made, in words.
    fingerprint, images
        Fingerprint of the tile catalog, and its number of images.

    Returns
    -------
    str
        A whole HTML document. All text that comes from data is escaped.
    """
    return (
        page_environment()
        .get_template("comparison.html.j2")
        .render(
            ranking=ranking,
            best=ranking.best,
            created=created,
            fingerprint=fingerprint,
            images=images,
            spread=accuracy_range,
            chart=figure_address(ranking_figure(ranking)),
        )
    )


def ranking_figure(ranking: Ranking) -> Figure:
    """Draw the accuracy of each model on both splits, the validation split's with its interval.

    Parameters
    ----------
    ranking
        A row for each model, in its order.
    """
    models = [each.model for each in ranking.models]
    spreads = [accuracy_range(each.validation) for each in models]
    at = np.arange(len(models))
    with house_style():
        figure = new_figure(9.2, 1.3 + 0.42 * len(models))
        axes = figure.add_subplot()
        axes.hlines(at, [s.lower for s in spreads], [s.upper for s in spreads], color=INK)
        axes.plot(
            [each.validation.accuracy for each in models], at, "o", color=ACCENT,
            markersize=8, label="validation, with its 95 % interval",
        )  # fmt: skip
        axes.plot(
            [each.test.accuracy for each in models], at, "D", markerfacecolor="white",
            markeredgecolor=MUTED, markersize=6, label="test, which had no say",
        )  # fmt: skip
        axes.set_yticks(at, [model_label(each) for each in models])
        axes.invert_yaxis()
        axes.set_xlabel("Share of tiles labelled right")
        quiet(axes)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        ends = [s.lower for s in spreads] + [s.upper for s in spreads]
        ends += [each.test.accuracy for each in models]
        room = max(0.01, _ROOM * (max(ends) - min(ends)))
        low, high = max(0.0, min(ends) - room), min(1.0, max(ends) + room)
        # A marker at 100 % is drawn whole.
        axes.set_xlim(low, high + 0.02 * (high - low))
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def model_label(model: ComparedModel) -> str:
    """Name a model in a figure.

    Each part is cut by itself, so that the setting is never what is lost.
    """
    parts = (model.backbone, in_words(model.classifier), model.setting)
    return ", ".join(label(part.replace("_", " ")) for part in parts)
