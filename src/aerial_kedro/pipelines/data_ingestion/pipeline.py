"""Wiring of data ingestion."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.data_ingestion import nodes
from aerial_kedro.pipelines.grouping import group, node_of


def create_pipeline(**_: object) -> Pipeline:
    """Scenes and land cover in, the tile catalog out."""
    return group(
        [
            node_of(
                nodes.lay_tiles,
                ["scenes", "params:tile_size_m", "params:sample_fraction", "params:seed"],
                "tiles",
            ),
            node_of(
                nodes.label_tiles,
                [
                    "tiles",
                    "land_cover",
                    "regions",
                    "params:land_cover",
                    "params:labels",
                    "params:split",
                    "params:tile_size_m",
                    "params:grain",
                ],
                "labelled_tiles",
            ),
            node_of(
                nodes.split_tiles,
                ["labelled_tiles", "params:land_cover", "params:split", "params:seed"],
                "tile_catalog",
            ),
            node_of(nodes.check_splits, ["tile_catalog", "params:split"], "split_check"),
            node_of(
                nodes.summarise_catalog,
                ["tile_catalog", "params:max_nodata_fraction"],
                "catalog_summary",
            ),
        ],
        "data_ingestion",
    )
