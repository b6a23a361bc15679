"""Wiring of featurization."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.featurization import nodes
from aerial_kedro.pipelines.grouping import group


def create_pipeline(**_: object) -> Pipeline:
    """Turn the tile catalog and a backbone's weights into features and the quarantine."""
    return group(
        [
            Node(
                nodes.export_backbone,
                ["backbone_weights", "params:backbone", "params:pooling", "params:seed"],
                "backbone",
                name="export_backbone",
            ),
            Node(
                nodes.name_features,
                ["backbone", "params:engine", "params:precision"],
                "feature_key",
                name="name_features",
            ),
            Node(
                nodes.featurize_tiles,
                [
                    "tile_catalog",
                    "features_done",
                    "backbone",
                    "feature_key",
                    "params:engine",
                    "params:precision",
                    "params:max_nodata_fraction",
                ],
                "tile_features",
                name="featurize_tiles",
            ),
            Node(
                nodes.quarantine_tiles,
                [
                    "tile_catalog",
                    "tile_features",
                    "backbone",
                    "feature_key",
                    "params:max_nodata_fraction",
                ],
                "quarantine",
                name="quarantine_tiles",
            ),
            Node(
                nodes.check_quarantine,
                [
                    "quarantine",
                    "tile_catalog",
                    "params:max_nodata_fraction",
                    "params:max_quarantine_fraction",
                ],
                "quarantine_summary",
                name="check_quarantine",
            ),
        ],
        "featurization",
    )
