"""Logistic regression on the pixels, as in the tutorial, and what its regularisation does."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.digits.data import BLACK, Digits
from aerial_kedro.examples.digits.files import DIGITS
from aerial_kedro.examples.digits.settings import DigitsSettings
from aerial_kedro.parameters import CheckedModel


class FittedRegression(Protocol):
    """What is used of scikit-learn's ``OneVsRestClassifier``, which loads slowly."""

    classes_: NDArray[np.uint8]
    estimators_: list[Any]

    def predict_proba(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give each class its probability, ``(images, classes)``."""


class SweepPoint(CheckedModel):
    """Accuracy at one strength of regularisation."""

    regularization: float
    train_accuracy: float
    validation_accuracy: float


class Sweep(CheckedModel):
    """What strengths of regularisation do to accuracy, on a part of the training images.

    Parameters
    ----------
    fitted, validated
        How many images each fit saw, and on how many others it was evaluated.
    points
        Accuracies in order of the strength.
    """

    fitted: int
    validated: int
    points: list[SweepPoint]

    @property
    def best(self) -> SweepPoint:
        """The point with the highest validation accuracy; of equals, the most regularised."""
        return max(self.points, key=lambda each: (each.validation_accuracy, each.regularization))

    @property
    def chance(self) -> float:
        """How far chance alone moves a validation accuracy: the half of its 95 % interval."""
        share = self.best.validation_accuracy
        return float(1.96 * (share * (1 - share) / self.validated) ** 0.5)


def as_rows(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Bring images to what the regression sees: ``(n, rows * columns)``, from 0 to 1."""
    return images.reshape(len(images), -1) / BLACK


def fit_regression(
    digits: Digits, regularization: float, settings: DigitsSettings
) -> tuple[FittedRegression, FittedRegression]:
    """Fit one regularised logistic regression for each digit against all others.

    Parameters
    ----------
    digits
        The digits, of which the training images are used.
    regularization
        Strength of the regularisation; scikit-learn's ``C`` is the inverse.
    settings
        Settings of the tutorial: the seed, as there. The solver makes no random choice for this
        kind of regression.

    Returns
    -------
    tuple
        The model, for the nodes that follow, and again, for the model registry.

    Notes
    -----
    The ten fits share the pixels in memory and run at the same time: liblinear lets go of the
    interpreter.
    """
    import joblib

    with joblib.parallel_config(backend="threading", n_jobs=-1):
        model: FittedRegression = _regression(regularization, settings.seed).fit(
            as_rows(digits.train_images), digits.train_labels
        )
    return model, model


def sweep_regularization(digits: Digits, settings: DigitsSettings) -> Sweep:
    """Fit at several strengths on some training images and evaluate on others.

    Test images are not seen: they are no test of what was chosen by them.

    Parameters
    ----------
    digits
        The digits.
    settings
        Strengths to compare; how many images to fit on, and at most as many others to evaluate on
        (half each where there are not so many); seed of the choice of images.
    """
    import joblib
    from sklearn.model_selection import validation_curve

    order = np.random.default_rng(settings.seed).permutation(len(digits.train_images))
    size = min(settings.sweep.images, len(order) // 2)
    chosen, strengths = order[: 2 * size], np.unique(settings.sweep.values)
    with joblib.parallel_config(backend="threading", n_jobs=-1):
        train, validation = validation_curve(
            _regression(1.0, settings.seed),
            as_rows(digits.train_images[chosen]),
            digits.train_labels[chosen],
            param_name="estimator__C",
            param_range=1 / strengths,
            cv=[(np.arange(size), np.arange(size, 2 * size))],
        )
    found = np.column_stack([strengths, train, validation]).tolist()
    points = [
        SweepPoint(regularization=value, train_accuracy=fitted, validation_accuracy=others)
        for value, fitted, others in found
    ]
    return Sweep(fitted=size, validated=size, points=points)


def regression_probabilities(
    model: FittedRegression, images: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Probabilities of the ten digits, ``(n, 10)``; 0 for a digit that training did not have."""
    found = np.zeros((len(images), DIGITS))
    found[:, model.classes_.astype(np.intp)] = model.predict_proba(as_rows(images))
    return found


def _regression(regularization: float, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    return OneVsRestClassifier(
        LogisticRegression(C=1 / regularization, solver="liblinear", random_state=seed)
    )
