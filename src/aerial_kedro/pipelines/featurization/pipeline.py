"""Wiring of featurization."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.featurization import exporting, nodes, preparation
from aerial_kedro.pipelines.grouping import group, node_of


def create_pipeline(**_: object) -> Pipeline:
    """Turn the tile catalog and a backbone's weights into features and the quarantine."""
    prepare: list[Node | Pipeline] = [
        node_of(
            exporting.export_backbone,
            [
                "backbone_weights",
                "params:pooling",
                "params:engine",
                "params:tile_size_m",
                "params:gsd_m",
                "params:seed",
            ],
            "exported_backbone",
        ),
        node_of(
            preparation.prepare_backbone,
            [
                "exported_backbone",
                "backbone_weights",
                "tile_catalog",
                "params:engine",
                "params:precision",
                "params:grain",
                "params:gsd_m",
                "params:max_nodata_fraction",
                "params:seed",
            ],
            "feature_source",
        ),
        node_of(
            preparation.measure_precision,
            ["feature_source", "tile_catalog", "params:max_nodata_fraction", "params:seed"],
            "precision_summary",
        ),
    ]
    return group(prepare, "featurization") + create_feature_pipeline()


def create_feature_pipeline() -> Pipeline:
    """Compute the features that are missing, and check what could not be read."""
    return group(
        [
            node_of(
                nodes.featurize_tiles,
                [
                    "tile_catalog",
                    "features_done",
                    "feature_source",
                    "params:max_nodata_fraction",
                ],
                "tile_features",
            ),
            node_of(
                nodes.quarantine_tiles,
                [
                    "tile_catalog",
                    "tile_features",
                    "feature_source",
                    "params:max_nodata_fraction",
                ],
                "quarantine",
            ),
            node_of(
                nodes.check_quarantine,
                [
                    "quarantine",
                    "tile_catalog",
                    "params:max_nodata_fraction",
                    "params:max_quarantine_fraction",
                ],
                "quarantine_summary",
            ),
        ],
        "featurization",
    )
