"""Wiring of the mapping of scenes without land cover: the main job's nodes, without labels."""

from kedro.pipeline import Node, Pipeline, pipeline

from aerial_kedro.pipelines.data_ingestion.nodes import lay_tiles
from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.score_folder import create_checked_features
from aerial_kedro.pipelines.score_scenes import nodes
from aerial_kedro.pipelines.scoring import create_map_pipeline, create_prediction_pipeline


def create_pipeline(**_: object) -> Pipeline:
    """Scenes and a stored model in; predictions, maps and change out."""
    predictions = pipeline(
        create_prediction_pipeline(),
        inputs={"tile_catalog": "score_catalog", "feature_source": "checked_source"},
    )
    return _create_ingestion() + create_checked_features() + predictions + create_map_pipeline()


def _create_ingestion() -> Pipeline:
    return group(
        [
            Node(
                lay_tiles,
                ["scenes", "params:tile_size_m", "params:sample_fraction", "params:seed"],
                "tiles",
                name="lay_tiles",
            ),
            Node(
                nodes.catalog_without_labels,
                "tiles",
                "score_catalog",
                name="catalog_without_labels",
            ),
        ],
        "data_ingestion",
    )
