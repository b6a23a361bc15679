"""Nodes of featurization."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, PendingWeights
from aerial_kedro.features.engines import AUTO, JAVA_ENGINE, EngineChoice
from aerial_kedro.features.engines.available import has_graphics_card
from aerial_kedro.features.featurize import (
    QUARANTINE_COLUMNS,
    explain_missing,
    featurize_batches,
)
from aerial_kedro.features.known import name_export
from aerial_kedro.features.pending import PendingFeatures
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.reading import SOURCE_COLUMNS
from aerial_kedro.tiles.records import QuarantineSummary

LOGGER = logging.getLogger(__name__)

# A task is a checkpoint: what it has done is kept. Two or three seconds of work each.
_TILES_PER_TASK = 512
# Where that makes few tasks, smaller ones: else most cores wait for the last one to end.
_SMALL_TASKS = 24
_TILES_PER_SMALL_TASK = 128
_FEWEST_TASKS = 4


def export_backbone(
    weights: PendingWeights,
    before: list[Backbone],
    backbone: str,
    pooling: str,
    engine: str,
    seed: int,
) -> Backbone:
    """Export the network, preprocessing inside, and prove it equal to torch; once.

    Parameters
    ----------
    weights
        Of the backbone.
    before
        What an earlier run exported, if any: taken if it is what this one would export.
    backbone
        Its name.
    pooling, engine
        The run parameters.
    seed
        Draws the tiles of the proof.
    """
    # On a processor torch is never the fastest; `engine=auto` measures it on a graphics card alone.
    with_program = engine == "torch" or (engine == AUTO and has_graphics_card())
    name = name_export(backbone, weights.sha256, pooling) if weights.sha256 else None
    for each in before:
        complete = each.program is not None or not with_program
        if name is not None and each.card.export == name and complete:
            LOGGER.info("The backbone %s is exported already", backbone)
            return each
    # torch takes seconds to import; runs that find their backbone exported never need it.
    from aerial_kedro.features.definitions import define_backbone  # noqa: PLC0415
    from aerial_kedro.features.export import export_backbone as export  # noqa: PLC0415

    definition = define_backbone(backbone)
    exported = export(definition, weights.read(), seed, pooling, with_program=with_program)
    return replace(exported, card=exported.card.model_copy(update={"export": name}))


def name_features(backbone: Backbone, choice: EngineChoice) -> str:
    """Derive the ``feature_key``: everything that features depend on, apart from the tile."""
    return FeatureSource(backbone, choice).key


def featurize_tiles(
    tile_catalog: DataFrame,
    features_done: DataFrame,
    backbone: Backbone,
    key: str,
    choice: EngineChoice,
    max_nodata_fraction: float,
) -> DataFrame | PendingFeatures:
    """Compute the features of the tiles that have none yet.

    Parameters
    ----------
    tile_catalog
        The tiles.
    features_done
        ``image_id, source_version, feature_key`` of the features that are there.
    backbone
        The network.
    key
        The ``feature_key``.
    choice
        What runs it.
    max_nodata_fraction
        Tiles with more nodata are left out.

    Returns
    -------
    DataFrame or PendingFeatures
        `FEATURE_COLUMNS` of the tiles that can be read.
    """
    wanted = readable_tiles(tile_catalog, max_nodata_fraction)
    done = features_done.filter(F.col("feature_key") == key)
    missing = wanted.join(done, ["image_id", "source_version"], "left_anti")
    total, count = _count_all_and_missing(wanted, done)
    LOGGER.info("%s tiles to featurize, %s are done already", f"{total:,}", f"{total - count:,}")
    tasks = count_tasks(count)
    if choice.engine == JAVA_ENGINE:
        from aerial_kedro.synapseml import image_featurizer  # noqa: PLC0415  # onnx loads slowly

        image_featurizer.check_tiles(missing)
        return image_featurizer.featurize_images(missing, backbone, key, tasks)
    # Each task reads neighbours of one scene, in file order.
    ordered = missing.repartitionByRange(tasks, "href", "row_off", "col_off", "image_id")
    compute = partial(
        featurize_batches,
        network=backbone.network_for(choice.engine),
        input_size=backbone.card.input_size,
        feature_key=key,
        engine=choice.engine,
        precision=choice.precision,
    )
    in_order = ordered.sortWithinPartitions("href", "row_off", "col_off")
    return PendingFeatures(in_order, compute, key, tasks)


def count_tasks(tiles: int) -> int:
    """Choose into how many tasks tiles are divided.

    Examples
    --------
    >>> [count_tasks(tiles) for tiles in (0, 3, 300, 1_000, 6_000, 100_000)]
    [1, 3, 4, 8, 24, 196]
    """
    small = min(math.ceil(tiles / _TILES_PER_SMALL_TASK), _SMALL_TASKS)
    return max(math.ceil(tiles / _TILES_PER_TASK), small, min(tiles, _FEWEST_TASKS), 1)


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
    backbone: Backbone,
    key: str,
    choice: EngineChoice,
    max_nodata_fraction: float,
) -> DataFrame:
    """Say for each tile that has no features why: it is read once more.

    Returns
    -------
    DataFrame
        `QUARANTINE_COLUMNS`.
    """
    done = tile_features.filter(F.col("feature_key") == key).select("image_id", "source_version")
    missing = readable_tiles(tile_catalog, max_nodata_fraction).join(
        done, ["image_id", "source_version"], "left_anti"
    )
    if choice.engine == JAVA_ENGINE:
        from aerial_kedro.synapseml import image_featurizer  # noqa: PLC0415  # onnx loads slowly

        return image_featurizer.explain_missing_images(missing, backbone.card.input_size)
    explain = partial(explain_missing, size=backbone.card.input_size)
    return missing.select(*SOURCE_COLUMNS).mapInArrow(explain, ddl(QUARANTINE_COLUMNS))


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
    tiles = readable_tiles(tile_catalog, max_nodata_fraction).count()
    reasons = {
        row["reason"]: row["count"]
        for row in quarantine.groupBy("reason").count().orderBy(F.desc("count")).limit(20).collect()
    }
    examples = [tuple(row) for row in quarantine.orderBy("image_id").limit(20).collect()]
    summary = QuarantineSummary(
        tiles=tiles, quarantined=quarantine.count(), reasons=reasons, examples=examples
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
