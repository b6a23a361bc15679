"""How well a model reads the test digits, and which it misreads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.accuracy.confusion import largest_confusions
from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.accuracy.interval import Interval, proportion
from aerial_kedro.examples.digits.files import DIGITS
from aerial_kedro.report.wording import number

MOST_CONFUSIONS = 5


@dataclass(frozen=True)
class ReadDigits:
    """What a model read on the test images.

    Parameters
    ----------
    evaluation
        Agreement with the labels.
    interval
        95 % interval of the accuracy on other digits like these (Wilson's).
    predicted
        ``(n,)`` digits read.
    probability
        ``(n,)`` probabilities that the model gave to them.
    """

    evaluation: Evaluation
    interval: Interval | None
    predicted: NDArray[np.int64]
    probability: NDArray[np.float64]


def evaluate_model(labels: NDArray[np.uint8], probabilities: NDArray[np.float64]) -> ReadDigits:
    """Compare a model's probabilities with the labels.

    Parameters
    ----------
    labels
        ``(n,)`` from 0 to 9.
    probabilities
        ``(n, 10)``, rows sum to 1.
    """
    predicted = probabilities.argmax(axis=1)
    names = [str(digit) for digit in range(DIGITS)]
    return ReadDigits(
        evaluation=evaluate([*map(str, labels)], [*map(str, predicted)], names),
        interval=proportion(predicted == labels).interval,
        predicted=predicted,
        probability=probabilities.max(axis=1),
    )


def confusion_sentences(evaluation: Evaluation) -> list[str]:
    """Put the most frequent mistakes in words, the most frequent first.

    Examples
    --------
    >>> names = [str(digit) for digit in range(10)]
    >>> confusion_sentences(evaluate(["4", "4", "8"], ["4", "9", "8"], names))
    ['Of 2 test images of a 4, 1 was taken for a 9.']
    """
    return [
        f"Of {number(found.of)} test images of {_with_article(found.reference)}, "
        f"{number(found.count)} {'was' if found.count == 1 else 'were'} taken for "
        f"{_with_article(found.predicted)}."
        for found in largest_confusions(evaluation.confusion, evaluation.classes, MOST_CONFUSIONS)
    ]


def surest_mistakes(read: ReadDigits, labels: NDArray[np.uint8], count: int) -> list[int]:
    """Positions of the misread digits, the one that the model was surest of first.

    Parameters
    ----------
    read
        What the model read.
    labels
        ``(n,)`` true digits.
    count
        How many at most.
    """
    wrong = np.flatnonzero(read.predicted != labels)
    surest = wrong[np.argsort(-read.probability[wrong], kind="stable")]
    return [int(position) for position in surest[:count]]


def _with_article(digit: str) -> str:
    return f"{'an' if digit == '8' else 'a'} {digit}"
