"""Wiring of scoring."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.maps.drawing import polygons_of_tiles
from aerial_kedro.pipelines.change.pipeline import create_comparison
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.scoring import nodes
from aerial_kedro.pipelines.scoring.applicability import summarise_tiles


def create_pipeline(**_: object) -> Pipeline:
    """Features and the chosen model in; predictions, tables and what a map shows out."""
    return create_table_pipeline() + create_map_pipeline()


def create_table_pipeline() -> Pipeline:
    """Wire the part that tiles without coordinates have as well."""
    return create_prediction_pipeline() + group(
        [node_of(nodes.select_test, "predictions", "test_predictions")], "scoring"
    )


def create_prediction_pipeline() -> Pipeline:
    """Wire the part that tiles without labels have as well."""
    return group(
        [
            node_of(
                nodes.score_tiles,
                ["tile_catalog", "tile_features", "trained_model", "feature_source"],
                "predictions",
            ),
            node_of(nodes.tabulate_predictions, "predictions", "predictions_csv"),
        ],
        "scoring",
    )


def create_map_pipeline() -> Pipeline:
    """Wire the part that needs coordinates: the tiles as a map shows them."""
    return group([node_of(nodes.map_tiles, ["predictions", "params:mapping"], "mapped")], "scoring")


def create_summary() -> Pipeline:
    """Wire what says how far the classifier of tiles holds, where no map of cells is made."""
    return group([node_of(summarise_tiles, "predictions", "applicability_summary")], "scoring")


def create_tile_maps() -> Pipeline:
    """Wire the maps, and change, of a model that knows tiles only."""
    return (
        create_comparison()
        + create_summary()
        + group(
            [
                node_of(nodes.draw_maps, ["mapped", "params:land_cover"], "maps"),
                Node(polygons_of_tiles, "mapped", "mapped_tiles", name="locate_tiles"),
            ],
            "scoring",
        )
    )
