"""Wiring of data ingestion."""

from kedro.pipeline import Pipeline

from aerial_kedro.pipelines.data_ingestion import nodes
from aerial_kedro.pipelines.grouping import group, node_of


def create_pipeline(classes: str, *, labelled: str = "labelled_tiles") -> Pipeline:
    """Scenes and land cover in, the tile catalog out.

    Parameters
    ----------
    classes
        Dataset of the class table.
    labelled
        Dataset of the tiles with labels, to be split.
    """
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
                    classes,
                    "params:labels",
                    "params:split",
                    "params:tile_size_m",
                    "params:grain",
                ],
                "labelled_tiles",
            ),
            node_of(
                nodes.split_tiles,
                [labelled, classes, "params:split", "params:seed"],
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
