"""Nodes that scenes without land cover need in place of labels and splits."""

from __future__ import annotations

import logging

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.backbones.artifact import Backbone
from aerial_kedro.classifiers.model import TrainedModel
from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.featurization.nodes import name_features
from aerial_kedro.tiles.catalog import LABEL_COLUMNS, SPLIT_COLUMNS, TILE_COLUMNS
from aerial_kedro.tiles.summary import CatalogSummary

LOGGER = logging.getLogger(__name__)


def catalog_without_labels(tiles: DataFrame) -> DataFrame:
    """Make the tile catalog of scenes that no land cover is known of.

    Parameters
    ----------
    tiles
        `TILE_COLUMNS`.

    Returns
    -------
    DataFrame
        The columns of the catalog; those of labels and splits are null.
    """
    unknown = {**LABEL_COLUMNS, **SPLIT_COLUMNS}
    return tiles.select(
        *TILE_COLUMNS, *[F.lit(None).cast(kind).alias(name) for name, kind in unknown.items()]
    )


def check_before_features(
    summary: CatalogSummary, model: TrainedModel, backbone: Backbone, engine: str, precision: str
) -> str:
    """Derive the ``feature_key``; refuse what scoring would refuse once features are computed.

    Parameters
    ----------
    summary
        Of the tile catalog.
    model
        The stored classifier.
    backbone
        The network.
    engine, precision
        What runs it.

    Returns
    -------
    str
        The ``feature_key``.

    Raises
    ------
    AerialError
        If there is no tile, or the model was trained on features of another backbone, engine or
        precision.
    """
    if not summary.images:
        raise AerialError(
            "No tile lies whole inside a scene. Give larger scenes, or a smaller tile: "
            "--params=tile_size_m=50."
        )
    key = name_features(backbone, engine, precision)
    model.check_features(key)
    LOGGER.info(
        "%s tiles without land cover; the model %s tells %s apart",
        f"{summary.images:,}", model.card.name, ", ".join(model.card.classes),
    )  # fmt: skip
    return key
