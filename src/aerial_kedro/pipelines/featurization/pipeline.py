"""Wiring of featurization."""

from kedro.pipeline import Node, Pipeline

from aerial_kedro.pipelines.featurization import nodes, precision
from aerial_kedro.pipelines.grouping import group


def create_pipeline(backbone: str = "params:backbone", **_: object) -> Pipeline:
    """Turn the tile catalog and a backbone's weights into features and the quarantine.

    Parameters
    ----------
    backbone
        The input that holds the backbone's name.
    """
    return (
        _create_export(backbone)
        + _create_preparation()
        + _create_naming()
        + create_feature_pipeline()
    )


def _create_export(backbone: str) -> Pipeline:
    return group(
        [
            Node(
                nodes.export_backbone,
                [
                    "backbone_weights",
                    "exported_before",
                    backbone,
                    "params:pooling",
                    "params:engine",
                    "params:seed",
                ],
                "exported_backbone",
                name="export_backbone",
            ),
        ],
        "featurization",
    )


def _create_preparation() -> Pipeline:
    """Settle engine and precision, and measure what they cost."""
    return group(
        [
            Node(
                precision.prepare_backbone,
                [
                    "exported_backbone",
                    "stored_backbones",
                    "tile_catalog",
                    "params:precision",
                    "params:max_nodata_fraction",
                    "params:seed",
                ],
                "backbone",
                name="prepare_backbone",
            ),
            Node(
                precision.choose_engine,
                ["backbone", "params:engine", "params:precision", "params:seed"],
                "engine_choice",
                name="choose_engine",
            ),
            Node(
                precision.measure_precision,
                [
                    "exported_backbone",
                    "backbone",
                    "engine_choice",
                    "tile_catalog",
                    "params:max_nodata_fraction",
                    "params:seed",
                ],
                "precision_summary",
                name="measure_precision",
            ),
        ],
        "featurization",
    )


def _create_naming() -> Pipeline:
    return group(
        [
            Node(
                nodes.name_features,
                ["backbone", "engine_choice"],
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
                    "engine_choice",
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
                    "engine_choice",
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
