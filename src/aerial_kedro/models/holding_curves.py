"""Curves of where a classifier holds: from confidence and dissimilarity to what is expected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

# Weight of all that was left out, in rows of other folds. Chosen on training blocks of the sample:
# no tenth of what is like the training data is expected worse by more than 1.2 points there.
_WEIGHT_OF_CLASSES = 0.005
_WEIGHT_OF_GROUPS = 0.1
# Outside is what finds nearly all of every class left out, at the price of at most this share of
# what was learned. Chosen on training blocks: of a class that is left out of this fit as well, four
# fifths are found then.
_FOUND = 0.95
_MOST_OUTSIDE = 0.2
_KNOTS = 60
_LEAST_ACCURACY = 1e-3  # by which is divided


@dataclass(frozen=True)
class Rows:
    """Cells that a fit had not seen.

    Parameters
    ----------
    dissimilarity
        Distance to what it learned from, ``(n,)``.
    confidence
        Its calibrated probability of the class that it predicts, ``(n,)``.
    right
        Whether that is the label, ``(n,)``.
    """

    dissimilarity: Floats
    confidence: Floats
    right: NDArray[np.bool_]


def fit_accuracies(home: Rows, confidences: Floats) -> Floats:
    """Accuracy by confidence on ground like the training data, two numbers of a logistic curve.

    One temperature for all classes leaves middling confidences too modest (Platt 1999 has both).
    """
    from sklearn.linear_model import LogisticRegression

    if home.right.all() or not home.right.any():
        return np.full(len(confidences), home.right.mean())
    model = LogisticRegression(C=np.inf).fit(_logit(home.confidence)[:, None], home.right)
    if model.coef_[0, 0] <= 0:  # the surer, the less often right: confidence says nothing
        return np.full(len(confidences), home.right.mean())
    return np.asarray(model.predict_proba(_logit(confidences)[:, None])[:, 1])


def fit_shares(
    home: Rows, classes: list[Rows], groups: list[Rows], accuracies: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Fit the share of the accuracy that is left: it never rises with the dissimilarity."""
    from sklearn.isotonic import IsotonicRegression

    parts, weights = [home], [np.ones(len(home.right))]
    for rows, weight in ((classes, _WEIGHT_OF_CLASSES), (groups, _WEIGHT_OF_GROUPS)):
        total = sum(len(each.right) for each in rows)
        parts += rows
        weights += [np.full(len(each.right), weight * len(home.right) / total) for each in rows]
    unlike = np.concatenate([each.dissimilarity for each in parts])
    right = np.concatenate([each.right for each in parts])
    confidence = np.concatenate([each.confidence for each in parts])
    sure = np.interp(confidence, *accuracies).clip(_LEAST_ACCURACY)
    # Weighted by what is expected, the mean of right / expected is the sum of one over the other's.
    model = IsotonicRegression(increasing=False, y_max=1.0, out_of_bounds="clip")
    model.fit(unlike, right / sure, sample_weight=np.concatenate(weights) * sure)
    knots = np.unique(np.quantile(unlike, np.linspace(0, 1, _KNOTS)))
    # Nothing was ever measured further away than the last knot: what is expected falls to nothing.
    return np.append(knots, 2 * knots[-1]), np.append(model.predict(knots), 0.0)


def fit_limits(home: Rows, classes: list[Rows], confidences: Floats) -> Floats:
    """Find the distance beyond which something is outside, by confidence."""
    from sklearn.linear_model import LogisticRegression

    lower, upper = np.quantile(home.dissimilarity, [0.25, 0.75])
    whisker = np.full(len(confidences), upper + 1.5 * (upper - lower))
    if not classes:
        return whisker
    at_home, *away = (
        np.stack([np.log(each.dissimilarity.clip(1e-6)), _logit(each.confidence)], axis=1)
        for each in (home, *classes)
    )
    rows = np.concatenate([at_home, *away])
    model = LogisticRegression(class_weight="balanced")
    model.fit(rows, np.arange(len(rows)) >= len(at_home))
    unlike, sure = model.coef_[0]
    if unlike <= 0:  # what was left out lies no further away than what was not
        return whisker
    slopes = np.array([unlike, min(sure, 0.0)])
    found = min(np.quantile(each @ slopes, 1 - _FOUND) for each in away)
    score = max(found, np.quantile(at_home @ slopes, 1 - _MOST_OUTSIDE))
    limits = np.exp((score - slopes[1] * _logit(confidences)) / unlike)
    return np.asarray(np.minimum(limits, whisker))


def _logit(confidence: Floats) -> Floats:
    sure = confidence.clip(0.01, 0.99)
    return np.asarray(np.log(sure / (1 - sure)))
