"""Part files of a Parquet table that Spark's Python workers write themselves."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.accumulators import Accumulator
from pyspark.taskcontext import TaskContext

Batches: TypeAlias = Iterator[pa.RecordBatch]

WRITTEN_COLUMNS = "rows long"
# Spark's name for drafts: neither it nor others take them for part files.
_DRAFTS = "_temporary"
_ROWS_OF_GROUP = 512


@dataclass(frozen=True)
class PartFiles:
    """Where the tasks of one run write, in a folder that they all reach.

    Spark's writer takes rows apart, value by value: of a thousand floats each, on one machine, a
    tenth of featurization, and as much again for Java's compiler. A worker has them in one piece.

    Parameters
    ----------
    table
        Folder of the table.
    partition
        Folder within: ``feature_key=…``.
    run
        Makes file names unlike those of other runs. A task that runs again has the same name.
    """

    table: Path
    partition: str
    run: str

    @classmethod
    def of_new_run(cls, table: Path, partition: str) -> PartFiles:
        """Make the folders for a run."""
        files = cls(table, partition, uuid.uuid4().hex)
        for folder in (files._folder, files._drafts):
            folder.mkdir(parents=True, exist_ok=True)
        return files

    def write(
        self,
        batches: Batches,
        *,
        compute: Callable[[Batches], Batches],
        leave_out: str,
        rows: Accumulator[int],
        tasks: Accumulator[int],
    ) -> Batches:
        """Compute a partition's rows and write them (the form that ``mapInArrow`` takes).

        The file is moved into place when it is whole: what a killed task leaves is no part file.

        Parameters
        ----------
        batches
            The partition.
        compute
            Gives the rows of the table.
        leave_out
            The column that the partition's folder stands for.
        rows, tasks
            Count for the driver what is done, when the task ends.

        Yields
        ------
        pyarrow.RecordBatch
            `WRITTEN_COLUMNS`, one row.
        """
        context = TaskContext.get()
        number, attempt = (context.partitionId(), context.taskAttemptId()) if context else (0, 0)
        name = f"part-{number:05d}-{self.run}.parquet"
        draft = self._drafts / f"{attempt}-{name}"
        written = _write(draft, (_without(batch, leave_out) for batch in compute(batches)))
        if written:
            draft.replace(self._folder / name)
        rows.add(written)
        tasks.add(1)
        yield pa.RecordBatch.from_arrays([pa.array([written], pa.int64())], names=["rows"])

    def mark_written(self) -> None:
        """Say, as Spark does, that the table is there, even if it has no row."""
        (self.table / "_SUCCESS").touch()

    def remove_drafts(self) -> None:
        """Remove what tasks left that did not end, those of killed runs too."""
        shutil.rmtree(self.table / _DRAFTS, ignore_errors=True)

    @property
    def _folder(self) -> Path:
        return self.table / self.partition

    @property
    def _drafts(self) -> Path:
        return self.table / _DRAFTS / self.run


def _without(batch: pa.RecordBatch, column: str) -> pa.RecordBatch:
    return batch.select([name for name in batch.schema.names if name != column])


def _write(path: Path, batches: Batches) -> int:
    """Write batches to a file, some hundred rows in a row group; no file without rows."""
    first = next(batches, None)
    if first is None:
        return 0
    waiting, rows = [first], 0
    # Features are noise to a compressor and to a dictionary: both cost time and save nothing.
    with pq.ParquetWriter(path, first.schema, compression="none", use_dictionary=False) as writer:
        for batch in batches:
            waiting.append(batch)
            if sum(each.num_rows for each in waiting) >= _ROWS_OF_GROUP:
                rows += _flush(writer, waiting)
        rows += _flush(writer, waiting)
    return rows


def _flush(writer: pq.ParquetWriter, waiting: list[pa.RecordBatch]) -> int:
    if not waiting:
        return 0
    table = pa.Table.from_batches(waiting)
    waiting.clear()
    writer.write_table(table, row_group_size=max(table.num_rows, 1))
    return int(table.num_rows)
