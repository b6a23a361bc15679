"""Wiring of the mapping of scenes without land cover."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines import featurization, scoring
from aerial_kedro.pipelines.data_ingestion.nodes import lay_tiles, summarise_catalog
from aerial_kedro.pipelines.grouping import group
from aerial_kedro.pipelines.score_scenes import nodes


def create_pipeline(**_: object) -> Pipeline:
    """Scenes and a stored model in; predictions, maps and change out."""
    features, scores = featurization.create_pipeline(), scoring.create_pipeline()
    named_otherwise = features.only_nodes("featurization.name_features")
    empty_without_labels = scores.only_nodes("scoring.select_test")
    return (
        create_ingestion()
        + group([_check_before_features()], "featurization")
        + (features - named_otherwise)
        + (scores - empty_without_labels)
    )


def create_ingestion() -> Pipeline:
    """Scenes in, the tile catalog out, without labels and splits."""
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
                "tile_catalog",
                name="catalog_without_labels",
            ),
            Node(
                summarise_catalog,
                ["tile_catalog", "params:max_nodata_fraction"],
                "catalog_summary",
                name="summarise_catalog",
            ),
        ],
        "data_ingestion",
    )


def _check_before_features() -> Node:
    return Node(
        nodes.check_before_features,
        ["catalog_summary", "trained_model", "backbone", "params:engine", "params:precision"],
        "feature_key",
        name="check_before_features",
    )
