"""The report's charts, as matplotlib figures that know nothing of the page."""

import io
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.change.summary import ChangeAssessment
from aerial_kedro.report.wording import in_words

INK = "#1f2933"
MUTED = "#6b7785"
ACCENT = "#1d5b8f"
LONGEST_LABEL = 24
"""Letters of a name that a figure has room for; the page's tables have the whole name."""
SERIES = (ACCENT, "#e08a2c", "#5a9367", "#8a5fa8", "#b0475c")
"""Colours of compared models."""
_LEAST_RANK = 50  # places that the figure of change shows at least


def house_style() -> AbstractContextManager[None]:
    """Draw and save within this, for the look that all figures share."""
    return rc_context(
        {
            "svg.fonttype": "none",  # real text: any script's letters, searchable, small
            "svg.hashsalt": "aerial_kedro",  # the same figure gives the same bytes
            "font.size": 10,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": "#c5ccd3",
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


def figure_svg(figure: Figure) -> bytes:
    """Encode a figure as SVG, the same bytes for the same figure.

    Examples
    --------
    >>> figure_svg(new_figure(1, 1))[:5]
    b'<?xml'
    """
    buffer = io.BytesIO()
    with house_style(), warnings.catch_warnings():
        # The page's reader has the letters that the font used for measuring may lack.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Begin a figure of a size in inches, laid out so that no label is cut off."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def label(name: str) -> str:
    r"""Make a name from data fit for a figure: short enough, and never read as mathematics.

    Examples
    --------
    >>> print(label("a$b$"))
    a\$b\$
    >>> label("a folder name that goes on and on")
    'a folder name that goes…'
    """
    short = name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1].rstrip()}…"
    return short.replace("$", r"\$")


def confusion_figure(evaluation: Evaluation) -> Figure:
    """Confusion matrix: counts, and the share of each reference class, which is the shade too.

    Parameters
    ----------
    evaluation
        The evaluation; classes become rows (reference) and columns (predicted).
    """
    names = [label(name) for name in evaluation.classes]
    size = len(names)
    counts = np.array(evaluation.confusion)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    with house_style():
        figure = new_figure(1.9 + 0.82 * size, 1.3 + 0.62 * size)
        axes = figure.add_subplot()
        # The scale ends above 1 so that dark text reads on every cell.
        axes.imshow(shares, cmap=colormaps["Blues"], vmin=0, vmax=1.7, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            share = f"\n{shares[row, column]:.0%}" if count else ""
            axes.text(
                column,
                row,
                f"{count:,}{share}" if totals[row, 0] else "–",
                ha="center",
                va="center",
                fontweight="bold" if row == column else "normal",
            )
        axes.set_xticks(range(size), names, rotation=30, ha="left", rotation_mode="anchor")
        axes.set_yticks(range(size), names)
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("Predicted")
        axes.set_ylabel("Reference")
        axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=2)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
    return figure


def reliability_figure(evaluation: Evaluation, units: str = "Tiles") -> Figure:
    """Reliability diagram: accuracy against confidence, and how many tiles each point holds.

    Parameters
    ----------
    evaluation
        The evaluation, with probabilities.
    units
        What it counts.

    Raises
    ------
    ValueError
        If the evaluation was made without probabilities.
    """
    if evaluation.reliability is None:
        raise ValueError("There is no reliability curve: evaluate with probabilities.")
    confidence = [point.confidence for point in evaluation.reliability]
    accuracy = [point.accuracy for point in evaluation.reliability]
    counts = [point.count for point in evaluation.reliability]
    with house_style():
        figure = new_figure(4.8, 4.8)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.6, 1])
        above.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
        above.text(0.04, 0.1, "as sure as right", color=MUTED, rotation=40, fontsize=9)
        above.plot(confidence, accuracy, color=ACCENT, marker="o", linewidth=1.6)
        above.set(xlim=(0, 1), ylim=(0, 1.03), ylabel="Share that was right")
        below.bar(confidence, counts, width=0.05, color=ACCENT, alpha=0.75)
        below.set(xlabel="Probability given to the predicted class", ylabel=units)
        for axes in (above, below):
            quiet(axes)
        below.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        above.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        above.tick_params(labelbottom=False)
    return figure


def class_accuracy_figure(evaluations: Mapping[str, Evaluation]) -> Figure:
    """Draw user's and producer's accuracy of each class, one bar a model.

    A missing bar is a value that is not defined, not one of 0.

    Parameters
    ----------
    evaluations
        ``{model: evaluation}``, all over the same classes.
    """
    classes = next(iter(evaluations.values())).classes
    height = 0.8 / len(evaluations)
    with house_style():
        figure = new_figure(9.2, 1.1 + len(classes) * (0.22 + 0.2 * len(evaluations)))
        panels = figure.subplots(1, 2, sharey=True)
        measures = (
            ("users_accuracy", "User's accuracy"),
            ("producers_accuracy", "Producer's accuracy"),
        )
        for axes, (field, heading) in zip(panels, measures, strict=True):
            for number, (model, evaluation) in enumerate(evaluations.items()):
                values = [getattr(evaluation.per_class[name], field) for name in classes]
                at = np.arange(len(classes)) + (number - (len(evaluations) - 1) / 2) * height
                bars = [(y, v) for y, v in zip(at, values, strict=True) if v is not None]
                axes.barh(
                    [y for y, _ in bars],
                    [v for _, v in bars],
                    height=height * 0.9,
                    color=SERIES[number % len(SERIES)],
                    label=label(in_words(model)),
                )
                for y, value in bars:
                    axes.text(value + 0.01, y, f"{value:.0%}", va="center", fontsize=8)
            axes.set_title(heading, fontsize=11, loc="left")
            axes.set_xlim(0, 1.1)
            percent_axis(axes)
        panels[0].set_yticks(range(len(classes)), [label(name) for name in classes])
        panels[0].invert_yaxis()
        if len(evaluations) > 1:
            handles, labels = panels[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return figure


def comparison_figure(
    models: Mapping[str, Evaluation], baselines: Mapping[str, Evaluation], units: str = "tiles"
) -> Figure:
    """Overall accuracy of models and baselines, with the 95 % interval where there is one.

    Parameters
    ----------
    models, baselines
        ``{name: evaluation on the test split}``.
    units
        What they count.
    """
    rows = [(name, found, ACCENT) for name, found in models.items()]
    rows += [(name, found, "#a9b4bf") for name, found in baselines.items()]
    with house_style():
        figure = new_figure(9.2, 0.7 + 0.46 * len(rows))
        axes = figure.add_subplot()
        for y, (_, found, colour) in enumerate(rows):
            axes.barh(y, found.accuracy, height=0.62, color=colour)
            reach = found.accuracy
            if (interval := found.accuracy_interval) is not None:
                axes.plot([interval.lower, interval.upper], [y, y], color=INK, linewidth=1.6)
                axes.plot([interval.lower, interval.upper], [y, y], "|", color=INK, markersize=8)
                reach = interval.upper
            axes.text(reach + 0.012, y, f"{found.accuracy:.1%}", va="center", fontweight="bold")
        axes.set_yticks(range(len(rows)), [label(in_words(name)) for name, _, _ in rows])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.1)
        axes.set_xlabel(f"Share of test {units} labelled right; line: 95 % interval")
        percent_axis(axes)
    return figure


def change_figure(assessment: ChangeAssessment) -> Figure:
    """Draw how many changes were expected and how many were true, down the list of places.

    The list is shown as far as twice the number of true changes: beyond, nearly nothing is left.
    """
    changes = assessment.true_changes
    last = min(assessment.places, max(_LEAST_RANK, 2 * changes))
    points = [point for point in assessment.curve if point.first <= last]
    first = [0, *(point.first for point in points)]
    true = [0, *(point.true for point in points)]
    expected = [0, *(point.expected for point in points)]
    top = 1.12 * max(changes, expected[-1], 1)
    with house_style():
        figure = new_figure(7.2, 4.2)
        axes = figure.add_subplot()
        axes.plot([0, top], [0, top], color="#c5ccd3", linewidth=1)
        axes.axhline(changes, color=MUTED, linewidth=1, linestyle=":")
        marks = f"all {changes:,} true changes"
        axes.text(last, changes, marks, color=MUTED, ha="right", va="bottom", fontsize=9)
        axes.plot(first, true, color=ACCENT, linewidth=2.2, label="truly changed")
        axes.plot(first, expected, color=SERIES[1], linewidth=2.2, linestyle="--", label="expected")
        marks = "if every place were a true change "
        axes.text(0.76 * top, 0.76 * top, marks, color=INK, ha="right", fontsize=8)
        axes.set(xlim=(0, last), ylim=(0, top))
        axes.set_xlabel("Places looked at, the likeliest change first")
        axes.set_ylabel("Changes among them")
        quiet(axes)
        axes.legend(loc="lower right", frameon=False)
    return figure


def percent_axis(axes: Axes) -> None:
    """Give horizontal bars of shares their axis."""
    quiet(axes)
    axes.grid(axis="y", visible=False)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(axis="y", length=0)


def quiet(axes: Axes) -> None:
    """Leave out what carries no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6eaee", linewidth=0.8)
    axes.set_axisbelow(True)
