"""How well a model reads the test digits, and which it misreads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.stats import binomtest

from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.examples.digits.idx import DIGITS
from aerial_kedro.report.wording import number

NAMES = [str(digit) for digit in range(DIGITS)]


@dataclass(frozen=True)
class ReadDigits:
    """A model's reading of the test digits.

    Parameters
    ----------
    evaluation
        Its agreement with the labels.
    predicted
        ``(n,)`` the digit read.
    probability
        ``(n,)`` that the model gave to it.
    """

    evaluation: Evaluation
    predicted: NDArray[np.int64]
    probability: NDArray[np.float64]


class Confusion(BaseModel):
    """A digit that was often taken for another.

    Parameters
    ----------
    true, predicted
        The two digits.
    count
        How often.
    of
        How often the true one occurs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    true: int
    predicted: int
    count: int
    of: int

    @property
    def sentence(self) -> str:
        """The same in words.

        Examples
        --------
        >>> Confusion(true=4, predicted=9, count=1, of=982).sentence
        'Of 982 test images of a 4, 1 was taken for a 9.'
        """
        return (
            f"Of {number(self.of)} test images of {_article(self.true)} {self.true}, "
            f"{number(self.count)} {'was' if self.count == 1 else 'were'} taken for "
            f"{_article(self.predicted)} {self.predicted}."
        )


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
    return ReadDigits(
        evaluation=evaluate(
            [str(label) for label in labels], [str(digit) for digit in predicted], NAMES
        ),
        predicted=predicted,
        probability=probabilities.max(axis=1),
    )


def accuracy_interval(evaluation: Evaluation) -> Interval:
    """95 % interval of the accuracy on other digits like these (E. B. Wilson, 1927).

    Examples
    --------
    >>> found = evaluate(["0"] * 90 + ["1"] * 10, ["0"] * 100, ["0", "1"])
    >>> interval = accuracy_interval(found)
    >>> round(interval.lower, 3), round(interval.upper, 3)
    (0.826, 0.945)
    """
    right = round(evaluation.accuracy * evaluation.n)
    found = binomtest(right, evaluation.n).proportion_ci(method="wilson")
    return Interval(lower=float(found.low), upper=float(found.high))


def largest_confusions(evaluation: Evaluation, count: int = 5) -> list[Confusion]:
    """Find the most frequent mistakes, the most frequent first; of equals, the lower digit."""
    table = np.array(evaluation.confusion)
    wrong = table - np.diag(np.diag(table))
    cells = np.argsort(-wrong, axis=None, kind="stable")[:count]
    pairs = [divmod(int(cell), len(table)) for cell in cells]
    return [
        Confusion(
            true=true, predicted=read, count=int(wrong[true, read]), of=int(table[true].sum())
        )
        for true, read in pairs
        if wrong[true, read] > 0
    ]


def surest_mistakes(judgement: ReadDigits, labels: NDArray[np.uint8], count: int) -> list[int]:
    """Positions of the misread digits, the one that the model was surest of first.

    Parameters
    ----------
    judgement
        The model's reading.
    labels
        ``(n,)``.
    count
        How many at most.
    """
    wrong = np.flatnonzero(judgement.predicted != labels)
    surest = wrong[np.argsort(-judgement.probability[wrong], kind="stable")]
    return [int(position) for position in surest[:count]]


def _article(digit: int) -> str:
    return "an" if digit == 8 else "a"  # noqa: PLR2004
