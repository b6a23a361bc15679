"""Nodes of the digits tutorial."""

from __future__ import annotations

import logging
from typing import Any

from matplotlib.figure import Figure
from sklearn.multiclass import OneVsRestClassifier

from aerial_kedro.examples.digits.data import (
    DatasetRecord,
    DigitFiles,
    Digits,
    EmbeddedDigits,
    digits_of_files,
    digits_of_package,
)
from aerial_kedro.examples.digits.evaluation import ReadDigits, evaluate_model, largest_confusions
from aerial_kedro.examples.digits.figures import choose_sample, sample_figure
from aerial_kedro.examples.digits.page import PageContent, render_page
from aerial_kedro.examples.digits.parameters import DigitsSettings
from aerial_kedro.examples.digits.regression import (
    Sweep,
    fit_regression,
    regression_probabilities,
    sweep_regularization,
)
from aerial_kedro.report.run_facts import RunFacts

LOGGER = logging.getLogger(__name__)


def check_download(files: DigitFiles) -> DigitFiles:
    """Let pass what is MNIST, and nothing else."""
    digits_of_files(files, check_hashes=True)
    return files


def read_digits(
    files: DigitFiles | EmbeddedDigits, settings: DigitsSettings
) -> tuple[Digits, DatasetRecord]:
    """Read the digits, check them and describe them.

    Parameters
    ----------
    files
        The four files, or scikit-learn's digits.
    settings
        Of the tutorial.
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


def list_input(record: DatasetRecord) -> DatasetRecord:
    """Hand the record to the run history."""
    return record


def draw_sample(digits: Digits, settings: DigitsSettings) -> Figure:
    """Draw random training images with their labels."""
    chosen = choose_sample(digits.train_labels, settings.sample, seed=settings.seed)
    return sample_figure(digits.train_images[chosen], digits.train_labels[chosen])


def fit_digits(
    digits: Digits, regularization: float, settings: DigitsSettings
) -> OneVsRestClassifier:
    """Fit the tutorial's model."""
    return fit_regression(
        digits.train_images,
        digits.train_labels,
        regularization=regularization,
        seed=settings.seed,
    )


def evaluate_regression(digits: Digits, model: OneVsRestClassifier) -> ReadDigits:
    """Let the regression read the test images."""
    found = evaluate_model(digits.test_labels, regression_probabilities(model, digits.test_images))
    LOGGER.info(
        "Logistic regression reads %.4f of the test images right", found.evaluation.accuracy
    )
    return found


def read_by_network(digits: Digits, settings: DigitsSettings) -> ReadDigits:
    """Train the network and let it read the test images."""
    # torch takes seconds to import, and every `kedro run` imports this module.
    from aerial_kedro.examples.digits.network import network_probabilities, train_network  # noqa: PLC0415

    network = train_network(
        digits.train_images, digits.train_labels, settings.network, seed=settings.seed
    )
    found = evaluate_model(digits.test_labels, network_probabilities(network, digits.test_images))
    LOGGER.info("A small network reads %.4f of the test images right", found.evaluation.accuracy)
    return found


def sweep(digits: Digits, settings: DigitsSettings) -> Sweep:
    """Compare strengths of regularisation on a part of the training images."""
    return sweep_regularization(
        digits, settings.sweep.values, images=settings.sweep.images, seed=settings.seed
    )


def register_digits(model: OneVsRestClassifier) -> OneVsRestClassifier:
    """Hand the fitted model to the registry."""
    return model


def list_figures(
    record: DatasetRecord,
    regularization: float,
    by_regression: ReadDigits,
    by_network: ReadDigits,
    found: Sweep,
) -> dict[str, Any]:
    """List what was found, as JSON.

    Parameters
    ----------
    record
        Of the data.
    regularization
        Of the regression.
    by_regression, by_network
        How the models read the test images.
    found
        The strengths of regularisation compared.
    """
    evaluation = by_regression.evaluation
    return {
        "data": record.model_dump(include={"name", "version", "source", "train", "test"}),
        "regularization": regularization,
        **evaluation.model_dump(include={"accuracy", "macro_f1", "classes", "confusion"}),
        "per_digit": {digit: each.model_dump() for digit, each in evaluation.per_class.items()},
        "confused": [each.model_dump() for each in largest_confusions(evaluation)],
        "network": by_network.evaluation.model_dump(include={"accuracy", "macro_f1"}),
        "sweep": found.model_dump(),
    }


def list_history(by_regression: ReadDigits, by_network: ReadDigits) -> dict[str, dict[str, float]]:
    """List the figures that the run history keeps, one metric each."""
    models = {"": by_regression.evaluation, "network.": by_network.evaluation}
    return {
        f"{prefix}{figure}": {"value": getattr(evaluation, figure), "step": 0}
        for prefix, evaluation in models.items()
        for figure in ("accuracy", "macro_f1")
    }


def draw_page(
    run_facts: RunFacts,
    digits: Digits,
    record: DatasetRecord,
    regularization: float,
    regression: OneVsRestClassifier,
    by_regression: ReadDigits,
    by_network: ReadDigits,
    found: Sweep,
    settings: DigitsSettings,
) -> str:
    """Make the page, for a reader who meets a classifier for the first time."""
    return render_page(
        PageContent(
            created=run_facts.created,
            digits=digits,
            record=record,
            regularization=regularization,
            regression=regression,
            by_regression=by_regression,
            by_network=by_network,
            sweep=found,
            settings=settings,
        )
    )
