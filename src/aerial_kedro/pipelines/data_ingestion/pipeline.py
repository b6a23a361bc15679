"""Wiring of data ingestion."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.data_ingestion import nodes
from aerial_kedro.pipelines.grouping import group


def create_pipeline(**_: object) -> Pipeline:
    """Scenes and land cover in, the tile catalog out."""
    return group(
        [
            Node(
                nodes.lay_tiles,
                ["scenes", "params:tile_size_m", "params:sample_fraction", "params:seed"],
                "tiles",
                name="lay_tiles",
            ),
            Node(
                nodes.label_tiles,
                [
                    "tiles",
                    "land_cover",
                    "regions",
                    "params:land_cover",
                    "params:labels",
                    "params:split",
                ],
                "labelled_tiles",
                name="label_tiles",
            ),
            Node(
                nodes.split_tiles,
                ["labelled_tiles", "params:land_cover", "params:split", "params:seed"],
                "tile_catalog",
                name="split_tiles",
            ),
            Node(
                nodes.check_splits,
                ["tile_catalog", "params:split"],
                "split_check",
                name="check_splits",
            ),
            Node(
                nodes.summarise_catalog,
                ["tile_catalog", "params:max_nodata_fraction"],
                "catalog_summary",
                name="summarise_catalog",
            ),
        ],
        "data_ingestion",
    )
