"""Features that are described, and computed where they are saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa
from pyspark.sql import DataFrame

from aerial_kedro.backbones.featurize import FEATURE_COLUMNS
from aerial_kedro.tiles.catalog import ddl

Batches: TypeAlias = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class PendingFeatures:
    """What Spark's tasks are to compute.

    Parameters
    ----------
    tiles
        What is to be featurized, in as many partitions as there are to be tasks.
    compute
        Turns the tiles of a partition into `FEATURE_COLUMNS`; sent to the workers.
    feature_key
        Of all rows.
    tasks
        How many partitions there are.
    """

    tiles: DataFrame
    compute: Callable[[Batches], Batches]
    feature_key: str
    tasks: int

    def frame(self) -> DataFrame:
        """Hand the rows on through Spark: `FEATURE_COLUMNS`."""
        # Spark gives iterators and takes them; its annotations say less.
        return self.tiles.mapInArrow(self.compute, ddl(FEATURE_COLUMNS))  # type: ignore[arg-type]
