"""Abstention: accuracy of the tiles that are classified, against the share that is left open.

References
----------
Chow, C. K. (1970), "On optimum recognition error and reject tradeoff", IEEE Transactions on
Information Theory 16(1). El-Yaniv, R. and Wiener, Y. (2010), "On the foundations of noise-free
selective classification", Journal of Machine Learning Research 11, for risk and coverage.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aerial_kedro.parameters import CheckedModel

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Least probabilities for which the trade-off is reported."""


class Abstention(CheckedModel):
    """Accuracy of a model that abstains below a probability.

    Parameters
    ----------
    min_probability
        The model abstains where its likeliest class is less probable.
    share_unsure
        Share of the tiles on which it abstains, 0–1.
    accuracy_sure
        Share of the other tiles whose likeliest class is the reference label; None where it
        abstains on all.
    """

    min_probability: float
    share_unsure: float
    accuracy_sure: float | None


class AbstentionSummary(CheckedModel):
    """Abstention as the map has it, and as it would be with other limits.

    Parameters
    ----------
    as_mapped
        Figures with the limit of the map.
    accuracy_unsure
        Share of the tiles left open whose likeliest class would have been right; None where there
        are none.
    curve
        Figures with other limits, rising.
    """

    as_mapped: Abstention
    accuracy_unsure: float | None
    curve: list[Abstention]


def evaluate_abstention(
    right: ArrayLike, probability: ArrayLike, min_probability: float
) -> AbstentionSummary:
    """Evaluate what abstaining below a probability gains and costs.

    Parameters
    ----------
    right
        Whether the likeliest class is the reference label, for each of ``n`` tiles.
    probability
        Probability of the likeliest class, 0–1, shape ``(n,)``.
    min_probability
        The limit of the map; `THRESHOLDS` are the others that are reported.

    Raises
    ------
    ValueError
        If there is no tile, the lengths differ, or a probability is missing.

    Examples
    --------
    >>> found = evaluate_abstention([True, True, False, False], [0.9, 0.6, 0.7, 0.4], 0.5)
    >>> found.as_mapped.share_unsure, round(found.as_mapped.accuracy_sure, 3)
    (0.25, 0.667)
    >>> found.accuracy_unsure
    0.0
    """
    is_right = np.asarray(right, dtype=bool)
    chances = np.asarray(probability, dtype=np.float64)
    if not len(is_right):
        raise ValueError("There is no tile to evaluate abstention on.")
    if is_right.shape != chances.shape or np.isnan(chances).any():
        raise ValueError(
            f"{len(is_right)} tiles need as many probabilities, none of them missing; there are "
            f"{int(np.isfinite(chances).sum())}."
        )
    return AbstentionSummary(
        as_mapped=_abstain(is_right, chances, min_probability),
        accuracy_unsure=_share(is_right[chances < min_probability]),
        curve=[_abstain(is_right, chances, limit) for limit in THRESHOLDS],
    )


def _abstain(
    right: NDArray[np.bool_], chances: NDArray[np.float64], min_probability: float
) -> Abstention:
    sure = chances >= min_probability
    return Abstention(
        min_probability=min_probability,
        share_unsure=float((~sure).mean()),
        accuracy_sure=_share(right[sure]),
    )


def _share(right: NDArray[np.bool_]) -> float | None:
    return float(right.mean()) if len(right) else None
