"""Confidence intervals that neither few nor clustered cases make too narrow."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from aerial_kedro.parameters import CheckedModel

RESAMPLES = 500
"""Number of resamples for one interval."""

TAILS = (0.025, 0.975)
"""Quantiles between which a 95 % interval lies."""

_DRAWS_AT_A_TIME = 4_000_000
"""Draws of blocks held in memory at once (32 MB)."""


class Interval(CheckedModel):
    """A range that holds the true value at a stated level of confidence.

    Parameters
    ----------
    lower, upper
        Ends of the range, in the units of what they bound.
    level
        Level of confidence; 0.95 by default.

    Examples
    --------
    >>> Interval(lower=0.71, upper=0.83)
    Interval(lower=0.71, upper=0.83, level=0.95)
    """

    lower: float
    upper: float
    level: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower > self.upper:
            raise ValueError(
                f"An interval's lower end ({self.lower}) lies above its upper end ({self.upper})."
            )
        return self


class Proportion(CheckedModel):
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
    interval = wilson(int(found.sum()), len(found))
    if blocks is not None:
        table = pd.DataFrame({"hit": found, "block": pd.Series(list(blocks), dtype=object)})
        by_block = table.groupby("block", dropna=False)["hit"].agg(["sum", "size"])
        if len(by_block) > 1:
            drawn = resample_sums(by_block.to_numpy(float), seed)
            spread = percentile_interval(drawn[:, 0] / drawn[:, 1])
            interval = Interval(
                lower=min(interval.lower, spread.lower), upper=max(interval.upper, spread.upper)
            )
    return Proportion(
        hits=int(found.sum()), cases=len(found), value=float(found.mean()), interval=interval
    )


def wilson(hits: int, cases: int) -> Interval:
    """Compute the 95 % score interval of a proportion.

    References
    ----------
    Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> found = wilson(8, 10)
    >>> round(found.lower, 3), round(found.upper, 3)
    (0.49, 0.943)
    """
    from scipy.stats import binomtest

    found = binomtest(hits, cases).proportion_ci(0.95, method="wilson")
    return Interval(lower=float(found.low), upper=float(found.high))


def resample_sums(by_block: ArrayLike, seed: int) -> NDArray[np.float64]:
    """Draw blocks with replacement, as many as there are, and add up their values.

    Parameters
    ----------
    by_block
        Values to add up, ``(blocks, ...)``.
    seed
        Seed of the draws: with the same one, the same blocks are drawn.

    Returns
    -------
    numpy.ndarray
        The sum in each of `RESAMPLES`, ``(RESAMPLES, ...)``.
    """
    values = np.asarray(by_block, dtype=np.float64)
    number, flat = len(values), values.reshape(len(values), -1)
    rng = np.random.default_rng(seed)
    even = np.full(number, 1 / number)
    step = max(1, _DRAWS_AT_A_TIME // number)
    parts = [
        rng.multinomial(number, even, size=min(step, RESAMPLES - start)) @ flat
        for start in range(0, RESAMPLES, step)
    ]
    return np.concatenate(parts).reshape(-1, *values.shape[1:])


def percentile_interval(values: NDArray[np.float64]) -> Interval:
    """Return the 95 % interval of a figure from its values in all resamples, ``(RESAMPLES,)``."""
    lower, upper = np.quantile(values, TAILS)
    return Interval(lower=float(lower), upper=float(upper))
