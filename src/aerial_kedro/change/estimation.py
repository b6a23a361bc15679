"""From two years' class probabilities to the probability that the class changed.

Two years' classes of one place are not independent: most land stays what it is. Taking the
product of the two years' probabilities would report a change wherever either year is unsure.
Here the rate of change is estimated from all places together, and each place's two years are
weighed against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 1e-7
_MOST_ITERATIONS = 500
# A rate of exactly 0 or 1 would explain away every observation.
_LEAST_RATE, _GREATEST_RATE = 1e-4, 0.9


@dataclass(frozen=True)
class ChangeEstimate:
    """What two years' probabilities say of change.

    Parameters
    ----------
    rate
        Share of the places that changed, estimated from all of them.
    probability
        Of change, for each place, ``(n,)``.
    before, after
        Likeliest class of each place in the two years, considered together: positions in the
        class axis, ``(n,)``.
    transition
        Probability of ``(before, after)`` for each place, ``(n,)``.
    """

    rate: float
    probability: NDArray[np.float64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    transition: NDArray[np.float64]


def estimate_change(
    first: NDArray[np.floating], second: NDArray[np.floating], start_rate: float = 0.05
) -> ChangeEstimate:
    r"""Estimate the rate of change by expectation maximisation, then every place's probability.

    With class probabilities :math:`p` and :math:`q` of the two years from a classifier whose
    classes counted the same in training, and a share :math:`\delta` of places that change to any
    other of :math:`K` classes alike, the joint posterior of a place's classes :math:`(i, j)` is

    .. math:: \Pr(i, j) \propto p_i \, q_j \cdot
        \begin{cases} 1 - \delta & i = j \\ \delta / (K - 1) & i \ne j \end{cases}

    and :math:`\delta` is the mean over all places of the probability that :math:`i \ne j`.

    Parameters
    ----------
    first, second
        Probabilities of the same places in two years, ``(n, classes)``; rows sum to 1.
    start_rate
        Where the estimation of the rate begins.

    Raises
    ------
    ValueError
        If there is no place, fewer than two classes, or the shapes differ.

    Examples
    --------
    Three places stay what they are, one of them unsurely; the fourth changes:

    >>> sure = [[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98]]
    >>> first = np.array([sure[0], [0.5, 0.4, 0.1], sure[1], sure[0]])
    >>> second = np.array([sure[0], [0.4, 0.5, 0.1], sure[1], sure[2]])
    >>> found = estimate_change(first, second)
    >>> found.probability.round(2).tolist()
    [0.01, 0.23, 0.01, 0.91]
    >>> int(found.before[3]), int(found.after[3])
    (0, 2)
    """
    if first.shape != second.shape or first.ndim != 2 or not len(first):  # noqa: PLR2004
        raise ValueError(
            f"Two tables (places, classes) of one shape are needed, not {first.shape} and "
            f"{second.shape}."
        )
    classes = first.shape[1]
    if classes < 2:  # noqa: PLR2004
        raise ValueError("With fewer than two classes nothing can change.")
    same = (first * second).sum(axis=1)
    other = np.clip(1.0 - same, 0.0, None) / (classes - 1)
    rate = start_rate
    for _ in range(_MOST_ITERATIONS):
        changed = rate * other / (rate * other + (1 - rate) * same)
        updated = float(np.clip(changed.mean(), _LEAST_RATE, _GREATEST_RATE))
        if abs(updated - rate) < _TOLERANCE:
            break
        rate = updated
    return _posterior(first, second, rate)


def _posterior(
    first: NDArray[np.floating], second: NDArray[np.floating], rate: float
) -> ChangeEstimate:
    classes = first.shape[1]
    prior = np.full((classes, classes), rate / (classes - 1))
    np.fill_diagonal(prior, 1 - rate)
    joint = first[:, :, None] * second[:, None, :] * prior
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    best = joint.reshape(len(first), -1).argmax(axis=1)
    return ChangeEstimate(
        rate=rate,
        probability=1.0 - np.trace(joint, axis1=1, axis2=2),
        before=best // classes,
        after=best % classes,
        transition=joint.reshape(len(first), -1).max(axis=1),
    )


def expected_changes(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Add up how many true changes to expect among the first k places, ranked by probability.

    Examples
    --------
    >>> expected_changes(np.array([0.2, 0.9, 0.5])).round(1).tolist()
    [0.9, 1.4, 1.6]
    """
    return np.cumsum(np.sort(np.asarray(probability, dtype=np.float64))[::-1])
