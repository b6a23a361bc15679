"""Wiring of scoring."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.change.pipeline import create_comparison
from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.scoring import nodes


def create_pipeline(**_: object) -> Pipeline:
    """Features and the chosen model in; predictions, maps and tables out."""
    return create_table_pipeline() + create_map_pipeline()


def create_table_pipeline() -> Pipeline:
    """Wire the part that tiles without coordinates have as well."""
    return create_prediction_pipeline() + group(
        [Node(nodes.select_test, "predictions", "test_predictions", name="select_test")],
        "scoring",
    )


def create_prediction_pipeline() -> Pipeline:
    """Wire the part that tiles without labels have as well."""
    return group(
        [
            Node(
                nodes.score_tiles,
                ["tile_catalog", "tile_features", "trained_model", "feature_source"],
                "predictions",
                name="score_tiles",
            ),
            Node(
                nodes.tabulate_predictions,
                "predictions",
                "predictions_csv",
                name="tabulate_predictions",
            ),
        ],
        "scoring",
    )


def create_map_pipeline() -> Pipeline:
    """Wire the part that needs coordinates."""
    return create_comparison() + group(
        [
            Node(nodes.map_tiles, ["predictions", "params:mapping"], "mapped", name="map_tiles"),
            Node(nodes.draw_maps, ["mapped", "params:land_cover"], "maps", name="draw_maps"),
            Node(nodes.locate_tiles, "mapped", "mapped_tiles", name="locate_tiles"),
        ],
        "scoring",
    )
