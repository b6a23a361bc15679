"""Wiring of the assessment."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.assess import nodes
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.reference_sample.pipeline import look_at_the_map


def create_pipeline(**_: object) -> Pipeline:
    """Take the map, and the answers to a sample of it; give its accuracy, and a new report."""
    return group(
        [
            node_of(
                nodes.read_answers, ["reference_answers", "reference_design"], "checked_answers"
            ),
            *look_at_the_map(),
            node_of(
                nodes.assess,
                [
                    "checked_answers",
                    "reference_answers",
                    "reference_design",
                    "shown_map",
                    "cell_predictions",
                    "tile_catalog",
                ],
                "assessment",
            ),
            node_of(
                nodes.show_assessment,
                ["written_report", "assessment", "reference_design"],
                "report",
            ),
        ],
        "assess",
    )
