"""Where a classifier holds: how unlike its training data something is, and what that costs.

After Meyer & Pebesma 2021, "Predicting into unknown space? Estimating the area of applicability of
spatial prediction models", Methods in Ecology and Evolution 12(9). `models.holding` fits it.
"""

import io
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

    Accuracy depends on how sure the classifier is, which says how often it is right where all is as
    in training, and on whether it is. So the curve from dissimilarity gives the share of that
    accuracy which is left: 1 where things are like training data, less where they are not, however
    sure the classifier is of them. Something is outside where it is further away than training data
    of other folds are, and, the less sure the classifier is, the sooner: what is both rather unlike
    and doubtful is most often of a class that was not learned.

    Parameters
    ----------
    axes
        ``(numbers, axes)``: from the numbers that the classifier reads to a space in which training
        data spread alike in all directions around the means of their classes.
    class_axes
        ``(classes, axes, axes)``: from there to the space of each class, in which its own training
        data do.
    references
        ``(references, axes)``, float32: a reduced set of training data, each in the space of its
        class.
    reference_classes
        ``(references,)``: position of each one's class.
    unit
        Mean distance between training data.
    confidences, accuracies, limits
        At some confidences: accuracy where all is as in training, and the dissimilarity beyond
        which something is outside; both rise with the confidence.
    dissimilarities, shares
        The share of that accuracy which is left, at some dissimilarities; it falls with them.
    """

    axes: Floats
    class_axes: Floats
    references: Floats
    reference_classes: NDArray[np.integer]
    unit: float
    confidences: Floats
    accuracies: Floats
    limits: Floats
    dissimilarities: Floats
    shares: Floats

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
        expected = np.interp(confidence, self.confidences, self.accuracies)
        expected *= np.interp(found, self.dissimilarities, self.shares)
        limits = np.interp(confidence, self.confidences, self.limits)
        return Applied(found, expected.astype(np.float32), found > limits)

    def measure(self, numbers: Floats) -> Floats:
        """Dissimilarity, ``(n,)``, of what the classifier reads, ``(n, numbers)``."""
        parts = [
            find_nearest(
                np.asarray(numbers[start : start + _AT_ONCE], np.float32) @ self.axes,
                self.class_axes,
                self.references,
                self.reference_classes,
            )
            for start in range(0, len(numbers), _AT_ONCE)
        ]
        found = np.concatenate([np.empty(0, np.float32), *parts])
        return (found / self.unit).astype(np.float32)

    def to_npz(self) -> bytes:
        """Write everything into the bytes of an ``.npz`` file."""
        file = io.BytesIO()
        np.savez_compressed(file, **vars(self))
        return file.getvalue()

    @classmethod
    def from_npz(cls, content: bytes) -> Self:
        """Read what `to_npz` wrote; nothing in it is executed.

        Raises
        ------
        ValueError, TypeError, zipfile.BadZipFile
            If the bytes are something else.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = dict(arrays)
        return cls(**{**found, "unit": float(found.get("unit", np.nan))})

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self  # frozen; arrays are read only


def find_nearest(
    places: Floats, class_axes: Floats, references: Floats, classes: NDArray[np.integer]
) -> Floats:
    """Distance, ``(n,)``, of places, ``(n, axes)``, to the nearest reference, in its class's space.

    Parameters
    ----------
    places
        Where all classes have their place, ``(n, axes)``.
    class_axes, references, classes
        As `Applicability` has them.
    """
    nearest = np.full(len(places), np.inf, dtype=np.float32)
    for number in np.unique(classes):
        own, known = places @ class_axes[number], references[classes == number]
        squares = (known**2).sum(axis=1)
        found = (squares - 2 * own @ known.T).min(axis=1) + (own**2).sum(axis=1)
        nearest = np.minimum(nearest, found)
    return np.asarray(np.sqrt(nearest.clip(min=0)))
