"""Where a classifier holds: how unlike its training data something is, and what that costs.

After Meyer & Pebesma 2021, "Predicting into unknown space? Estimating the area of applicability of
spatial prediction models", Methods in Ecology and Evolution 12(9).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
_AT_ONCE = 8192


@dataclass(frozen=True)
class Applied:
    """What is known of predictions by where they lie.

    Parameters
    ----------
    dissimilarity
        ``(n,)``, float32: distance to the nearest training cell or tile, in units of the mean
        distance between those.
    expected
        ``(n,)``, float32: expected accuracy, 0–1.
    outside
        ``(n,)``, bool: whether it is more unlike than training data of other folds are.
    """

    dissimilarity: Floats
    expected: Floats
    outside: NDArray[np.bool_]


@dataclass(frozen=True)
class Applicability:
    """Area of applicability of a classifier.

    Parameters
    ----------
    scale
        ``(numbers,)``: weight of each number that the classifier reads, by which distances are
        measured.
    references
        ``(references, numbers)``, float32: a reduced set of its training data, weighted.
    unit
        Mean distance between training data.
    limit
        Dissimilarity beyond which something is outside.
    dissimilarities, accuracies
        Knots of the curve from dissimilarity to expected accuracy.
    """

    scale: Floats
    references: Floats
    unit: float
    limit: float
    dissimilarities: Floats
    accuracies: Floats

    def apply(self, numbers: Floats, confidence: Floats) -> Applied:
        """Evaluate where predictions lie.

        Parameters
        ----------
        numbers
            ``(n, numbers)``: what the classifier reads.
        confidence
            ``(n,)``: calibrated probability of the class that it predicts, 0–1.
        """
        found = self.measure(numbers)
        expected = np.interp(found, self.dissimilarities, self.accuracies).astype(np.float32)
        return Applied(found, expected, found > self.limit)

    def measure(self, numbers: Floats) -> Floats:
        """Dissimilarity, ``(n,)``, of what the classifier reads, ``(n, numbers)``."""
        squares = (self.references**2).sum(axis=1)
        parts = []
        for start in range(0, len(numbers), _AT_ONCE):
            own = np.asarray(numbers[start : start + _AT_ONCE], np.float32) * self.scale
            nearest = (squares - 2 * own @ self.references.T).min(axis=1) + (own**2).sum(axis=1)
            parts.append(np.sqrt(nearest.clip(min=0)) / self.unit)
        return np.concatenate([np.empty(0, np.float32), *parts]).astype(np.float32)

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self  # frozen; arrays are read only
