"""Wiring of the mapping of scenes without land cover: the main job's nodes, without labels."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.data_ingestion.nodes import lay_tiles
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.score_folder.pipeline import create_predictions
from aerial_kedro.pipelines.score_scenes import nodes
from aerial_kedro.pipelines.scoring.pipeline import create_map_pipeline


def create_pipeline(**_: object) -> Pipeline:
    """Scenes and a stored model in; predictions, maps and change out."""
    ingestion = group(
        [
            node_of(
                lay_tiles,
                ["scenes", "params:tile_size_m", "params:sample_fraction", "params:seed"],
                "tiles",
            ),
            node_of(nodes.catalog_without_labels, "tiles", "score_catalog"),
        ],
        "data_ingestion",
    )
    return ingestion + create_predictions() + create_map_pipeline()
