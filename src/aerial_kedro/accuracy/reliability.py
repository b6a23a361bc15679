"""Calibration of the predicted class: whether its probability is how often it is right.

References
----------
Brier, G. W. (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather
Review 78(1). Guo, C. et al. (2017), "On calibration of modern neural networks", ICML, for the
expected calibration error.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.parameters import CheckedModel

_BINS = 10
SUM_TOLERANCE = 1e-3
"""How far a row of probabilities may sum from 1: those stored as float32 do by about 1e-6."""


class ReliabilityBin(CheckedModel):
    """The tiles whose highest probability falls into one bin.

    Parameters
    ----------
    confidence
        Their mean highest probability.
    accuracy
        Share of them whose likeliest class is the reference label.
    count
        Number of tiles.
    """

    confidence: float
    accuracy: float
    count: int


def check_probabilities(
    probabilities: NDArray[np.floating], rows: int, classes: int
) -> NDArray[np.float64]:
    """Refuse an array that does not hold one probability for each class.

    Parameters
    ----------
    probabilities
        Array of shape ``(rows, classes)``.
    rows, classes
        Number of tiles, and of classes.

    Returns
    -------
    numpy.ndarray
        The same as float64, each row scaled to sum to 1 exactly (float32 does not).

    Raises
    ------
    ValueError
        If the shape differs, a value lies outside 0–1 (or is NaN), or a row does not sum to 1.
    """
    chances = np.asarray(probabilities, dtype=np.float64)
    if chances.shape != (rows, classes):
        raise ValueError(
            f"Probabilities have the shape {chances.shape}; {rows} tiles and {classes} classes "
            f"need {(rows, classes)}."
        )
    inside = (chances >= -SUM_TOLERANCE) & (chances <= 1 + SUM_TOLERANCE)
    wrong = ~inside.all(axis=1) | ~(np.abs(chances.sum(axis=1) - 1) <= SUM_TOLERANCE)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{int(wrong.sum())} rows of probabilities do not lie in 0–1 and sum to 1, the first "
            f"being row {first}: {chances[first].tolist()}. Give probabilities, not scores."
        )
    clipped = np.clip(chances, 0, 1)
    return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


def reliability_curve(
    reference: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> list[ReliabilityBin]:
    """Points of the reliability curve: how often each confidence proved right.

    Parameters
    ----------
    reference
        Column of the reference label of each of the ``n`` tiles.
    probabilities
        Array of shape ``(n, classes)`` whose rows sum to 1.

    Returns
    -------
    list of ReliabilityBin
        Ten bins of equal width on the highest probability, from 0 to 1, by rising confidence;
        empty ones are left out.

    Examples
    --------
    >>> chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    >>> for point in reliability_curve(np.array([0, 1, 1]), chances):
    ...     print(point)
    confidence=0.6 accuracy=1.0 count=1
    confidence=0.9 accuracy=0.5 count=2
    """
    from sklearn.calibration import calibration_curve

    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == reference
    accuracy, confidence = calibration_curve(right, top, n_bins=_BINS, pos_label=True)
    # The curve leaves out empty bins and gives no counts: count over its own edges.
    inner_edges = np.linspace(0, 1, _BINS + 1)[1:-1]
    counts = np.bincount(np.searchsorted(inner_edges, top), minlength=_BINS)
    return [
        ReliabilityBin(confidence=float(c), accuracy=float(a), count=int(n))
        for c, a, n in zip(confidence, accuracy, counts[counts > 0], strict=True)
    ]


def expected_calibration_error(curve: Sequence[ReliabilityBin]) -> float:
    """Mean distance between confidence and accuracy, weighted by the tiles in each bin.

    Examples
    --------
    >>> round(expected_calibration_error([
    ...     ReliabilityBin(confidence=0.6, accuracy=1.0, count=1),
    ...     ReliabilityBin(confidence=0.9, accuracy=0.5, count=2),
    ... ]), 3)
    0.4
    """
    gaps = [abs(point.confidence - point.accuracy) for point in curve]
    return float(np.average(gaps, weights=[point.count for point in curve]))


def brier_score(reference: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Multi-class Brier score: mean squared distance from the certain right answer.

    Summed over the classes as in Brier (1950): 0 is best, 2 is certain and wrong every time. The
    arguments are those of `reliability_curve`.

    Examples
    --------
    >>> round(brier_score(np.array([0, 1]), np.array([[1.0, 0.0], [0.5, 0.5]])), 3)
    0.25
    """
    from sklearn.metrics import brier_score_loss

    columns = np.arange(probabilities.shape[1])
    return float(brier_score_loss(reference, probabilities, labels=columns, scale_by_half=False))
