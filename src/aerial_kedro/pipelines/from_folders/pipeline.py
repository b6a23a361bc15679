"""Wiring of the main job from class folders."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines import featurization, training
from aerial_kedro.pipelines.data_ingestion.nodes import summarise_catalog
from aerial_kedro.pipelines.from_folders import nodes
from aerial_kedro.pipelines.grouping import group, node_of
from aerial_kedro.pipelines.reporting.pipeline import create_folder_pipeline
from aerial_kedro.pipelines.scoring.pipeline import create_summary, create_table_pipeline


def create_pipeline(**_: object) -> Pipeline:
    """Class folders in; model, predictions and report out."""
    return (
        create_ingestion()
        + featurization.create_pipeline()
        + training.create_pipeline()
        + create_table_pipeline()
        + create_summary()
        + create_folder_pipeline()
    )


def create_ingestion() -> Pipeline:
    """Class folders in, the tile catalog out."""
    return group(
        [
            node_of(
                nodes.catalog_folders,
                [
                    "tile_folders",
                    "params:split",
                    "params:sample_fraction",
                    "params:seed",
                    "params:year",
                ],
                "tile_catalog",
            ),
            node_of(nodes.describe_split, ["tile_catalog", "params:split"], "split_check"),
            node_of(
                summarise_catalog,
                ["tile_catalog", "params:max_nodata_fraction"],
                "catalog_summary",
            ),
        ],
        "data_ingestion",
    )
