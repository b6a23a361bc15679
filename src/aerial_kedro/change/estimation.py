"""From two years' class probabilities to the probability that the class changed.

Two years' classes of one place are not independent: most land stays what it is. Taking the
product of the two years' probabilities would report a change wherever either year is unsure.
Here the share of every pair of classes is estimated from all places together, and each place's two
years are weighed against it. Change is never to any class alike: fields become suburbs, suburbs do
not become fields, and a model's usual confusions are not its changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 1e-7
_MOST_ITERATIONS = 500
_START_RATE = 0.05  # of change, before the first iteration
# As if one more place had been seen, with every pair of classes alike: no pair is impossible.
_MORE_PLACES = 1.0


@dataclass(frozen=True)
class ChangeEstimate:
    """What two years' probabilities say of change.

    Parameters
    ----------
    rate
        Share of all places that changed, as estimated from them.
    probability
        Probability that each place changed, ``(n,)``.
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


def estimate_change(first: NDArray[np.floating], second: NDArray[np.floating]) -> ChangeEstimate:
    r"""Estimate the share of every pair of classes, then every place's probability of change.

    With class probabilities :math:`p` and :math:`q` of the two years from a classifier whose
    classes counted the same in training, and shares :math:`\pi_{ij}` of the places that are of
    class :math:`i` first and :math:`j` then, the joint posterior of a place's classes is

    .. math:: \Pr(i, j) \propto p_i \, q_j \, \pi_{ij}

    and :math:`\pi_{ij}` is the mean of :math:`\Pr(i, j)` over all places. Expectation maximisation
    finds it: the method of Saerens et al. for the classes of one year, applied to pairs.

    Parameters
    ----------
    first, second
        Probabilities of the same places in two years, ``(n, classes)``; rows sum to 1.

    References
    ----------
    Saerens, M., Latinne, P. and Decaestecker, C. (2002), "Adjusting the outputs of a classifier to
    new a priori probabilities: a simple procedure", Neural Computation 14, 21-41.

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
    [0.01, 0.19, 0.0, 0.99]
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
    prior = np.full((classes, classes), _START_RATE / (classes * (classes - 1)))
    np.fill_diagonal(prior, (1 - _START_RATE) / classes)
    for _ in range(_MOST_ITERATIONS):
        weight = ((first @ prior) * second).sum(axis=1, keepdims=True)
        pairs = prior * ((first / weight).T @ second) + _MORE_PLACES / classes**2
        updated = pairs / pairs.sum()
        converged = np.abs(updated - prior).max() < _TOLERANCE
        prior = updated
        if converged:
            break
    return _posterior(first, second, prior)


def _posterior(
    first: NDArray[np.floating], second: NDArray[np.floating], prior: NDArray[np.float64]
) -> ChangeEstimate:
    classes = first.shape[1]
    joint = first[:, :, None] * second[:, None, :] * prior
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    best = joint.reshape(len(first), -1).argmax(axis=1)
    return ChangeEstimate(
        rate=float(1.0 - np.trace(prior)),
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
