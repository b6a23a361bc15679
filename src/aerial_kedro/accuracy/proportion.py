"""Proportions with intervals that neither few nor clustered cases make too narrow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.stats import binomtest

from aerial_kedro.accuracy.bootstrap import RESAMPLES, TAILS, resample_sums
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.parameters import Record


class Proportion(Record, allow_inf_nan=False):
    """How many of some cases are hits.

    Parameters
    ----------
    hits, cases
        Number of hits, and of cases.
    value
        Their ratio; None without a case.
    interval
        95 % interval of the ratio; None without a case.
    """

    hits: int = Field(ge=0)
    cases: int = Field(ge=0)
    value: float | None
    interval: Interval | None


def proportion(
    hits: ArrayLike, blocks: Sequence[str | None] | None = None, *, seed: int = 0
) -> Proportion:
    """Count hits, with a 95 % interval.

    The interval is Wilson's, which holds for few cases and at 0 and 1 but takes each case as
    independent. Neighbouring places often change, and are mistaken, together: where resampling
    whole blocks gives a wider interval, the wider of each end counts.

    Parameters
    ----------
    hits
        Whether each case is a hit, ``(n,)``.
    blocks
        Spatial block of each case.
    seed
        Seed of the draws.

    Raises
    ------
    ValueError
        If there is not one block for each case.

    Examples
    --------
    >>> found = proportion([True] * 10)
    >>> found.value, round(found.interval.lower, 3), found.interval.upper
    (1.0, 0.722, 1.0)
    >>> proportion([]).value is None
    True
    """
    found = np.asarray(hits, dtype=bool)
    if blocks is not None and len(blocks) != len(found):
        raise ValueError(f"{len(blocks)} blocks for {len(found)} cases: give one for each.")
    if not len(found):
        return Proportion(hits=0, cases=0, value=None, interval=None)
    lower, upper = wilson(int(found.sum()), len(found))
    if blocks is not None:
        drawn = _ratios_of_resamples(found, blocks, np.random.default_rng(seed))
        if len(drawn):
            low, high = np.quantile(drawn, TAILS)
            lower, upper = min(lower, float(low)), max(upper, float(high))
    return Proportion(
        hits=int(found.sum()),
        cases=len(found),
        value=float(found.mean()),
        interval=Interval(lower=lower, upper=upper),
    )


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """Compute the ends of the 95 % score interval of a proportion.

    References
    ----------
    Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    found = binomtest(hits, cases).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def _ratios_of_resamples(
    hits: NDArray[np.bool_], blocks: Sequence[str | None], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Ratio in each resample of the blocks; none where all cases lie in one block."""
    table = pd.DataFrame({"hit": hits, "block": pd.Series(list(blocks), dtype=object)})
    by_block = table.groupby("block", dropna=False)["hit"].agg(["sum", "size"]).to_numpy(float)
    if len(by_block) < 2:  # noqa: PLR2004
        return np.empty(0)
    drawn = resample_sums(by_block, RESAMPLES, rng)
    return np.asarray(drawn[:, 0] / drawn[:, 1])
