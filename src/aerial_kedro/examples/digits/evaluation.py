"""How well the models read the test digits, and which they misread: nodes and their parts."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.accuracy.confusion import largest_confusions
from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.accuracy.interval import Interval, proportion
from aerial_kedro.examples.digits.data import DatasetRecord, Digits
from aerial_kedro.examples.digits.files import DIGITS
from aerial_kedro.examples.digits.regression import (
    FittedRegression,
    Sweep,
    regression_probabilities,
)
from aerial_kedro.examples.digits.settings import DigitsSettings
from aerial_kedro.report.wording import number
from aerial_kedro.tracking.record import RunRecord, UsedData

LOGGER = logging.getLogger(__name__)
_MOST_CONFUSIONS = 5


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


def evaluate_regression(digits: Digits, model: FittedRegression) -> ReadDigits:
    """Let the regression read the test images."""
    read = evaluate_model(digits.test_labels, regression_probabilities(model, digits.test_images))
    LOGGER.info("Logistic regression reads %.4f of the test images right", read.evaluation.accuracy)
    return read


def read_by_network(digits: Digits, settings: DigitsSettings) -> ReadDigits:
    """Train the network and let it read the test images."""
    # torch takes seconds to import, and every `kedro run` imports this module.
    from aerial_kedro.examples.digits.network import network_probabilities  # noqa: PLC0415

    read = evaluate_model(digits.test_labels, network_probabilities(digits, settings))
    LOGGER.info("A small network reads %.4f of the test images right", read.evaluation.accuracy)
    return read


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
        for found in largest_confusions(evaluation.confusion, evaluation.classes, _MOST_CONFUSIONS)
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


def list_figures(
    record: DatasetRecord,
    regularization: float,
    by_regression: ReadDigits,
    by_network: ReadDigits,
    compared: Sweep,
) -> tuple[dict[str, Any], RunRecord]:
    """List what was found, as JSON and for the run history.

    Parameters
    ----------
    record
        What is known of the data.
    regularization
        Strength of the regression's penalty.
    by_regression, by_network
        What the models read on the test images.
    compared
        Strengths of regularisation compared.
    """
    evaluation, network = by_regression.evaluation, by_network.evaluation
    figures = {
        "data": record.model_dump(include={"name", "version", "source", "train", "test"}),
        "regularization": regularization,
        **evaluation.model_dump(include={"accuracy", "macro_f1", "classes", "confusion"}),
        "per_digit": {digit: each.model_dump() for digit, each in evaluation.per_class.items()},
        "confused": [
            {
                "true": int(each.reference),
                "predicted": int(each.predicted),
                "count": each.count,
                "of": each.of,
            }
            for each in largest_confusions(
                evaluation.confusion, evaluation.classes, _MOST_CONFUSIONS
            )
        ],
        "network": network.model_dump(include={"accuracy", "macro_f1"}),
        "sweep": compared.model_dump(),
    }
    metrics = {
        f"{prefix}{figure}": getattr(found, figure)
        for prefix, found in (("", evaluation), ("network.", network))
        for figure in ("accuracy", "macro_f1")
    }
    facts = record.model_dump(include={"source", "description", "licence"})
    used = UsedData(name=record.name, digest=record.version, facts=facts)
    return figures, RunRecord(metrics=metrics, data=[used])


def _with_article(digit: str) -> str:
    return f"{'an' if digit == '8' else 'a'} {digit}"
