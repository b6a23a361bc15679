"""Wiring of the reference sample."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.reference_sample import nodes


def look_at_the_map() -> list[Node]:
    """Make the nodes that find what the stored map shows, which `assess` has too."""
    return [
        node_of(
            nodes.look_at_map,
            [
                "cell_predictions",
                "cell_change",
                "cell_transitions",
                "params:mapping",
                "params:cells.patches",
            ],
            "shown_map",
        ),
    ]


def create_pipeline(**_: object) -> Pipeline:
    """Take the map of a run; give a sample of its cells, and what people fill."""
    return group(
        [
            *look_at_the_map(),
            node_of(
                nodes.draw_sample,
                ["shown_map", "cell_model", "params:reference", "params:seed"],
                "reference_design",
            ),
            node_of(
                nodes.lay_out_sample,
                ["reference_design", "shown_map"],
                ["reference_sample", "reference_sample_csv"],
            ),
            node_of(
                nodes.write_page,
                ["reference_sample_csv", "tile_catalog", "reference_design"],
                "reference_page",
            ),
        ],
        "reference_sample",
    )
