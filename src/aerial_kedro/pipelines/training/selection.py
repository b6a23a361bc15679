"""What training learns from: tiles with features, a label and a split."""

from __future__ import annotations

import logging
import math

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.engines import EngineChoice
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.tiles.records import QuarantineSummary

LOGGER = logging.getLogger(__name__)
_TILES_OF_PARTITION = 1_000


def select_labelled(
    tile_features: DataFrame,
    tile_catalog: DataFrame,
    key: str,
    quarantine: QuarantineSummary,
) -> DataFrame:
    """Join features with labels and splits.

    Parameters
    ----------
    tile_features, tile_catalog
        Features, and what is known of their tiles.
    key
        The ``feature_key`` to take.
    quarantine
        Passed its check: training waits for it.

    Returns
    -------
    DataFrame
        ``image_id, label, split, block_id, features, statistics``. The same tiles come in the same
        order and partitions, however the features were written.
    """
    tiles = quarantine.tiles - quarantine.quarantined
    LOGGER.info("%s tiles have features", f"{tiles:,}")
    labelled = tile_catalog.filter("label is not null and split is not null").select(
        "image_id", "source_version", "label", "split", "block_id"
    )
    features = tile_features.filter(tile_features["feature_key"] == key)
    selected = labelled.join(features, ["image_id", "source_version"]).drop(
        "source_version", "feature_key"
    )
    # A forest draws the tiles of each tree by their place in a partition: with the order of the
    # files that features happened to be written to, one seed grew different forests.
    partitions = max(1, math.ceil(tiles / _TILES_OF_PARTITION))
    return selected.repartition(partitions, "image_id").sortWithinPartitions("image_id")


def record_source(backbone: Backbone, choice: EngineChoice, key: str) -> FeatureSource:
    """Note what computed the features, for the model to keep.

    Parameters
    ----------
    backbone, choice
        The network, and what ran it.
    key
        The ``feature_key`` of the features to learn from.

    Raises
    ------
    AerialError
        If these make other features.
    """
    source = FeatureSource(backbone, choice)
    if source.key != key:
        raise AerialError(
            f"The features to learn from are {key}, and what is at hand (the backbone "
            f"{backbone.card.name} in {backbone.card.precision}, run by {choice.engine} in "
            f"{choice.precision}) makes {source.key}. Give the parameters of the run that made "
            "them, such as precision=int8, or run `kedro run --pipeline=featurization` first."
        )
    return source


def list_classes(labelled_features: DataFrame) -> list[str]:
    """List the classes that have training tiles, in alphabetical order.

    Raises
    ------
    AerialError
        If there are fewer than two, or a tile of any split has a feature that is no finite number.
    """
    infinite = F.lit(float("inf"))
    # Spark takes NaN for greater than infinity.
    finite = (F.array_max("features") < infinite) & (F.array_min("features") > -infinite)
    rows = labelled_features.groupBy("split", "label").agg(
        F.count(F.lit(1)).alias("tiles"),
        F.count(F.when(~finite, True)).alias("spoiled"),
        F.min(F.when(~finite, F.col("image_id"))).alias("first_spoiled"),
    ).collect()  # fmt: skip
    spoiled = [row for row in rows if row["spoiled"]]
    if spoiled:
        raise AerialError(
            f"{sum(row['spoiled'] for row in spoiled):,} tile(s) have features that are no finite "
            f"numbers, such as {min(row['first_spoiled'] for row in spoiled)!r}. Remove "
            "`04_feature/tile_features` and run again, to have them computed anew."
        )
    counts = {row["label"]: int(row["tiles"]) for row in rows if row["split"] == "train"}
    if len(counts) < 2:  # noqa: PLR2004
        raise AerialError(
            f"The training tiles are of {len(counts)} class(es) ({', '.join(counts) or 'none'}); "
            "a classifier needs two. Give scenes with more kinds of land cover, or lower "
            "`labels.min_purity`."
        )
    LOGGER.info("Training tiles: %s", dict(sorted(counts.items())))
    return sorted(counts)
