"""How well predicted labels agree with reference labels, in one record."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.accuracy.bootstrap import block_bootstrap
from aerial_kedro.accuracy.confusion import (
    ClassAccuracy,
    class_codes,
    confusion_counts,
    macro_f1,
    overall_accuracy,
    per_class_accuracy,
)
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.accuracy.reliability import (
    ReliabilityBin,
    brier_score,
    check_probabilities,
    expected_calibration_error,
    reliability_curve,
)
from aerial_kedro.parameters import CheckedModel


class Evaluation(CheckedModel):
    """Agreement of predicted with reference labels on one set of tiles.

    Parameters
    ----------
    classes
        Class names; the order of the rows and columns of ``confusion``.
    n
        Number of tiles.
    accuracy
        Share of the tiles whose predicted label is the reference label.
    macro_f1
        Mean F1 over the classes that the reference holds.
    per_class
        User's and producer's accuracy of each class, in the order of ``classes``.
    confusion
        Tile counts; rows are reference labels, columns are predicted labels.
    ece
        Expected calibration error of the probabilities; None without probabilities.
    brier
        Multi-class Brier score, 0 (best) to 2; None without probabilities.
    reliability
        Points of the reliability curve; None without probabilities.
    accuracy_interval, macro_f1_interval
        95 % intervals by block bootstrap; None without blocks, or with a single one.
    blocks
        Number of spatial blocks behind the intervals; None without blocks.
    """

    classes: list[str]
    n: int
    accuracy: float
    macro_f1: float
    per_class: dict[str, ClassAccuracy]
    confusion: list[list[int]]
    ece: float | None = None
    brier: float | None = None
    reliability: list[ReliabilityBin] | None = None
    accuracy_interval: Interval | None = None
    macro_f1_interval: Interval | None = None
    blocks: int | None = None


def evaluate(
    labels: Sequence[str],
    predicted: Sequence[str],
    classes: Sequence[str],
    *,
    probabilities: NDArray[np.floating] | None = None,
    blocks: Sequence[str] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Compare predicted labels with reference labels.

    Parameters
    ----------
    labels, predicted
        Reference and predicted label of each of the ``n`` tiles.
    classes
        Every class name, in the order wanted for tables and for the probabilities' columns.
    probabilities
        Array of shape ``(n, len(classes))`` whose rows sum to 1.
    blocks
        Spatial block of each tile. Tiles of a block are alike, so whole blocks are resampled for
        the 95 % intervals (see :func:`~aerial_kedro.accuracy.bootstrap.block_bootstrap`).
    seed
        Seed of the resampling.

    Raises
    ------
    ValueError
        If there is no tile, the lengths differ, a label is none of the classes, or the
        probabilities are not those of ``len(classes)`` classes.

    Examples
    --------
    >>> classes = ["Forest", "Shrub", "Water"]
    >>> found = evaluate(["Forest", "Forest", "Water"], ["Forest", "Shrub", "Shrub"], classes)
    >>> found.confusion
    [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    >>> found.per_class["Water"].users_accuracy is None  # never predicted
    True
    >>> found.per_class["Shrub"].producers_accuracy is None  # not in the reference
    True
    """
    counts = confusion_counts(labels, predicted, classes)
    found: dict[str, Any] = {}
    if probabilities is not None:
        chances = check_probabilities(probabilities, rows=len(labels), classes=len(classes))
        reference = class_codes(labels, classes, "reference")
        bins = reliability_curve(reference, chances)
        found |= {
            "ece": expected_calibration_error(bins),
            "brier": brier_score(reference, chances),
            "reliability": bins,
        }
    if blocks is not None:
        spread = block_bootstrap(labels, predicted, classes, blocks, seed=seed)
        if spread is not None:
            found["accuracy_interval"], found["macro_f1_interval"] = spread
        found["blocks"] = len(set(blocks))
    return Evaluation(
        classes=list(classes),
        n=len(labels),
        accuracy=overall_accuracy(counts),
        macro_f1=macro_f1(counts),
        per_class=dict(zip(classes, per_class_accuracy(counts), strict=True)),
        confusion=counts.tolist(),
        **found,
    )
