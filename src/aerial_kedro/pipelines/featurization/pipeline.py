"""Wiring of featurization."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.featurization import nodes
from aerial_kedro.pipelines.grouping import group


def create_pipeline(**_: object) -> Pipeline:
    """Turn the tile catalog and a backbone's weights into features and the quarantine."""
    return create_backbone_pipeline() + create_feature_pipeline()


def create_backbone_pipeline(backbone: str = "params:backbone") -> Pipeline:
    """Export the backbone and name its features.

    Parameters
    ----------
    backbone
        The input that holds the backbone's name.
    """
    return group(
        [
            Node(
                nodes.export_backbone,
                ["backbone_weights", backbone, "params:pooling", "params:seed"],
                "backbone",
                name="export_backbone",
            ),
            Node(
                nodes.name_features,
                ["backbone", "params:engine", "params:precision"],
                "feature_key",
                name="name_features",
            ),
        ],
        "featurization",
    )


def create_feature_pipeline() -> Pipeline:
    """Compute the features that are missing, and check what could not be read."""
    return group(
        [
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
