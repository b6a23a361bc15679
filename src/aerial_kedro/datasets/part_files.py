"""Part files of a Parquet table that Spark's Python workers write themselves."""

import time
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.accumulators import Accumulator
from pyspark.taskcontext import TaskContext

from aerial_kedro.datasets.atomic import open_atomic
from aerial_kedro.features.featurize import Batches

WRITTEN_COLUMNS = "rows long"
# Each batch alone would be a group, and read slowly.
_ROWS_OF_GROUP = 512


def write_part(
    batches: Batches,
    *,
    compute: Callable[[Batches], Batches],
    folder: str,
    run: str,
    leave_out: str,
    rows: Accumulator[int],
    tasks: Accumulator[int],
    busy_s: Accumulator[float],
) -> Batches:
    """Compute a partition's rows and write them (the form that ``mapInArrow`` takes).

    Spark's writer takes rows apart, value by value: of a thousand floats each, on one machine, a
    tenth of featurization, and as much again for Java's compiler. A worker has them in one piece.
    In blob storage, Hadoop asks for some eighty things besides to commit each task's file.

    The file is there when it is whole: what a killed task leaves is no part file.

    Parameters
    ----------
    batches
        The partition.
    compute
        Gives the rows of the table.
    folder
        Folder of the table's partition that all tasks of the run reach, ``…/feature_key=…``: a
        path, or an address as fsspec takes it.
    run
        Part of the file names that makes them unlike those of other runs. A task that runs again
        has the same name.
    leave_out
        The column that the folder stands for.
    rows, tasks, busy_s
        Count for the driver what is done, and the seconds that it took, when the task ends.

    Yields
    ------
    pyarrow.RecordBatch
        `WRITTEN_COLUMNS`, one row.
    """
    start = time.perf_counter()
    context = TaskContext.get()
    name = f"part-{context.partitionId() if context else 0:05d}-{run}.parquet"
    done = list(compute(batches))
    written = sum(batch.num_rows for batch in done)
    if written:
        table = pa.Table.from_batches(done).drop_columns(leave_out)
        with open_atomic(f"{folder}/{name}") as file:
            # Features are noise to compressors and dictionaries: they cost time, save nothing.
            pq.write_table(
                table,
                file,
                row_group_size=_ROWS_OF_GROUP,
                compression="none",
                use_dictionary=False,
            )
    rows.add(written)
    tasks.add(1)
    busy_s.add(time.perf_counter() - start)
    yield pa.RecordBatch.from_arrays([pa.array([written], pa.int64())], names=["rows"])
