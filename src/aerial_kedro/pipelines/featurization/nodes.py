"""Nodes of featurization."""

import logging
import math

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.featurizer import PendingFeatures, explain_missing, featurize
from aerial_kedro.features.grain import Grain, remark_on_pixels
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.tiles.reading import SOURCE_COLUMNS
from aerial_kedro.tiles.records import QuarantineSummary

LOGGER = logging.getLogger(__name__)

# A task is a checkpoint: what it has done is kept. Two or three seconds of work each, in fp32 and
# with so many pixels a side of a tile; a task itself costs what 10 to 20 tiles in int8 cost.
_TILES_PER_TASK, _SIDE = 512, 224
# Of many tiles larger ones, some minutes at most: each task leaves a file, and scoring and
# reporting ask storage for every file a hundred times.
_MANY_TASKS = 512
_MOST_TILES_PER_TASK = 4096
# Where that makes few tasks, smaller ones: else most cores wait for the last one to end.
_SMALL_TASKS = 24
_TILES_PER_SMALL_TASK = 128
_FEWEST_TASKS = 4


def featurize_tiles(
    tile_catalog: DataFrame,
    features_done: DataFrame,
    source: FeatureSource,
    max_nodata_fraction: float,
) -> DataFrame | PendingFeatures:
    """Compute the features of the tiles that have none yet.

    Parameters
    ----------
    tile_catalog
        The tiles.
    features_done
        The features that are there (`FEATURE_COLUMNS`).
    source
        The backbone, and what runs it.
    max_nodata_fraction
        Tiles with a greater share of nodata are left out.

    Returns
    -------
    DataFrame or PendingFeatures
        `FEATURE_COLUMNS` of the tiles that can be read.
    """
    wanted = readable_tiles(tile_catalog, max_nodata_fraction)
    _warn_of_fine_pixels(tile_catalog, source)
    identity = features_done.select("image_id", "source_version", "feature_key")
    done = identity.filter(F.col("feature_key") == source.key)
    missing = wanted.join(done, ["image_id", "source_version"], "left_anti")
    total, count = _count_all_and_missing(wanted, done)
    LOGGER.info("%s tiles to featurize, %s are done already", f"{total:,}", f"{total - count:,}")
    # Where nothing is missing, Spark need not look for it again.
    missing = missing if count else missing.limit(0)
    return featurize(missing, source, count_tasks(count, source.backbone.card.input_size))


def _warn_of_fine_pixels(tile_catalog: DataFrame, source: FeatureSource) -> None:
    """Log where the network sees finer pixels than the scenes have."""
    side = (F.col("xmax") - F.col("xmin") + F.col("ymax") - F.col("ymin")) / 2
    found = tile_catalog.agg(F.median(side).alias("side"), F.max("gsd_m").alias("gsd")).first()
    if found is None or found["side"] is None:
        return
    pixel_m = Grain(found["side"]).pixel_m(source.backbone.card.input_size)
    if remark := remark_on_pixels(pixel_m, found["gsd"]):
        LOGGER.warning("%s", remark)


def count_tasks(tiles: int, input_size: int = _SIDE) -> int:
    """Choose into how many tasks tiles are divided.

    Parameters
    ----------
    tiles
        Number of tiles.
    input_size
        Side of the network's input in pixels: the work is with the number of pixels.

    Examples
    --------
    >>> [count_tasks(tiles) for tiles in (0, 3, 300, 1_000, 6_000, 100_000)]
    [1, 3, 4, 8, 24, 196]
    >>> [count_tasks(tiles) for tiles in (262_144, 1_000_000, 2_097_152, 160_000_000)]
    [512, 512, 512, 39063]
    >>> [count_tasks(tiles, 112) for tiles in (300, 6_000, 100_000, 160_000_000)]
    [4, 12, 49, 39063]
    """
    scale = (input_size / _SIDE) ** 2
    small = min(math.ceil(tiles * scale / _TILES_PER_SMALL_TASK), _SMALL_TASKS)
    size = min(max(tiles / _MANY_TASKS, _TILES_PER_TASK / scale), _MOST_TILES_PER_TASK)
    return max(math.ceil(tiles / size), small, min(tiles, _FEWEST_TASKS), 1)


def _count_both(first: DataFrame, second: DataFrame) -> tuple[int, int]:
    """Count the rows of two tables in one pass."""
    both = first.select(F.lit(1).alias("one"), F.lit(0).alias("other")).union(
        second.select(F.lit(0), F.lit(1))
    )
    # Of tables without rows there is no sum.
    sums = both.agg(F.sum("one"), F.sum("other")).first() or (0, 0)
    return int(sums[0] or 0), int(sums[1] or 0)


def _count_all_and_missing(wanted: DataFrame, done: DataFrame) -> tuple[int, int]:
    """Count tiles, and those without features, in one pass."""
    joined = wanted.join(done, ["image_id", "source_version"], "left")
    missing = F.count_if(F.col("feature_key").isNull())
    all_of_them, without = joined.agg(F.countDistinct("image_id"), missing).first() or (0, 0)
    return int(all_of_them), int(without)


def readable_tiles(tile_catalog: DataFrame, max_nodata_fraction: float) -> DataFrame:
    """Keep the tiles that show enough ground to be featurized (`SOURCE_COLUMNS`)."""
    empty = F.coalesce("nodata_fraction", F.lit(0.0)) > max_nodata_fraction
    return tile_catalog.filter(~empty).select(*SOURCE_COLUMNS)


def quarantine_tiles(
    tile_catalog: DataFrame,
    tile_features: DataFrame,
    source: FeatureSource,
    max_nodata_fraction: float,
) -> DataFrame:
    """Find out for each tile that has no features why: it is read once more.

    Returns
    -------
    DataFrame
        `QUARANTINE_COLUMNS`.
    """
    done = tile_features.filter(F.col("feature_key") == source.key)
    missing = readable_tiles(tile_catalog, max_nodata_fraction).join(
        done.select("image_id", "source_version"), ["image_id", "source_version"], "left_anti"
    )
    return explain_missing(missing, source)


def check_quarantine(
    quarantine: DataFrame,
    tile_catalog: DataFrame,
    max_nodata_fraction: float,
    max_quarantine_fraction: float,
) -> QuarantineSummary:
    """Stop the run if too many tiles could not be read.

    Raises
    ------
    AerialError
        With the commonest reasons.
    """
    readable = readable_tiles(tile_catalog, max_nodata_fraction)
    tiles, quarantined = _count_both(readable, quarantine)
    reasons: dict[str, int] = {}
    examples: list[tuple[str, str, str]] = []
    if quarantined:  # mostly none is, and Spark would be asked twice about nothing
        commonest = quarantine.groupBy("reason").count().orderBy(F.desc("count")).limit(20)
        reasons = {row["reason"]: row["count"] for row in commonest.collect()}
        first = quarantine.orderBy("image_id").limit(20).collect()
        examples = [(row[0], row[1], row[2]) for row in first]
    summary = QuarantineSummary(
        tiles=tiles, quarantined=quarantined, reasons=reasons, examples=examples
    )
    if summary.quarantined > max_quarantine_fraction * tiles:
        raise AerialError(
            f"{summary.quarantined:,} of {tiles:,} tiles could not be read, more than "
            f"max_quarantine_fraction={max_quarantine_fraction:g} allows. Commonest reason: "
            f"{next(iter(reasons))}. First: {examples[0][1]}. All are in 04_feature/quarantine; "
            "mend or remove them, or allow more with --params=max_quarantine_fraction=…"
        )
    if summary.quarantined:
        LOGGER.warning("%d tile(s) in quarantine: %s", summary.quarantined, reasons)
    return summary
