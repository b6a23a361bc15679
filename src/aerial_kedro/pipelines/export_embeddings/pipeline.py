"""Wiring of the export of embeddings."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.export_embeddings import nodes
from aerial_kedro.pipelines.grouping import group, node_of


def create_pipeline(**_: object) -> Pipeline:
    """Take stored features, after featurization, to a raster of embeddings a year and zone."""
    return group(
        [
            node_of(
                nodes.lay_out_embeddings,
                ["tile_catalog", "tile_features", "feature_source"],
                "embeddings",
            )
        ],
        "export_embeddings",
    )
