"""What training learns from: tiles with features, a label and a split."""

import logging
import math

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import OF_EXPORT, FeatureRequest, FeatureSource
from aerial_kedro.models.model import find_tile_size
from aerial_kedro.tiles.records import QuarantineSummary

LOGGER = logging.getLogger(__name__)
_TILES_OF_PARTITION = 1_000


def select_labelled(
    tile_features: DataFrame,
    tile_catalog: DataFrame,
    source: FeatureSource,
    quarantine: QuarantineSummary,
    request: FeatureRequest,
) -> DataFrame:
    """Join features with labels and splits.

    Parameters
    ----------
    tile_features, tile_catalog
        Features, and what is known of their tiles.
    source
        What computed the features to take.
    quarantine
        Summary of the quarantine, which has passed its check.
    request
        What the command asks of features.

    Returns
    -------
    DataFrame
        ``image_id, label, split, block_id, features, statistics``. The same tiles come in the same
        order and partitions, however the features were written.

    Raises
    ------
    AerialError
        If the command asks for features other than those that were computed.
    """
    others = request.others_than(source.named, ignore=OF_EXPORT)
    if request.gsd_m is not None:
        size = find_tile_size(tile_catalog)
        others += request.other_gsd(size, source.backbone.card.input_size)
    if others:
        raise AerialError(
            f"The features to learn from are of {source} and input of "
            f"{source.backbone.card.input_size} pixels, and the command asks for "
            f"{', '.join(others)}. Leave that out, or compute such features first: "
            "`kedro run --pipeline=featurization` with the same parameters."
        )
    tiles = quarantine.tiles - quarantine.quarantined
    LOGGER.info("%s tiles have features", f"{tiles:,}")
    labelled = tile_catalog.filter("label is not null and split is not null").select(
        "image_id", "source_version", "label", "split", "block_id"
    )
    features = tile_features.filter(tile_features["feature_key"] == source.key)
    selected = labelled.join(features, ["image_id", "source_version"]).drop(
        "source_version", "feature_key"
    )
    # A forest draws the tiles of each tree by their place in a partition: with the order of the
    # files that features happened to be written to, one seed grew different forests.
    partitions = max(1, math.ceil(tiles / _TILES_OF_PARTITION))
    return selected.repartition(partitions, "image_id").sortWithinPartitions("image_id")


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
