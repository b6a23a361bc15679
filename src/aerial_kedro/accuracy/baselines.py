"""Baselines: accuracies that a model has to exceed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.dummy import DummyClassifier

from aerial_kedro.accuracy.confusion import class_codes
from aerial_kedro.accuracy.evaluation import Evaluation, evaluate


def majority_baseline(
    train_labels: Sequence[str],
    test_labels: Sequence[str],
    classes: Sequence[str],
    *,
    blocks: Sequence[str] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Evaluate the answer that is always the most frequent class of the training tiles.

    Where classes are equally frequent, it is the first in the order of ``classes``.

    Parameters
    ----------
    train_labels
        Labels of the training tiles.
    test_labels
        Reference labels of the tiles to evaluate on.
    classes
        Class names.
    blocks, seed
        Blocks of the test tiles and seed, for intervals (see
        :func:`~aerial_kedro.accuracy.evaluation.evaluate`).

    Raises
    ------
    ValueError
        If there is no training or test tile, or a label is none of the classes.

    Examples
    --------
    >>> majority_baseline(["Forest", "Forest", "Shrub"], ["Forest", "Shrub"],
    ...                   ["Forest", "Shrub"]).accuracy
    0.5
    """
    if len(train_labels) == 0:
        raise ValueError("There is no training tile to take the most frequent class from.")
    codes = class_codes(train_labels, classes, "training")
    model = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(codes), 1)), codes)
    guess = model.predict(np.zeros((len(test_labels), 1)))
    return evaluate(
        test_labels, [classes[code] for code in guess], classes, blocks=blocks, seed=seed
    )
