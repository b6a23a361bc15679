"""The chart of how an estimate of change holds against the truth."""

from __future__ import annotations

from matplotlib.figure import Figure

from aerial_kedro.change.assessment import ChangeAssessment
from aerial_kedro.report.figures import ACCENT, INK, MUTED, SERIES, house_style, new_figure, quiet

_LEAST_RANK = 50


def ranking_figure(assessment: ChangeAssessment) -> Figure:
    """Draw how many changes were expected and how many were true, down the list of places.

    The list is shown as far as twice the number of true changes: beyond, nearly nothing is left.

    Parameters
    ----------
    assessment
        The estimate against the truth.
    """
    last = min(assessment.places, max(_LEAST_RANK, 2 * assessment.true_changes))
    points = [point for point in assessment.curve if point.first <= last]
    first = [0, *(point.first for point in points)]
    true = [0, *(point.true for point in points)]
    expected = [0, *(point.expected for point in points)]
    top = 1.12 * max(assessment.true_changes, expected[-1], 1)
    with house_style():
        figure = new_figure(7.2, 4.2)
        axes = figure.add_subplot()
        axes.plot([0, top], [0, top], color="#c5ccd3", linewidth=1)
        axes.axhline(assessment.true_changes, color=MUTED, linewidth=1, linestyle=":")
        axes.text(
            last,
            assessment.true_changes,
            f"all {assessment.true_changes:,} true changes",
            color=MUTED,
            ha="right",
            va="bottom",
            fontsize=9,
        )
        axes.plot(first, true, color=ACCENT, linewidth=2.2, label="truly changed")
        axes.plot(first, expected, color=SERIES[1], linewidth=2.2, linestyle="--", label="expected")
        axes.text(
            0.76 * top,
            0.76 * top,
            "if every place were a true change ",
            color=INK,
            fontsize=8,
            ha="right",
        )
        axes.set(
            xlim=(0, last),
            ylim=(0, top),
            xlabel="Places looked at, the likeliest change first",
            ylabel="Changes among them",
        )
        quiet(axes)
        axes.legend(loc="lower right", frameon=False)
    return figure
