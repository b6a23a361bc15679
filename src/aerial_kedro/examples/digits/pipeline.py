"""Wiring of the digits tutorial."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.examples.digits import nodes
from aerial_kedro.pipelines.grouping import group

DIGITS, DOWNLOAD = "digits", "digits_download"
"""Tags of nodes that need neither Spark nor its cluster."""
_SETTINGS = "params:digits"


def create_pipeline(**_: object) -> Pipeline:
    """Digits in; a model, its figures and a page out."""
    return group([_data(), _models(), _results()], DIGITS)


def create_download_pipeline(**_: object) -> Pipeline:
    """Fetch the MNIST files from the web, for `create_pipeline`."""
    return group(
        [Node(nodes.check_download, "digits_on_web", "digits_downloaded", name="check_download")],
        DOWNLOAD,
    )


def _data() -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.read_digits,
                ["digit_files", _SETTINGS],
                ["digit_images", "digits_record"],
                name="read_digits",
            ),
            Node(nodes.list_input, "digits_record", "digits_run_input", name="list_input"),
            Node(
                nodes.draw_sample, ["digit_images", _SETTINGS], "digits_sample", name="draw_sample"
            ),
        ]
    )


def _models() -> Pipeline:
    return Pipeline(
        [
            Node(
                nodes.fit_digits,
                ["digit_images", "params:regularization", _SETTINGS],
                "digits_regression",
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
            Node(
                nodes.register_digits,
                "digits_regression",
                "registered_digits",
                name="register_model",
            ),
        ]
    )


def _results() -> Pipeline:
    judged = ["digits_by_regression", "digits_by_network"]
    return Pipeline(
        [
            Node(
                nodes.list_figures,
                ["digits_record", "params:regularization", *judged, "digits_sweep"],
                "digits_metrics",
                name="list_figures",
            ),
            Node(nodes.list_history, judged, "digits_history", name="list_history"),
            Node(
                nodes.draw_page,
                [
                    "run_facts",
                    "digit_images",
                    "digits_record",
                    "params:regularization",
                    "digits_regression",
                    *judged,
                    "digits_sweep",
                    _SETTINGS,
                ],
                "digits_page",
                name="draw_page",
            ),
        ]
    )
