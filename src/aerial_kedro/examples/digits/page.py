"""The tutorial's page: one HTML file for a reader who meets a classifier for the first time."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.multiclass import OneVsRestClassifier

from aerial_kedro.examples.digits.data import DatasetRecord, Digits
from aerial_kedro.examples.digits.evaluation import (
    ReadDigits,
    accuracy_interval,
    largest_confusions,
    surest_mistakes,
)
from aerial_kedro.examples.digits.figures import (
    choose_sample,
    digits_confusion_figure,
    sample_figure,
    sweep_figure,
    weights_figure,
)
from aerial_kedro.examples.digits.regression import Sweep
from aerial_kedro.examples.digits.settings import DigitsSettings
from aerial_kedro.report.pages import data_address, figure_address, page_environment


@dataclass(frozen=True)
class PageContent:
    """What the page is made of.

    Parameters
    ----------
    created
        When, in words.
    digits, record
        The data and what is known of it.
    regularization
        Of the regression.
    regression
        The fitted model.
    by_regression, by_network
        How the two read the test digits.
    sweep
        Strengths of regularisation compared.
    settings
        Of the tutorial.
    """

    created: str
    digits: Digits
    record: DatasetRecord
    regularization: float
    regression: OneVsRestClassifier
    by_regression: ReadDigits
    by_network: ReadDigits
    sweep: Sweep
    settings: DigitsSettings


@dataclass(frozen=True)
class MissedDigit:
    """A digit that the regression misread, as the page shows it."""

    address: str
    true: int
    predicted: int
    probability: float
    by_network: int


def render_page(content: PageContent) -> str:
    """Render the page.

    Parameters
    ----------
    content
        What it shows.

    Returns
    -------
    str
        A whole HTML document, with every picture in it.
    """
    settings, digits = content.settings, content.digits
    sample = choose_sample(digits.train_labels, settings.sample, seed=settings.seed)
    regression, network = content.by_regression, content.by_network
    wrong = regression.predicted != digits.test_labels
    charts = {
        "sample": sample_figure(digits.train_images[sample], digits.train_labels[sample]),
        "weights": weights_figure(content.regression, digits.shape),
        "confusion": digits_confusion_figure(regression.evaluation),
        "sweep": sweep_figure(content.sweep, content.regularization),
    }
    return (
        page_environment({}, "aerial_kedro.examples.digits")
        .get_template("digits.html.j2")
        .render(
            content=content,
            record=content.record,
            test=regression.evaluation,
            interval=accuracy_interval(regression.evaluation),
            network=network.evaluation,
            network_interval=accuracy_interval(network.evaluation),
            confusions=largest_confusions(regression.evaluation),
            charts={name: figure_address(figure) for name, figure in charts.items()},
            missed=_missed(content),
            missed_in_all=int(wrong.sum()),
            saved=int((network.predicted == digits.test_labels)[wrong].sum()),
            sampled=len(sample),
        )
    )


def _missed(content: PageContent) -> list[MissedDigit]:
    labels, found = content.digits.test_labels, content.by_regression
    return [
        MissedDigit(
            address=_image_address(content.digits.test_images[position]),
            true=int(labels[position]),
            predicted=int(found.predicted[position]),
            probability=float(found.probability[position]),
            by_network=int(content.by_network.predicted[position]),
        )
        for position in surest_mistakes(found, labels, content.settings.missed)
    ]


def _image_address(image: NDArray[np.uint8]) -> str:
    """Put a digit into the page, dark on white as on paper."""
    buffer = io.BytesIO()
    Image.fromarray(255 - image).save(buffer, "PNG")
    return data_address(buffer.getvalue())
