"""From tiles to features on Spark: by the engines that its Python workers run, or by a plug-in.

A plug-in is a module with `featurize` and `explain_missing` of its own; `EngineInfo.plug_in` names
it.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.accumulators import Accumulator
from pyspark.broadcast import Broadcast
from pyspark.sql import DataFrame

from aerial_kedro.features import featurize as workers
from aerial_kedro.features.engines import ENGINES
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.reading import SOURCE_COLUMNS


@dataclass(frozen=True)
class PendingFeatures:
    """What Spark's tasks are to compute: lazy, as a Spark frame is, until it is saved.

    Parameters
    ----------
    tiles
        Tiles to featurize, in as many partitions as there are to be tasks.
    compute
        Turns the tiles of a partition into rows of `tile_features`; sent to the workers.
    feature_key
        Key of all rows.
    tasks
        Number of partitions.
    engine_s
        Counts the seconds that workers spend in the engine; None where nothing does.
    """

    tiles: DataFrame
    compute: Callable[[workers.Batches], workers.Batches]
    feature_key: str
    tasks: int
    engine_s: Accumulator[float] | None = None


def featurize(tiles: DataFrame, source: FeatureSource, tasks: int) -> DataFrame | PendingFeatures:
    """Describe the computation of features; saving runs it.

    Parameters
    ----------
    tiles
        Rows of `SOURCE_COLUMNS`.
    source
        The backbone, and the engine: a plug-in is imported now.
    tasks
        Greatest number of tasks that the work is divided into.

    Returns
    -------
    DataFrame or PendingFeatures
        `FEATURE_COLUMNS`. Tiles that cannot be read have no row.
    """
    if plug_in := _plug_in(source):
        found: DataFrame = plug_in.featurize(tiles, source, tasks)
        return found
    # Each task reads neighbours of one scene, in file order.
    spread = tiles.repartitionByRange(tasks, "href", "row_off", "col_off", "image_id")
    context = tiles.sparkSession.sparkContext
    engine_s = context.accumulator(0.0)
    compute = partial(
        _featurize,
        # Once for each worker; with the function, each task would unpack megabytes.
        network=context.broadcast(source.backbone.network_for(source.choice.engine)),
        input_size=source.backbone.card.input_size,
        feature_key=source.key,
        engine=source.choice.engine,
        precision=source.choice.precision,
        with_cells=source.backbone.card.cells is not None,
        engine_s=engine_s,
    )
    in_order = spread.sortWithinPartitions("href", "row_off", "col_off")
    return PendingFeatures(in_order, compute, source.key, tasks, engine_s)


def _featurize(
    batches: workers.Batches, *, network: Broadcast[bytes], **options: Any
) -> workers.Batches:
    return workers.featurize_batches(batches, network=network.value, **options)


def explain_missing(tiles: DataFrame, source: FeatureSource) -> DataFrame:
    """Read tiles without features once more: why they have none (`QUARANTINE_COLUMNS`)."""
    if plug_in := _plug_in(source):
        found: DataFrame = plug_in.explain_missing(tiles, source)
        return found
    explain = partial(workers.explain_missing, size=source.backbone.card.input_size)
    return tiles.select(*SOURCE_COLUMNS).mapInArrow(explain, ddl(workers.QUARANTINE_COLUMNS))


def _plug_in(source: FeatureSource) -> Any:
    """Import the plug-in that has Spark itself run the engine; None where there is none."""
    name = ENGINES[source.choice.engine].plug_in
    return importlib.import_module(name) if name else None
