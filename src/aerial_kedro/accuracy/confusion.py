"""Confusion counts, and the accuracies that follow from them.

Everything here starts from counts, never from one label at a time, so that a county of tiles costs
no more than its table. The measures equal scikit-learn's, but where they are undefined: None, never
0 and never NaN.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from aerial_kedro.parameters import CheckedModel


class ClassAccuracy(CheckedModel):
    """Accuracy of one class.

    Parameters
    ----------
    users_accuracy
        Share of the tiles predicted as the class that are of it (precision): what a user of the
        map finds on the ground. None if the class was never predicted.
    producers_accuracy
        Share of the class's reference tiles that were predicted as it (recall): what the map's
        producer caught. None if the reference does not hold the class.
    f1
        Harmonic mean of both; 0 where the class is in the reference and was never found. None if
        the reference does not hold the class.
    support
        Number of reference tiles.
    """

    users_accuracy: float | None
    producers_accuracy: float | None
    f1: float | None
    support: int


class Confusion(CheckedModel):
    """A reference class that was predicted as another.

    Parameters
    ----------
    reference, predicted
        The two classes.
    count
        Number of tiles.
    of
        Number of tiles of the reference class.
    """

    reference: str
    predicted: str
    count: int
    of: int


def class_codes(labels: Sequence[str], classes: Sequence[str], what: str) -> NDArray[np.int64]:
    """Position of each label in ``classes``.

    Parameters
    ----------
    labels
        The labels of ``n`` tiles.
    classes
        Class names, all different.
    what
        What the labels are, for the message ("reference").

    Returns
    -------
    numpy.ndarray
        Positions, shape ``(n,)``, int64.

    Raises
    ------
    ValueError
        If a class name comes twice, or a label is none of them (a missing one included).
    """
    if len(set(classes)) != len(classes):
        raise ValueError(f"A class name comes twice in {list(classes)}: keep one of each.")
    values = pd.Series(list(labels), dtype=object)
    codes = pd.Index(list(classes), dtype=object).get_indexer(pd.Index(values, dtype=object))
    if (codes < 0).any():
        unknown = sorted({str(label) for label in values[codes < 0]})
        raise ValueError(
            f"{int((codes < 0).sum())} {what} labels are none of the classes {list(classes)}: "
            f"{unknown[:5]}. Leave those tiles out, or add the class."
        )
    return np.asarray(codes, dtype=np.int64)


def paired_codes(
    labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions in ``classes`` of the reference and the predicted labels of the same tiles.

    Raises
    ------
    ValueError
        If there is no tile, the two lengths differ, or as `class_codes`.
    """
    if len(labels) != len(predicted):
        raise ValueError(
            f"{len(labels)} reference labels do not pair with {len(predicted)} predicted ones: "
            "give both for the same tiles, in the same order."
        )
    if len(labels) == 0:
        raise ValueError(
            "There is no tile to evaluate: the split is empty. Check the split's shares, the "
            "smallest purity and the sample fraction."
        )
    return class_codes(labels, classes, "reference"), class_codes(predicted, classes, "predicted")


def confusion_counts(
    labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]
) -> NDArray[np.int64]:
    """Count tiles by reference and predicted label.

    Parameters
    ----------
    labels, predicted
        Reference and predicted label of each tile.
    classes
        Class names, in the order of the rows and columns.

    Returns
    -------
    numpy.ndarray
        Shape ``(len(classes), len(classes))``, int64; rows are reference labels, columns are
        predicted labels.

    Raises
    ------
    ValueError
        If there is no tile, the lengths differ, or a label is none of the classes.

    Examples
    --------
    >>> confusion_counts(["Forest", "Forest", "Shrub"], ["Forest", "Shrub", "Shrub"],
    ...                  ["Forest", "Shrub", "Water"])
    array([[1, 1, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    from sklearn.metrics import confusion_matrix

    reference, guess = paired_codes(labels, predicted, classes)
    counts = confusion_matrix(reference, guess, labels=np.arange(len(classes)))
    return np.asarray(counts, dtype=np.int64)


def overall_accuracy(counts: ArrayLike) -> float:
    """Share of the tiles on the diagonal.

    Raises
    ------
    ValueError
        If the counts are no square table of at least one tile.

    Examples
    --------
    >>> overall_accuracy([[3, 1], [0, 4]])
    0.875
    """
    table = _as_table(counts)
    return float(np.trace(table) / table.sum())


def per_class_accuracy(counts: ArrayLike) -> list[ClassAccuracy]:
    """User's and producer's accuracy, F1 and support of each class.

    Parameters
    ----------
    counts
        Square table of tile counts; rows are reference labels, columns are predicted labels.

    Returns
    -------
    list of ClassAccuracy
        One a class, in the table's order.

    Raises
    ------
    ValueError
        If the counts are no square table of at least one tile.

    Examples
    --------
    The first class is found 3 times in 4. The second is never predicted, so that its user's
    accuracy is unknown; the third is not in the reference, so that its producer's accuracy is.

    >>> first, second, third = per_class_accuracy([[3, 0, 1], [1, 0, 0], [0, 0, 0]])
    >>> first.users_accuracy, first.producers_accuracy
    (0.75, 0.75)
    >>> second
    ClassAccuracy(users_accuracy=None, producers_accuracy=0.0, f1=0.0, support=1)
    >>> third
    ClassAccuracy(users_accuracy=0.0, producers_accuracy=None, f1=None, support=0)
    """
    table = _as_table(counts)
    rights, supports, predictions = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return [
        ClassAccuracy(
            users_accuracy=right / predicted if predicted else None,
            producers_accuracy=right / support if support else None,
            f1=2 * right / (support + predicted) if support else None,
            support=support,
        )
        for right, support, predicted in zip(
            rights.tolist(), supports.tolist(), predictions.tolist(), strict=True
        )
    ]


def macro_f1(counts: ArrayLike) -> float:
    """Mean F1 over the classes that the reference holds.

    A class that is in the reference and was never predicted counts as 0: leaving it out would
    reward a model for ignoring it.

    Raises
    ------
    ValueError
        If the counts are no square table of at least one tile.

    Examples
    --------
    >>> macro_f1([[3, 0, 1], [1, 0, 0], [0, 0, 0]])
    0.375
    """
    scores = [row.f1 for row in per_class_accuracy(counts) if row.f1 is not None]
    return float(np.mean(scores))


def largest_confusions(counts: ArrayLike, classes: Sequence[str], most: int) -> list[Confusion]:
    """Find the most frequent mistakes, the most frequent first; of equals, the earlier row.

    Parameters
    ----------
    counts
        Square table of tile counts; rows are reference labels, columns are predicted labels.
    classes
        Class names, in the order of the rows and columns.
    most
        How many mistakes to find at most.

    Raises
    ------
    ValueError
        If the counts are no square table of at least one tile.

    Examples
    --------
    >>> [found] = largest_confusions([[3, 2], [0, 4]], ["Forest", "Shrub"], 3)
    >>> found.reference, found.predicted, found.count, found.of
    ('Forest', 'Shrub', 2, 5)
    """
    table = _as_table(counts)
    wrong = table - np.diag(np.diag(table))
    cells = np.argsort(-wrong, axis=None, kind="stable")[:most]
    return [
        Confusion(
            reference=classes[row],
            predicted=classes[column],
            count=int(wrong[row, column]),
            of=int(table[row].sum()),
        )
        for row, column in (divmod(int(cell), len(table)) for cell in cells)
        if wrong[row, column] > 0
    ]


def _as_table(counts: ArrayLike) -> NDArray[np.int64]:
    table = np.asarray(counts)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:  # noqa: PLR2004
        raise ValueError(
            f"Confusion counts have the shape {table.shape}: give a square table, rows for "
            "reference labels and columns for predicted labels."
        )
    if (table < 0).any() or table.sum() == 0:
        raise ValueError("Confusion counts must not be negative, and must hold at least one tile.")
    return table.astype(np.int64)
