"""The tutorial's figures."""

import io

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from PIL import Image

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.examples.digits.data import BLACK
from aerial_kedro.examples.digits.regression import FittedRegression, Sweep
from aerial_kedro.report.figures import (
    ACCENT,
    INK,
    MUTED,
    SERIES,
    confusion_figure,
    house_style,
    new_figure,
    quiet,
)
from aerial_kedro.report.pages import data_address

_A_ROW = 10


def choose_sample(labels: NDArray[np.uint8], count: int, *, seed: int) -> NDArray[np.int64]:
    """Positions of random digits, none twice; all where there are not so many."""
    generator = np.random.default_rng(seed)
    return generator.choice(len(labels), min(count, len(labels)), replace=False)


def sample_figure(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Figure:
    """Digits with their labels, ten in a row.

    Parameters
    ----------
    images
        ``(n, rows, columns)`` uint8.
    labels
        ``(n,)``.
    """
    rows = -(-len(images) // _A_ROW)
    with house_style():
        figure = new_figure(9.2, 1.1 * rows)
        panels = figure.subplots(rows, _A_ROW, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        for axes, image, label in zip(panels, images, labels, strict=False):
            axes.imshow(image, cmap="Greys", vmin=0, vmax=255)
            axes.set_title(str(label), fontsize=11, pad=3)
    return figure


def weights_figure(model: FittedRegression, shape: tuple[int, int]) -> Figure:
    """Draw what speaks for each digit (blue) and against it (red), by pixel.

    Parameters
    ----------
    model
        The regression.
    shape
        Rows and columns of an image.
    """
    # A digit that training lacked, or that all training images show, has no weights.
    weights = {
        int(digit): one.coef_.reshape(shape)
        for digit, one in zip(model.classes_, model.estimators_, strict=False)
        if hasattr(one, "coef_")
    }
    # The strongest weights are few and at the rim; they would leave the others white.
    limit = float(np.percentile(np.abs(list(weights.values())), 99)) if weights else 0.0
    with house_style():
        figure = new_figure(9.2, 3.9)
        for digit, axes in enumerate(figure.subplots(2, 5).ravel()):
            axes.set_axis_off()
            axes.set_title(str(digit), fontsize=11, pad=3)
            if digit in weights:
                axes.imshow(weights[digit], cmap="RdBu", vmin=-limit or -1, vmax=limit or 1)
    return figure


def digits_confusion_figure(evaluation: Evaluation) -> Figure:
    """Confusion matrix in the report's manner; names of one letter stand upright."""
    figure = confusion_figure(evaluation)
    for tick in figure.axes[0].get_xticklabels():
        tick.set(rotation=0, horizontalalignment="center")
    return figure


def sweep_figure(sweep: Sweep, chosen: float) -> Figure:
    """Accuracy against the strength of regularisation.

    Parameters
    ----------
    sweep
        Accuracies by strength.
    chosen
        Strength of this run's model, marked.
    """
    strengths = [point.regularization for point in sweep.points]
    with house_style():
        figure = new_figure(9.2, 3.8)
        axes = figure.add_subplot()
        for accuracy, color, images in (
            ("train_accuracy", SERIES[1], f"the {sweep.fitted:,} training images of the fit"),
            ("validation_accuracy", ACCENT, f"{sweep.validated:,} other training images"),
        ):
            accuracies = [getattr(point, accuracy) for point in sweep.points]
            axes.plot(strengths, accuracies, color=color, marker="o", label=images)
        axes.axvline(chosen, color=MUTED, linewidth=1, linestyle="--")
        axes.annotate(
            f" this run: {chosen:g}",
            (chosen, 0.02),
            xycoords=("data", "axes fraction"),
            color=INK,
            fontsize=9,
        )
        axes.set_xscale("log")
        axes.set_xlabel("Regularisation (1 / C); stronger to the right")
        axes.set_ylabel("Share read right")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        quiet(axes)
        axes.legend(frameon=False, loc="best")
    return figure


def dark_on_white(image: NDArray[np.uint8]) -> str:
    """Show a digit dark on white, as on paper."""
    buffer = io.BytesIO()
    Image.fromarray(BLACK - image).save(buffer, "PNG")
    return data_address(buffer.getvalue())
