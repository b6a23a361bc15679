"""From tiles to features on Spark: by the engines that its Python workers run, or by a plug-in.

A plug-in is a module with the two functions of `Featurizer`; `EngineInfo.plug_in` names it.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import Protocol, cast

from pyspark.sql import DataFrame

from aerial_kedro.features.engines import ENGINES
from aerial_kedro.features.featurize import QUARANTINE_COLUMNS, explain_missing, featurize_batches
from aerial_kedro.features.pending import PendingFeatures
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.reading import SOURCE_COLUMNS


class Featurizer(Protocol):
    """What computes features of tiles (rows of `SOURCE_COLUMNS`)."""

    def featurize(
        self, tiles: DataFrame, source: FeatureSource, tasks: int
    ) -> DataFrame | PendingFeatures:
        """Describe the computation of `FEATURE_COLUMNS`, in as many tasks; saving runs it.

        Tiles that cannot be read have no row.
        """

    def explain_missing(self, tiles: DataFrame, source: FeatureSource) -> DataFrame:
        """Read tiles without features once more: why they have none (`QUARANTINE_COLUMNS`)."""


def featurizer_for(engine: str) -> Featurizer:
    """Return what computes features with an engine; a plug-in is imported now."""
    plug_in = ENGINES[engine].plug_in
    if plug_in is None:
        return PythonWorkers()
    return cast("Featurizer", importlib.import_module(plug_in))


class PythonWorkers:
    """Features by an engine that each of Spark's Python workers opens for itself."""

    def featurize(self, tiles: DataFrame, source: FeatureSource, tasks: int) -> PendingFeatures:
        """See `Featurizer`."""
        # Each task reads neighbours of one scene, in file order.
        spread = tiles.repartitionByRange(tasks, "href", "row_off", "col_off", "image_id")
        compute = partial(
            featurize_batches,
            network=source.backbone.network_for(source.choice.engine),
            input_size=source.backbone.card.input_size,
            feature_key=source.key,
            engine=source.choice.engine,
            precision=source.choice.precision,
        )
        in_order = spread.sortWithinPartitions("href", "row_off", "col_off")
        return PendingFeatures(in_order, compute, source.key, tasks)

    def explain_missing(self, tiles: DataFrame, source: FeatureSource) -> DataFrame:
        """See `Featurizer`."""
        explain = partial(explain_missing, size=source.backbone.card.input_size)
        return tiles.select(*SOURCE_COLUMNS).mapInArrow(explain, ddl(QUARANTINE_COLUMNS))
