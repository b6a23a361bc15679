"""Nodes of the digits tutorial."""

from __future__ import annotations

import logging
from typing import Any

from sklearn.multiclass import OneVsRestClassifier

from aerial_kedro.accuracy.confusion import largest_confusions
from aerial_kedro.examples.digits.data import (
    DatasetRecord,
    Digits,
    EmbeddedDigits,
    digits_of_files,
    digits_of_package,
)
from aerial_kedro.examples.digits.evaluation import (
    MOST_CONFUSIONS,
    ReadDigits,
    evaluate_model,
)
from aerial_kedro.examples.digits.files import DigitFiles
from aerial_kedro.examples.digits.regression import (
    Sweep,
    fit_regression,
    regression_probabilities,
    sweep_regularization,
)
from aerial_kedro.examples.digits.settings import DigitsSettings
from aerial_kedro.tracking.record import RunRecord, UsedData

LOGGER = logging.getLogger(__name__)


def check_download(files: DigitFiles) -> DigitFiles:
    """Let pass what is MNIST by its sha256: torchvision's md5 can be forged."""
    digits_of_files(files, check_hashes=True)
    return files


def read_digits(
    files: DigitFiles | EmbeddedDigits, settings: DigitsSettings
) -> tuple[Digits, DatasetRecord]:
    """Check the digits and describe them.

    Parameters
    ----------
    files
        The four files, or scikit-learn's digits.
    settings
        Settings of the tutorial.
    """
    if isinstance(files, DigitFiles):
        digits, record = digits_of_files(files, check_hashes=settings.check_hashes)
    else:
        digits, record = digits_of_package(
            files, test_share=settings.test_share, seed=settings.seed
        )
    LOGGER.info(
        "%s: %d training and %d test images of %d × %d pixels, version %s",
        record.name,
        record.train,
        record.test,
        record.rows,
        record.columns,
        record.version,
    )
    return digits, record


def fit_digits(
    digits: Digits, regularization: float, settings: DigitsSettings
) -> tuple[OneVsRestClassifier, OneVsRestClassifier]:
    """Fit the tutorial's model, for the nodes that follow and for the model registry."""
    model = fit_regression(
        digits.train_images,
        digits.train_labels,
        regularization=regularization,
        seed=settings.seed,
    )
    return model, model


def evaluate_regression(digits: Digits, model: OneVsRestClassifier) -> ReadDigits:
    """Let the regression read the test images."""
    read = evaluate_model(digits.test_labels, regression_probabilities(model, digits.test_images))
    LOGGER.info("Logistic regression reads %.4f of the test images right", read.evaluation.accuracy)
    return read


def read_by_network(digits: Digits, settings: DigitsSettings) -> ReadDigits:
    """Train the network and let it read the test images."""
    # torch takes seconds to import, and every `kedro run` imports this module.
    from aerial_kedro.examples.digits.network import network_probabilities, train_network  # noqa: PLC0415

    network = train_network(
        digits.train_images, digits.train_labels, settings.network, seed=settings.seed
    )
    read = evaluate_model(digits.test_labels, network_probabilities(network, digits.test_images))
    LOGGER.info("A small network reads %.4f of the test images right", read.evaluation.accuracy)
    return read


def sweep(digits: Digits, settings: DigitsSettings) -> Sweep:
    """Compare strengths of regularisation on a part of the training images."""
    return sweep_regularization(
        digits, settings.sweep.values, images=settings.sweep.images, seed=settings.seed
    )


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
                evaluation.confusion, evaluation.classes, MOST_CONFUSIONS
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
