"""Features that are described, and computed where they are saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import pyarrow as pa
from pyspark.sql import DataFrame

Batches: TypeAlias = Iterator[pa.RecordBatch]


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
    """

    tiles: DataFrame
    compute: Callable[[Batches], Batches]
    feature_key: str
    tasks: int

    def compute_into(self, write: Callable[..., Batches], columns: str) -> None:
        """Run the tasks: each computes its rows, and ``write`` puts them where they belong.

        Parameters
        ----------
        write
            Takes the tiles of a partition and, as ``compute``, what makes rows of them; yields
            what the driver is to know of the task. Sent to the workers.
        columns
            Columns of that, as Spark's DDL.
        """
        self.tiles.mapInArrow(partial(write, compute=self.compute), columns).collect()
