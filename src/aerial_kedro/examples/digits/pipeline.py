"""Wiring of the digits tutorial."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.examples.digits.data import check_download, read_digits
from aerial_kedro.examples.digits.evaluation import (
    evaluate_regression,
    list_figures,
    read_by_network,
)
from aerial_kedro.examples.digits.page import draw_page
from aerial_kedro.examples.digits.regression import fit_regression, sweep_regularization
from aerial_kedro.examples.digits.settings import DIGITS, DOWNLOAD
from aerial_kedro.pipelines.grouping import group, node_of

_SETTINGS = "params:digits"
_STRENGTH = "params:regularization"


def create_pipeline(**_: object) -> Pipeline:
    """Digits in; a model, its figures and a page out."""
    return group([*_models(), *_results()], DIGITS)


def create_download_pipeline(**_: object) -> Pipeline:
    """Fetch the MNIST files from the web, for `create_pipeline`."""
    return group(
        [node_of(check_download, "digits_on_web", "digits_downloaded")],
        DOWNLOAD,
    )


def _models() -> list[Node]:
    return [
        node_of(read_digits, ["digit_files", _SETTINGS], ["digit_images", "digits_record"]),
        node_of(
            fit_regression,
            ["digit_images", _STRENGTH, _SETTINGS],
            ["digits_regression", "registered_digits"],
        ),
        node_of(evaluate_regression, ["digit_images", "digits_regression"], "digits_by_regression"),
        Node(
            read_by_network, ["digit_images", _SETTINGS], "digits_by_network", name="train_network"
        ),
        Node(sweep_regularization, ["digit_images", _SETTINGS], "digits_sweep", name="sweep"),
    ]


def _results() -> list[Node]:
    found = ["digits_by_regression", "digits_by_network", "digits_sweep"]
    data = ["digit_images", "digits_record"]
    return [
        node_of(
            list_figures,
            ["digits_record", _STRENGTH, *found],
            ["digits_metrics", "digits_run_record"],
        ),
        node_of(
            draw_page,
            ["run_facts", *data, _STRENGTH, "digits_regression", *found, _SETTINGS],
            ["digits_page", "digits_sample"],
        ),
    ]
