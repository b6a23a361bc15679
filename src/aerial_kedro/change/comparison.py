"""The probability of change of every place between each year and the next.

Two years' classes of one place are not independent: most land stays what it is. Taking the
product of the two years' probabilities would report a change wherever either year is unsure.
Here the share of every pair of classes is estimated from all places together, and each place's two
years are weighed against it. Change is never to any class alike: fields become suburbs, suburbs do
not become fields, and a model's usual confusions are not its changes.
"""

import itertools
import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LOGGER = logging.getLogger(__name__)

CHANGE_COLUMNS = [
    "tile_id", "year_before", "year_after", "class_before", "class_after", "probability",
    "transition_probability", "rank", "expected_changes", "lon", "lat",
]  # fmt: skip
_TOLERANCE = 1e-7
_MOST_ITERATIONS = 500
_START_RATE = 0.05  # of change, before the first iteration
# As if one more place had been seen, with every pair of classes alike: no pair is impossible.
_MORE_PLACES = 1.0


def estimate_change(
    first: NDArray[np.floating], second: NDArray[np.floating]
) -> tuple[float, pd.DataFrame]:
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

    Returns
    -------
    rate
        Share of all places that changed, as estimated from them.
    places
        A row for each place: ``probability`` that it changed; ``before, after``, its likeliest
        classes in the two years, considered together, as positions in the class axis;
        ``transition_probability`` of these two.

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
    >>> _, found = estimate_change(first, second)
    >>> found["probability"].round(2).tolist()
    [0.01, 0.19, 0.0, 0.99]
    >>> found.loc[3, ["before", "after"]].astype(int).tolist()
    [0, 2]
    """
    shares = estimate_transitions(first, second)
    return float(1.0 - np.trace(shares)), weigh_pairs(first, second, shares)


def estimate_transitions(
    first: NDArray[np.floating], second: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Estimate the share of every pair of classes: expectation maximisation, see `estimate_change`.

    Parameters
    ----------
    first, second
        How probable each class makes what was seen of each place in two years, up to a factor of
        the place, ``(n, classes)``: probabilities by a classifier whose classes counted the same in
        training, or divided by the share that each class had there.

    Returns
    -------
    numpy.ndarray
        Shares, ``(classes before, classes after)``, which sum to 1.

    Raises
    ------
    ValueError
        If there is no place, fewer than two classes, or the shapes differ.
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
    return np.asarray(prior)


def weigh_pairs(
    first: NDArray[np.floating], second: NDArray[np.floating], shares: NDArray[np.floating]
) -> pd.DataFrame:
    """Weigh each place's two years against the shares of every pair of classes.

    Parameters
    ----------
    first, second
        As for `estimate_transitions`, of any places.
    shares
        What that estimated.

    Returns
    -------
    pandas.DataFrame
        A row for each place, as `estimate_change` returns them.
    """
    classes = first.shape[1]
    joint = first[:, :, None] * second[:, None, :] * shares
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    best = joint.reshape(len(first), -1).argmax(axis=1)
    return pd.DataFrame(
        {
            "probability": 1.0 - np.trace(joint, axis1=1, axis2=2),
            "before": best // classes,
            "after": best % classes,
            "transition_probability": joint.reshape(len(first), -1).max(axis=1),
        }
    )


def compare_places(places: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Estimate the probability of change of every place between each year and the next.

    Parameters
    ----------
    places
        ``tile_id, year, lon, lat`` and, as ``p0, p1, ...``, the probability of each class: one row
        for each place and year.
    classes
        Class names, in the order of the columns.

    Returns
    -------
    pandas.DataFrame
        `CHANGE_COLUMNS`, the likeliest change first; ``expected_changes`` is the expected number of
        true changes among the first ``rank`` places. Empty with one year only.
    """
    years = sorted(int(year) for year in places["year"].unique())
    pairs = [_compare(places, classes, *pair) for pair in itertools.pairwise(years)]
    if not pairs:
        return pd.DataFrame(columns=CHANGE_COLUMNS)
    return pd.concat(pairs, ignore_index=True)[CHANGE_COLUMNS]


def _compare(places: pd.DataFrame, classes: Sequence[str], before: int, after: int) -> pd.DataFrame:
    columns = [f"p{position}" for position in range(len(classes))]
    both = places[places["year"] == before].merge(
        places.loc[places["year"] == after, ["tile_id", *columns]],
        on="tile_id",
        suffixes=("", " after"),
    )
    if not len(both):
        LOGGER.warning("No place was seen in both %d and %d", before, after)
        return pd.DataFrame(columns=CHANGE_COLUMNS)
    rate, found = estimate_change(
        both[columns].to_numpy(), both[[f"{name} after" for name in columns]].to_numpy()
    )
    LOGGER.info(
        "%d to %d: %.1f %% of %s places changed (estimate)",
        before, after, 100 * rate, f"{len(both):,}",
    )  # fmt: skip
    table = both[["tile_id", "lon", "lat"]].assign(
        year_before=before,
        year_after=after,
        class_before=np.array(classes)[found["before"]],
        class_after=np.array(classes)[found["after"]],
        probability=found["probability"],
        transition_probability=found["transition_probability"],
    )
    ranked = table.sort_values(["probability", "tile_id"], ascending=[False, True])
    return ranked.assign(
        rank=np.arange(1, len(ranked) + 1), expected_changes=ranked["probability"].cumsum()
    )


def last_comparison(change: pd.DataFrame) -> pd.DataFrame:
    """Keep the change between the last two years."""
    last: pd.DataFrame = change[change["year_after"] == change["year_after"].max()]
    return last
