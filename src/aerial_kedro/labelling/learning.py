"""What a quick classifier makes of the labels so far, to find where more would teach most."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

_PENALTIES = (0.0005, 0.002, 0.01, 0.05, 0.2)  # scikit-learn's C
_MOST_ITERATIONS = 300
_FOLDS = 5
_LEAST = 1e-6  # a probability of zero would outweigh all others
_FEWEST = 2  # classes, and blocks, of which something can be learned


def learn(
    features: np.ndarray, labels: np.ndarray, blocks: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fit a multinomial logistic regression to labelled cells.

    Its penalty is the one with the least log loss on blocks left out.

    Parameters
    ----------
    features
        Of the labelled cells, ``(labelled, numbers)``.
    labels
        Position of their class, integer, ``(labelled,)``, at least two of them.
    blocks
        The block that each lies in, ``(labelled,)``.
    others
        Features of other cells, ``(cells, numbers)``.

    Returns
    -------
    probabilities : numpy.ndarray
        Of the classes for the other cells, ``(cells, classes)``, where ``classes`` is one more
        than the largest label.
    left_out : numpy.ndarray or None
        The same for the labelled cells, by the labels of other blocks; None where all labels lie
        in one block.
    """
    classes = int(labels.max()) + 1
    folds = min(_FOLDS, len(np.unique(blocks)))
    if folds < _FEWEST:
        return _fit(features, labels, _PENALTIES[-2], others, classes), None
    parts = list(GroupKFold(folds).split(features, labels, blocks))
    best: tuple[float, float, np.ndarray] | None = None
    for penalty in _PENALTIES:
        found = np.full((len(labels), classes), 1 / classes)
        for learned, left in parts:
            if len(np.unique(labels[learned])) >= _FEWEST:
                found[left] = _fit(
                    features[learned], labels[learned], penalty, features[left], classes
                )
        loss = -float(np.log(found[np.arange(len(labels)), labels].clip(_LEAST)).mean())
        if best is None or loss < best[0]:
            best = (loss, penalty, found)
    assert best is not None
    return _fit(features, labels, best[1], others, classes), best[2]


def _fit(
    features: np.ndarray, labels: np.ndarray, penalty: float, others: np.ndarray, classes: int
) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a draft of a classifier is enough
        fitted = LogisticRegression(C=penalty, max_iter=_MOST_ITERATIONS).fit(features, labels)
    found = np.zeros((len(others), classes))
    found[:, fitted.classes_] = fitted.predict_proba(others)
    return found
