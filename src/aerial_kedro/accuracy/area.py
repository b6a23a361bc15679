"""Areas of classes, adjusted for the map's own errors.

Counting the cells of a map is biased: a class that the map overestimates looks too large. The
stratified estimator weights the errors seen in a sample by the area of each map class.

References
----------
Olofsson, P. et al. (2014), "Good practices for estimating area and assessing accuracy of land
change", Remote Sensing of Environment 148, 42-57; its equations are named below.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.parameters import CheckedModel

Z_95 = 1.96
"""Standard normal quantile of a 95 % interval, rounded as the paper rounds it."""


class UnsampledClassError(ValueError):
    """A map class has an area but fewer than two sample units, so its errors are unknown.

    Parameters
    ----------
    classes
        The classes concerned.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = list(classes)
        super().__init__(
            f"The map classes {self.classes} have fewer than two sample units each, so the errors "
            "in their area cannot be estimated: add reference tiles that the map puts there, or "
            "join the classes with others."
        )


class Estimate(CheckedModel):
    """An estimated value with its standard error and 95 % interval, all in its units."""

    value: float
    standard_error: float
    interval: Interval


class ClassArea(CheckedModel):
    """Area and accuracy of one class.

    Parameters
    ----------
    mapped
        Area on the map, in the units given.
    area
        Error-adjusted area, in the same units.
    users_accuracy
        User's accuracy of the map class; None if the map does not hold it.
    producers_accuracy
        Producer's accuracy, weighted by area; None if the sample holds no reference unit of the
        class.
    """

    mapped: float
    area: Estimate
    users_accuracy: Estimate | None
    producers_accuracy: Estimate | None


class AdjustedAreas(CheckedModel):
    """Error-adjusted areas of all classes, and the accuracies weighted by area."""

    overall_accuracy: Estimate
    per_class: dict[str, ClassArea]


def adjusted_areas(
    mapped: Sequence[float], sample_counts: ArrayLike, classes: Sequence[str]
) -> AdjustedAreas:
    """Estimate areas from a map and a sample of it whose reference labels are known.

    The sample must be a random one within each map class. Tiles chosen for the purity of their
    label are not: areas from such a sample are those of pure tiles only.

    Parameters
    ----------
    mapped
        Area (or cells) of each class on the map.
    sample_counts
        Square table of sample units; **rows are map classes, columns are reference classes**: the
        transpose of :attr:`Evaluation.confusion
        <aerial_kedro.accuracy.evaluation.Evaluation.confusion>`.
    classes
        Class names, in the order of both.

    Returns
    -------
    AdjustedAreas
        Areas in the units of ``mapped``.

    Raises
    ------
    UnsampledClassError
        If a class with an area on the map has fewer than two sample units.
    ValueError
        If the shapes do not fit, a number is negative or not finite, or the map has no area.

    Examples
    --------
    A map with 100 ha of forest, a tenth of which was in truth something else:

    >>> found = adjusted_areas([100, 900], [[45, 5], [1, 99]], ["Forest", "Other"])
    >>> round(found.per_class["Forest"].area.value, 3)
    99.0
    >>> round(found.per_class["Forest"].area.interval.upper, 1)
    118.5
    """
    areas, counts = _checked(mapped, sample_counts, classes)
    weights = areas / areas.sum()
    row_totals = counts.sum(axis=1, keepdims=True)
    # Share of each map class's sample that is of each reference class; 0 for classes off the map.
    shares = np.divide(counts, row_totals, out=np.zeros_like(counts), where=row_totals > 0)
    # Sampling variance of those shares; a class off the map has no weight and may lack a sample.
    variances = shares * (1 - shares) / np.maximum(row_totals - 1, 1)

    proportions = weights @ shares  # equation 9
    errors = np.sqrt(weights**2 @ variances)  # equation 10
    users, user_variances = np.diagonal(shares), np.diagonal(variances)
    producers, producer_errors = _producers_accuracy(areas, shares, variances)
    per_class = {
        name: ClassArea(
            mapped=areas[i],
            area=_estimate(proportions[i], errors[i], scale=areas.sum()),
            users_accuracy=(
                _estimate(users[i], np.sqrt(user_variances[i])) if row_totals[i] > 0 else None
            ),
            producers_accuracy=(
                _estimate(producers[i], producer_errors[i]) if proportions[i] > 0 else None
            ),
        )
        for i, name in enumerate(classes)
    }
    overall = _estimate(weights @ users, np.sqrt(weights**2 @ user_variances))  # equations 1 and 5
    return AdjustedAreas(overall_accuracy=overall, per_class=per_class)


def _producers_accuracy(
    areas: NDArray[np.float64], shares: NDArray[np.float64], variances: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute producer's accuracies and standard errors (equations 3, 7); 0 where undefined."""
    totals = areas @ shares
    known = np.where(totals > 0, totals, 1)
    found = areas * np.diagonal(shares)
    producers = found / known
    own = areas**2 * (1 - producers) ** 2 * np.diagonal(variances)
    of_each_row = areas[:, None] ** 2 * variances
    others = of_each_row.sum(axis=0) - np.diagonal(of_each_row)
    return producers, np.sqrt(own + producers**2 * others) / known


def _estimate(value: float, standard_error: float, scale: float = 1.0) -> Estimate:
    """Scale a share to its units; its interval stops at 0 and at the whole."""
    half = Z_95 * standard_error
    return Estimate(
        value=value * scale,
        standard_error=standard_error * scale,
        interval=Interval(
            lower=max(0.0, value - half) * scale, upper=min(1.0, value + half) * scale
        ),
    )


def _checked(
    mapped: Sequence[float], sample_counts: ArrayLike, classes: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    areas = np.asarray(mapped, dtype=np.float64)
    counts = np.asarray(sample_counts, dtype=np.float64)
    size = len(classes)
    if areas.shape != (size,) or counts.shape != (size, size):
        raise ValueError(
            f"{size} classes need {size} areas and a sample of shape {(size, size)}, not "
            f"{areas.shape} and {counts.shape}."
        )
    if not (np.isfinite(areas).all() and np.isfinite(counts).all()):
        raise ValueError("An area or a sample count is not finite: leave out what is missing.")
    if (areas < 0).any() or (counts < 0).any():
        raise ValueError("An area or a sample count is negative.")
    if areas.sum() == 0:
        raise ValueError("The map has no area: nothing was mapped.")
    unsampled = (areas > 0) & (counts.sum(axis=1) < 2)  # noqa: PLR2004
    if unsampled.any():
        raise UnsampledClassError([classes[i] for i in range(size) if unsampled[i]])
    return areas, counts
