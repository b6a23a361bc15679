"""Wiring of the scoring of a folder: the main job's nodes on a catalog of its own."""

from kedro.pipeline import Node, Pipeline, pipeline

from aerial_kedro.pipelines import featurization
from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.score_folder import nodes
from aerial_kedro.pipelines.scoring.nodes import locate_tiles
from aerial_kedro.pipelines.scoring.pipeline import create_prediction_pipeline


def create_pipeline(**_: object) -> Pipeline:
    """Unlabelled tiles and a trained model in; predictions, table and map out."""
    return (
        _create_ingestion()
        + create_checked_features()
        + pipeline(
            create_prediction_pipeline(),
            inputs={"tile_catalog": "score_catalog", "feature_source": "checked_source"},
        )
        + _create_outputs()
    )


def _create_ingestion() -> Pipeline:
    return group(
        [
            Node(
                nodes.catalog_unlabelled,
                ["unlabelled_tiles", "params:year"],
                "score_catalog",
                name="catalog_unlabelled",
            )
        ],
        "data_ingestion",
    )


def create_checked_features() -> Pipeline:
    """Featurize `score_catalog` as the model's features were, and check what came of it."""
    checks = group(
        [
            Node(
                nodes.take_source,
                ["trained_model", "params:asked_features", "params:engine"],
                ["model_card", "model_source"],
                name="take_source",
            ),
            Node(
                nodes.check_readable,
                ["model_source", "quarantine_summary"],
                "checked_source",
                name="check_readable",
            ),
        ],
        "featurization",
    )
    return checks + pipeline(
        featurization.create_feature_pipeline(),
        inputs={"tile_catalog": "score_catalog", "feature_source": "model_source"},
    )


def _create_outputs() -> Pipeline:
    return group(
        [
            Node(nodes.map_scored, ["predictions", "params:mapping"], "mapped", name="map_scored"),
            Node(
                nodes.draw_scored_maps,
                ["mapped", "model_card", "params:land_cover"],
                "maps",
                name="draw_scored_maps",
            ),
            Node(locate_tiles, "mapped", "mapped_tiles", name="locate_tiles"),
            Node(
                nodes.summarise_scores,
                ["predictions", "quarantine_summary", "model_card"],
                "score_summary",
                name="summarise_scores",
            ),
        ],
        "scoring",
    )
