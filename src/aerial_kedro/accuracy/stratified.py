"""Estimates from a stratified random sample whose cells people have interpreted.

Everything is estimated from indicators, values of 0 or 1 of each sampled cell, and from the strata
of the design alone. The classes of the map may be the strata, as in Olofsson et al. (2014), or
have become others since the sample was drawn (Stehman 2014); it is the same arithmetic.

Standard errors are the textbook's. Intervals are not 1.96 of them: a large stratum that shows no
error in its fifty cells would count as one without errors, and the interval of a rare class would
miss the truth far too often. So half a cell is added to either answer in each stratum, for the
spread alone (Brown et al. 2001, of one proportion); what spread follows gives the effective size of
the sample (Korn and Graubard 1998), and that the score interval (Wilson 1927).
`benchmarks/assessment.py` measures how often these intervals hold the truth.

References
----------
Brown, L. D., Cai, T. T., DasGupta, A. (2001), "Interval estimation for a binomial proportion",
Statistical Science 16, 101-133.

Korn, E. L., Graubard, B. I. (1998), "Confidence intervals for proportions with small expected
number of positive counts estimated from survey data", Survey Methodology 24, 193-201.

Olofsson, P. et al. (2014), "Good practices for estimating area and assessing accuracy of land
change", Remote Sensing of Environment 148, 42-57.

Stehman, S. V. (2014), "Estimating area and map accuracy for stratified random sampling when the
strata are different from the map classes", International Journal of Remote Sensing 35, 4923-4939.

Zou, G. Y., Donner, A. (2008), "Construction of confidence limits about effect measures: a general
approach", Statistics in Medicine 27, 1693-1702.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aerial_kedro.accuracy.area import Z_95
from aerial_kedro.parameters import CheckedModel

Floats = NDArray[np.float64]
_PSEUDO = 0.5  # of a cell, added to either answer


class Figure(CheckedModel):
    """An estimate with its 95 % interval.

    Parameters
    ----------
    estimate
        None where it cannot be known.
    low, high
        Ends of the interval; None where it cannot be known.
    standard_error
        The textbook's, whose 1.96 are the ± of Olofsson et al. (2014); None likewise.
    reason
        Why something is None.
    """

    estimate: float | None
    low: float | None
    high: float | None
    standard_error: float | None = None
    reason: str | None = None

    def times(self, factor: float) -> "Figure":
        """Give the same in other units, as an area for a share."""
        scaled = {
            name: None if (value := getattr(self, name)) is None else value * factor
            for name in ("estimate", "low", "high", "standard_error")
        }
        return self.model_copy(update=scaled)

    @property
    def half_width(self) -> float | None:
        """Half of the interval; None without one."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def nothing(reason: str) -> Figure:
    """Make the figure of what cannot be estimated."""
    return Figure(estimate=None, low=None, high=None, reason=reason)


@dataclass(frozen=True)
class StratifiedSample:
    """Sampled cells, and the strata that they were drawn from.

    Parameters
    ----------
    names
        Names of the strata.
    sizes
        Cells of each stratum, ``(strata,)``.
    strata
        Position of each sampled cell's stratum, ``(n,)``.
    growth
        Factor by which the sample of each stratum is taken to be larger than it is, to foretell
        what more cells would bring.
    """

    names: Sequence[str]
    sizes: Floats
    strata: NDArray[np.int64]
    growth: float = 1.0

    @property
    def weights(self) -> Floats:
        """Share of all cells that each stratum has; they sum to 1."""
        return np.asarray(self.sizes / self.sizes.sum())

    def share(self, hits: ArrayLike) -> Figure:
        """Estimate the share of all cells that have a property.

        Parameters
        ----------
        hits
            Whether each sampled cell has it, ``(n,)``.
        """
        found = np.asarray(hits, float)
        return self.ratio(found, np.ones_like(found), "at all")

    def ratio(
        self, hits: ArrayLike, among: ArrayLike, of: str, shown: ArrayLike | None = None
    ) -> Figure:
        """Estimate the share of the cells of a kind that have a property.

        Parameters
        ----------
        hits, among
            Whether each sampled cell has the property, and is of the kind, ``(n,)``; only those of
            the kind have it.
        of
            The kind in words, for the reason where the sample has none.
        shown
            Where it is the people who say which cells are of the kind, and a map which of them have
            the property (producer's accuracy): whether the map shows each sampled cell so.
        """
        found, kind = np.asarray(hits, float), np.asarray(among, float)
        if (reason := self._unknown()) is not None:
            return nothing(reason)
        whole = self._mean(kind)
        if not whole:
            return nothing(f"the sample has no cell {of}")
        value = self._mean(found) / whole
        if (reason := self._too_few()) is not None:
            return Figure(estimate=value, low=None, high=None, reason=reason)
        variances = self._variances((found - value * kind) / whole)
        smoothed = self._smoothed(found, kind, None if shown is None else np.asarray(shown, bool))
        low, high = wilson_limits(value, self._inverse_size(*smoothed))
        return Figure(
            estimate=value,
            low=low,
            high=high,
            standard_error=float(np.sqrt(np.sum(self.weights**2 * variances * self._inverse()))),
        )

    def difference(self, first: ArrayLike, second: ArrayLike, among: ArrayLike, of: str) -> Figure:
        """Estimate by how much the first of two properties is commoner than the second.

        Both are of the same cells, so that only those with one of the two count; the interval takes
        the two kinds of them to their own ends (Zou and Donner 2008).

        Parameters
        ----------
        first, second, among
            Whether each sampled cell has each, and is one of those compared, ``(n,)``.
        of
            What these are, as for `ratio`.
        """
        kind = np.asarray(among, bool)
        one, other = (np.asarray(each, bool) & kind for each in (first, second))
        gain, loss = self.ratio(one & ~other, kind, of), self.ratio(other & ~one, kind, of)
        if gain.estimate is None or loss.estimate is None:
            return gain
        value = gain.estimate - loss.estimate
        if gain.low is None or gain.high is None or loss.low is None or loss.high is None:
            return Figure(estimate=value, low=None, high=None, reason=gain.reason)
        residuals = (one.astype(float) - other - value * kind) / self._mean(kind.astype(float))
        spread = self.weights**2 * self._variances(residuals) * self._inverse()
        return Figure(
            estimate=value,
            low=value - float(np.hypot(gain.estimate - gain.low, loss.high - loss.estimate)),
            high=value + float(np.hypot(gain.high - gain.estimate, loss.estimate - loss.low)),
            standard_error=float(np.sqrt(spread.sum())),
        )

    def _counts(self) -> NDArray[np.int64]:
        return np.bincount(self.strata, minlength=len(self.sizes))

    def _sums(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.strata, values, len(self.sizes)), float)

    def _mean(self, values: Floats) -> float:
        return float(self.weights @ (self._sums(values) / np.maximum(self._counts(), 1)))

    def _variances(self, values: Floats) -> Floats:
        """Variance of the sampled values in each stratum; 0 of one value."""
        count = self._counts()
        means = self._sums(values) / np.maximum(count, 1)
        squares = self._sums((values - means[self.strata]) ** 2)
        return np.asarray(squares / np.maximum(count - 1, 1))

    def _inverse(self) -> Floats:
        """Inverse of the number of cells sampled in each stratum; 0 where all of them were."""
        count = np.minimum(self._counts() * self.growth, self.sizes)
        inverse = 1 / np.maximum(count, 1) - 1 / np.maximum(self.sizes, 1)
        return np.where(self.sizes > 0, np.maximum(inverse, 0.0), 0.0)

    def _smoothed(
        self, found: Floats, kind: Floats, shown: NDArray[np.bool_] | None
    ) -> tuple[float, Floats]:
        """Estimate the share, and the variance of its residuals, with half cells added."""
        added, more_found, more_kind = self._half_cells(kind, shown)
        strata = np.concatenate([self.strata, added])
        mass = np.concatenate([np.ones(len(found)), np.full(len(added), _PSEUDO)])
        hits, among = np.concatenate([found, more_found]), np.concatenate([kind, more_kind])
        count = self._counts()
        total = np.maximum(np.bincount(strata, mass, len(count)), 1)

        def means(values: Floats) -> Floats:
            return np.asarray(np.bincount(strata, mass * values, len(count)) / total)

        whole = float(self.weights @ means(among))
        value = float(self.weights @ means(hits)) / whole
        residuals = (hits - value * among) / whole
        squares = means((residuals - means(residuals)[strata]) ** 2)
        return value, squares * count / np.maximum(count - 1, 1)

    def _half_cells(
        self, kind: Floats, shown: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Give stratum, property and kind of the half cells added: one to either answer of people.

        Where the map says which cells are of the kind, people say whether each has the property.
        Where people do, they say so of cells that the map shows so, and of cells that it does not.
        """
        if shown is None:
            answers = [(kind > 0, hit, 1.0) for hit in (0.0, 1.0)]
        else:
            answers = [
                (side, own * is_hit, own)
                for side, is_hit in ((shown, 1.0), (~shown, 0.0))
                for own in (0.0, 1.0)
            ]
        size = len(self.sizes)
        added = [
            (at, hit, own)
            for side, hit, own in answers
            for at in np.flatnonzero(np.bincount(self.strata[side], minlength=size))
        ]
        strata, hits, among = (np.array(each) for each in zip(*added, strict=True))
        return strata.astype(np.int64), hits.astype(float), among.astype(float)

    def _inverse_size(self, value: float, variances: Floats) -> float:
        """Inverse of the number of cells that a plain sample would need for this spread."""
        variance = float(np.sum(self.weights**2 * variances * self._inverse()))
        return variance / (value * (1 - value)) if 0 < value < 1 else 0.0

    def _unknown(self) -> str | None:
        for name, size, count in zip(self.names, self.sizes, self._counts(), strict=True):
            if size and not count:
                return f"no cell of the stratum {name} was interpreted: nothing is known of it"
        return None

    def _too_few(self) -> str | None:
        for name, size, count in zip(self.names, self.sizes, self._counts(), strict=True):
            if count == 1 < size:
                return f"one cell only of the stratum {name} was interpreted: no spread is seen"
        return None


def wilson_limits(share: float, inverse: float) -> tuple[float, float]:
    """Compute the ends of a 95 % score interval (Wilson 1927).

    Parameters
    ----------
    share
        Observed share.
    inverse
        Inverse of the number of cases; 0 for a share that is known.

    Examples
    --------
    >>> [round(end, 2) for end in wilson_limits(0.8, 1 / 10)]
    [0.49, 0.94]
    """
    square = Z_95**2 * inverse
    middle = (share + square / 2) / (1 + square)
    half = float(np.sqrt(square * share * (1 - share) + square**2 / 4)) / (1 + square)
    # Rounding must not put an end beyond the share itself.
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)
