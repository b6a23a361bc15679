"""What a quick classifier makes of the labels so far, to find where more would teach most."""

from collections.abc import Sequence

import numpy as np

from aerial_kedro.errors import AerialError
from aerial_kedro.models.few_labels import (
    FewLabelSettings,
    LabelledCells,
    fit_chosen,
    predict_left_out,
)

# A draft of a classifier is enough.
_SETTINGS = FewLabelSettings(
    folds=5, buffer_m=0.0, reg_params=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0), max_iter=100
)


def learn(
    cells: LabelledCells, others: np.ndarray, classes: Sequence[str], seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fit a logistic regression to labelled cells, its penalty chosen on blocks left out.

    Parameters
    ----------
    cells
        The labelled cells, of two classes or more.
    others
        What is known of other cells, ``(n, numbers)``.
    classes
        Class names; the order of the probabilities.
    seed
        Seed of the parts that are left out.

    Returns
    -------
    probabilities : numpy.ndarray
        Of the classes for the other cells, ``(n, classes)``.
    left_out : numpy.ndarray or None
        The same for the labelled cells, by the labels of other blocks; of a class that these do
        not have, its own, since they say nothing against it. None where all labels lie in one
        block, or no other block has two classes.
    """
    fitted = fit_chosen(cells, _SETTINGS, seed)
    assert fitted is not None  # of two classes or more
    found = np.zeros((len(others), len(classes)))
    found[:, [list(classes).index(name) for name in fitted.classes_]] = fitted.predict_proba(others)
    return found, _leave_out(cells, classes, seed)


def _leave_out(cells: LabelledCells, classes: Sequence[str], seed: int) -> np.ndarray | None:
    if len(set(cells.units)) == 1:
        return None
    try:
        unseen = predict_left_out(cells, _SETTINGS, classes, seed)
    except AerialError:  # no part leaves two classes
        return None
    known = unseen[unseen["learned"]]
    of_class = cells.labels[:, None] == np.array(classes, dtype=object)
    found: np.ndarray = of_class.astype(np.float64)
    if len(known):
        found[known.index] = np.array(known["class_probabilities"].tolist())
    return found
