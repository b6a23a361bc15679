"""Fitting where a classifier holds, from predictions of what its folds had not seen.

Folds of blocks alone know nothing of what far away costs: every one of them is home. So classes are
left out as well, each in turn, whose cells are never right, and years or scenes. Logistic
regression stands for the chosen classifier in these refits: no classifier is right for a class that
it does not know, and what lies between is read off the confidence, which each calibrates itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.accuracy.calibration import fit_temperature, scale_probabilities
from aerial_kedro.models.applicability import Applicability, find_nearest
from aerial_kedro.models.few_rows import fitting, inverse_penalty, run_each
from aerial_kedro.models.holding_curves import Rows, fit_accuracies, fit_limits, fit_shares

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]

REFERENCES_A_CLASS = 4
"""Of the reduced set; 8 find no more of unknown classes."""
# Of the spread of a space's first axis; keeps directions in which hardly anything varies small.
_FLOOR = 1e-3
_FLOOR_OF_FEW = 0.1  # times numbers over cells: of few cells small spreads are chance
_OF_CLASS = 3_000  # by which the spread of a class is measured
_LEAST_SHRINKAGE = 0.1  # of that to the same in all directions
_LEARNED = 10_000
_LEFT_OUT = 1_000
FEWEST_MEASURED = 100
"""Cells or tiles that were predicted out of fold; of fewer no curve is fitted."""
_FEWEST_FOLDS = 2
_FEWEST_CLASSES = 2


@dataclass(frozen=True)
class Known:
    """The data that a classifier learned from, and what its folds made of them.

    Parameters
    ----------
    numbers
        What the classifier reads, ``(n, numbers)``, float32.
    labels, folds
        Class and fold of each, ``(n,)``, object.
    groups
        What else may be left out together, as years, ``(n,)``, object; all one: nothing.
    teaches
        Which of them are learned from, ``(n,)``.
    weights
        Weight of each in learning, ``(n,)``.
    measured
        Which of them speak for the ground: predicted out of fold, with a label to rely on.
    right, confidence
        Whether the class predicted out of fold is the label's, and its calibrated probability,
        ``(n,)``; read where ``measured``.
    """

    numbers: NDArray[np.float32]
    labels: NDArray[np.object_]
    folds: NDArray[np.object_]
    groups: NDArray[np.object_]
    teaches: Bools
    weights: Floats
    measured: Bools
    right: Bools
    confidence: Floats


@dataclass(frozen=True)
class Part:
    """Numbers that belong together, and what their distances count.

    Parameters
    ----------
    numbers
        Which of them.
    weight
        By which distances in them are multiplied.
    """

    numbers: slice
    weight: float


@dataclass(frozen=True)
class _Space:
    """The spaces of distances, and places in them that stand for what was learned.

    See `Applicability`; ``names`` are those of the classes.
    """

    axes: NDArray[np.float32]
    class_axes: NDArray[np.float32]
    references: NDArray[np.float32]
    classes: NDArray[np.int64]
    names: tuple[str, ...]

    def measure(self, numbers: Floats, without: str | None = None) -> Floats:
        """Distance to the nearest reference, perhaps of other classes than one."""
        kept = np.array([name != without for name in self.names])[self.classes]
        return find_nearest(
            numbers @ self.axes, self.class_axes, self.references[kept], self.classes[kept]
        )


@dataclass(frozen=True)
class _Fitting:
    """What all steps of a fit have in common; see `fit_applicability`."""

    known: Known
    parts: Sequence[Part]
    penalty: float
    seed: int

    def fit(self) -> Applicability:
        known = self.known
        space = self._lay_space(known.teaches)
        places = known.numbers[self._draw(known.teaches, _LEFT_OUT)] @ space.axes
        unit = float(np.mean([_mean_distance(places @ each) for each in space.class_axes]))
        names = sorted(set(known.folds[known.measured]))
        learned = [known.teaches & (known.folds != name) for name in names]
        folds = dict(zip(names, run_each(self._lay_space, learned), strict=True))
        home = self._measure_folds(folds)
        temperature = self._fit_temperature(list(folds))
        without_class = partial(self._leave_class_out, folds=folds, temperature=temperature)
        classes = run_each(without_class, sorted(set(known.labels[known.teaches])))
        without_group = partial(self._leave_group_out, temperature=temperature)
        groups = run_each(without_group, list(product(self._list_groups(), folds)))
        confidences = np.linspace(0.01, 0.99, 50)
        accuracies = fit_accuracies(home, confidences)
        knots, shares = fit_shares(home, _done(classes), _done(groups), (confidences, accuracies))
        limits = fit_limits(home, _done(classes), confidences)
        return Applicability(
            space.axes, space.class_axes, space.references, space.classes, unit, confidences,
            accuracies, limits / unit, knots / unit, shares,
        )  # fmt: skip

    def _draw(self, among: Bools, most: int) -> NDArray[np.int64]:
        positions = np.flatnonzero(among)
        if len(positions) <= most:
            return positions
        chosen = np.random.default_rng(self.seed).choice(positions, most, replace=False)
        return np.sort(chosen)

    def _lay_space(self, learned: Bools) -> _Space:
        from sklearn.cluster import KMeans

        known = self.known
        axes = _find_axes(known.numbers[learned], known.labels[learned], self.parts)
        names = tuple(sorted(set(known.labels[learned])))
        class_axes, references = [], []
        for name in names:
            drawn = self._draw(learned & (known.labels == name), _OF_CLASS)
            places = known.numbers[drawn] @ axes
            count = min(REFERENCES_A_CLASS, len(np.unique(places, axis=0)))
            model = KMeans(count, n_init=1, max_iter=10, random_state=self.seed).fit(places)
            class_axes.append(_find_class_axes(places - model.cluster_centers_[model.labels_]))
            references.append(model.cluster_centers_ @ class_axes[-1])
        counts = [len(each) for each in references]
        return _Space(
            axes,
            np.stack(class_axes),
            np.concatenate(references).astype(np.float32),
            np.repeat(np.arange(len(names)), counts),
            names,
        )

    def _measure_folds(self, folds: dict[str, _Space]) -> Rows:
        """Measure the cells of each fold from those of the others."""
        known = self.known
        found = self._from_other_folds(folds, known.measured)
        return Rows(found, known.confidence[known.measured], known.right[known.measured])

    def _from_other_folds(
        self, folds: dict[str, _Space], chosen: Bools, without: str | None = None
    ) -> Floats:
        found = np.zeros(len(chosen), np.float32)
        for name, space in folds.items():
            own = chosen & (self.known.folds == name)
            found[own] = space.measure(self.known.numbers[own], without)
        return found[chosen]

    def _fit(self, learned: Bools) -> LogisticRegression | None:
        """Fit what stands for the classifier."""
        from sklearn.linear_model import LogisticRegression

        chosen = self._draw(learned, _LEARNED)
        labels, weights = self.known.labels[chosen], self.known.weights[chosen]
        if len(set(labels)) < _FEWEST_CLASSES:
            return None
        strength = inverse_penalty(self.penalty, weights.sum(), len(set(labels)))
        # It stands for another classifier, which need not be exact.
        model = LogisticRegression(C=strength, max_iter=40, tol=1e-3)
        return model.fit(self.known.numbers[chosen], labels, sample_weight=weights)

    def _fit_temperature(self, folds: list[str]) -> float:
        """Calibrate what stands for the classifier on cells of other folds."""
        known = self.known
        classes = sorted(set(known.labels[known.teaches]))
        chances, labels = [], []
        models = run_each(self._fit, [known.teaches & (known.folds != name) for name in folds])
        for name, model in zip(folds, models, strict=True):
            own = self._draw(known.measured & (known.folds == name), _LEARNED)
            if model is None:
                continue
            found = np.zeros((len(own), len(classes)))
            columns = np.searchsorted(classes, model.classes_)
            found[:, columns] = model.predict_proba(known.numbers[own])
            learnable = np.isin(known.labels[own], model.classes_)
            chances.append(found[learnable])
            labels += known.labels[own][learnable].tolist()
        return fit_temperature(np.concatenate(chances), labels, classes) if labels else 1.0

    def _leave_class_out(
        self, name: str, folds: dict[str, _Space], temperature: float
    ) -> Rows | None:
        """Measure the cells of a class from all others, of other folds, and predict them so."""
        known = self.known
        model = self._fit(known.teaches & (known.labels != name))
        of_class = known.measured & (known.labels == name)
        own = np.isin(np.arange(len(of_class)), self._draw(of_class, _LEFT_OUT))
        if model is None or not own.any():
            return None
        return self._predict(own, self._from_other_folds(folds, own, name), model, temperature)

    def _list_groups(self) -> list[str]:
        found = sorted(set(self.known.groups))
        return found if len(found) > 1 else []

    def _leave_group_out(self, left: tuple[str, str], temperature: float) -> Rows | None:
        """Measure and predict the cells of a group and fold from other groups and folds."""
        known, (group, name) = self.known, left
        learned = known.teaches & (known.groups != group) & (known.folds != name)
        own = known.measured & (known.groups == group) & (known.folds == name)
        model = self._fit(learned)
        if model is None or not own.any():
            return None
        unlike = self._lay_space(learned).measure(known.numbers[own])
        return self._predict(own, unlike, model, temperature)

    def _predict(
        self, own: Bools, unlike: Floats, model: LogisticRegression, temperature: float
    ) -> Rows:
        found = model.predict_proba(self.known.numbers[own])
        chances = scale_probabilities(found, temperature)
        predicted = model.classes_[chances.argmax(axis=1)]
        return Rows(unlike, chances.max(axis=1), predicted == self.known.labels[own])


def fit_applicability(
    known: Known, parts: Sequence[Part], penalty: float, seed: int
) -> Applicability | None:
    """Fit where a classifier holds.

    Parameters
    ----------
    known
        What it learned from.
    parts
        The space of distances: in each part directions are scaled by how much cells of one class
        spread in them.
    penalty
        Of the logistic regression that stands for the classifier, as Spark ML counts it.
    seed
        Seed of every draw.

    Returns
    -------
    Applicability
        None where fewer than 100 cells or two folds were measured: too few to say.
    """
    if (
        known.measured.sum() < FEWEST_MEASURED
        or len(set(known.folds[known.measured])) < _FEWEST_FOLDS
        or len(set(known.labels[known.teaches])) < _FEWEST_CLASSES
    ):
        return None
    with fitting():
        return _Fitting(known, parts, penalty, seed).fit()


def _done(found: list[Rows | None]) -> list[Rows]:
    return [each for each in found if each is not None]


def _find_axes(
    numbers: Floats, labels: NDArray[np.object_], parts: Sequence[Part]
) -> NDArray[np.float32]:
    """Whiten each part by the spread of cells within their classes."""
    centred = numbers.astype(np.float32)
    for name in set(labels):
        centred[labels == name] -= centred[labels == name].mean(axis=0)
    found = []
    for part in parts:
        own = centred[:, part.numbers].astype(np.float64)
        spread, directions = np.linalg.eigh(own.T @ own / len(own))
        most = spread[-1] if spread[-1] > 0 else 1.0
        floor = _FLOOR + _FLOOR_OF_FEW * len(spread) / len(own)
        axes = np.zeros((numbers.shape[1], len(spread)))
        axes[part.numbers] = directions * part.weight / np.sqrt(spread.clip(0) + floor * most)
        found.append(axes)
    return np.concatenate(found, axis=1).astype(np.float32)


def _find_class_axes(residuals: Floats) -> NDArray[np.float32]:
    """Whiten by the spread of one class, of which a volume stays as large as it is.

    So that a class of little spread takes no more of the space than one of much.
    """
    count, size = residuals.shape
    own = residuals.astype(np.float64)
    spread = own.T @ own / count
    mean = np.trace(spread) / size
    if mean <= 0:  # one place alone
        return np.eye(size, dtype=np.float32)
    shrinkage = max(_LEAST_SHRINKAGE, size / (size + count))  # of few cells spreads are chance
    spread = (1 - shrinkage) * spread + shrinkage * mean * np.eye(size)
    scales, directions = np.linalg.eigh(spread)
    volume = np.exp(np.log(scales).mean())
    return np.asarray(directions * np.sqrt(volume / scales), dtype=np.float32)


def _mean_distance(places: Floats) -> float:
    squares = (places**2).sum(axis=1)
    distances = np.sqrt((squares[:, None] + squares - 2 * places @ places.T).clip(min=0))
    return float(distances.sum() / max(len(places) * (len(places) - 1), 1)) or 1.0
