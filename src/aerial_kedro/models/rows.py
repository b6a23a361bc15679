"""Rows as Spark's fits read them: few ones in the partitions that they deserve, in one order."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from pyspark import inheritable_thread_target
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

Found = TypeVar("Found")

# Each partition is a task in every pass of a fit, and in each level of a forest another set of
# counts that are shuffled: of the sample's 18,000 cells, 30 MB, one is the fastest.
_BYTES_OF_PARTITION = 64 * 2**20
# Tables of more are learned from as they are stored: to shuffle and keep 44,000 tiles of 1,280
# features took longer than a fit of them gained.
_MOST_PARTITIONS = 4
_BYTES_OF_NUMBER = 8
_FITS_AT_ONCE = 4


@dataclass(frozen=True)
class ArrangedRows:
    """Rows that are kept while classifiers are fitted to them.

    Parameters
    ----------
    frame
        The rows, with ``vector`` in place of the column that is learned from.
    partitions
        How many partitions they have.
    """

    frame: DataFrame
    partitions: int

    def fit_each(self, fits: Sequence[Callable[[], Found]]) -> list[Found]:
        """Run several fits on these rows, at the same time where each is a task at a time.

        Most of a small fit is spent between its tasks. Fits of many tasks run one after the other:
        each of them keeps the cores busy, and needs the memory.

        Parameters
        ----------
        fits
            The fits; none depends on another.

        Returns
        -------
        list
            What they return, in their order.
        """
        at_once = _FITS_AT_ONCE if self.partitions == 1 else 1
        threads = [inheritable_thread_target(fit) for fit in fits]
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda run: run(), threads))


def count_partitions(rows: int, numbers: int) -> int:
    """Count the partitions that rows deserve: by their size, so not by who has how many cores.

    Parameters
    ----------
    rows
        How many there are.
    numbers
        How many numbers each has to learn from.
    """
    return max(1, math.ceil(rows * numbers * _BYTES_OF_NUMBER / _BYTES_OF_PARTITION))


@contextmanager
def arrange(
    rows: DataFrame, column: str, count: int, *, is_shared: bool = True
) -> Iterator[ArrangedRows]:
    """Put rows into the same partitions in the same order, however they are stored and read.

    A forest draws the rows of each tree by their place in a partition, and sums of many numbers
    differ in their last digits with the order; how a table's files are read depends on the number
    of cores. The rows stay in memory, or on disk where that is short, until the block ends.

    Rows that would make more than four partitions stay as they are stored, and are kept only for
    several fits.

    Parameters
    ----------
    rows
        ``image_id``, which no two rows share, the column, and any others.
    column
        The numbers to learn from, an array; a ``vector`` takes its place.
    count
        How many rows there are.
    is_shared
        Whether several fits learn from them.
    """
    first = rows.select(F.size(column).alias("numbers")).first()
    partitions = count_partitions(count, first["numbers"] if first else 0)

    def with_vectors(frame: DataFrame) -> DataFrame:
        return frame.withColumn("vector", array_to_vector(F.col(column))).drop(column)

    if partitions > _MOST_PARTITIONS:
        kept = rows
        frame = with_vectors(rows)
    else:
        vectors = with_vectors(rows).repartition(partitions, "image_id")
        kept = frame = vectors.sortWithinPartitions("image_id")
    is_kept = is_shared or kept is frame
    if is_kept:
        kept.persist()
    try:
        yield ArrangedRows(frame, partitions)
    finally:
        if is_kept:
            kept.unpersist()
