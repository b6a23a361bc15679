"""Wiring of the digits tutorial."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.examples.digits import nodes
from aerial_kedro.examples.digits.page import draw_page
from aerial_kedro.pipelines.grouping import group

DIGITS, DOWNLOAD = "digits", "digits_download"
"""Tags of nodes that need neither Spark nor its cluster."""
_SETTINGS = "params:digits"
_STRENGTH = "params:regularization"


def create_pipeline(**_: object) -> Pipeline:
    """Digits in; a model, its figures and a page out."""
    return group([_models(), _results()], DIGITS)


def create_download_pipeline(**_: object) -> Pipeline:
    """Fetch the MNIST files from the web, for `create_pipeline`."""
    return group(
        [Node(nodes.check_download, "digits_on_web", "digits_downloaded", name="check_download")],
        DOWNLOAD,
    )


def _models() -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.read_digits,
                ["digit_files", _SETTINGS],
                ["digit_images", "digits_record"],
                name="read_digits",
            ),
            Node(
                nodes.fit_digits,
                ["digit_images", _STRENGTH, _SETTINGS],
                ["digits_regression", "registered_digits"],
                name="fit_regression",
            ),
            Node(
                nodes.evaluate_regression,
                ["digit_images", "digits_regression"],
                "digits_by_regression",
                name="evaluate_regression",
            ),
            Node(
                nodes.read_by_network,
                ["digit_images", _SETTINGS],
                "digits_by_network",
                name="train_network",
            ),
            Node(nodes.sweep, ["digit_images", _SETTINGS], "digits_sweep", name="sweep"),
        ]
    )


def _results() -> Pipeline:
    found = ["digits_by_regression", "digits_by_network", "digits_sweep"]
    return Pipeline(
        [
            Node(
                nodes.list_figures,
                ["digits_record", _STRENGTH, *found],
                ["digits_metrics", "digits_run_record"],
                name="list_figures",
            ),
            Node(
                draw_page,
                [
                    "run_facts",
                    "digit_images",
                    "digits_record",
                    _STRENGTH,
                    "digits_regression",
                    *found,
                    _SETTINGS,
                ],
                ["digits_page", "digits_sample"],
                name="draw_page",
            ),
        ]
    )
