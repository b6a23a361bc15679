"""What classifiers read of rows: a column of arrays, or of the bytes of float32 numbers.

Spark takes an array apart value by value wherever it writes or reads one: 50,000 rows of 200
numbers took its tasks eight seconds of a core to write.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

BYTES_OF_NUMBER = np.dtype(np.float32).itemsize


def pack_numbers(numbers: NDArray[np.floating]) -> list[bytes]:
    """Write each row of ``(n, numbers)`` as the bytes of float32.

    Examples
    --------
    >>> stack_numbers(pd.Series(pack_numbers(np.eye(2))))
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return [row.tobytes() for row in np.asarray(numbers, np.float32)]


def stack_numbers(column: pd.Series) -> NDArray[np.floating]:
    """Read a column into one array.

    Parameters
    ----------
    column
        Of each row an array of its numbers, or their bytes as `pack_numbers` writes them.

    Returns
    -------
    numpy.ndarray
        ``(n, numbers)``; of bytes float32, which must not be written to.

    Raises
    ------
    ValueError
        If the rows have not equally many numbers.
    """
    rows = column.to_list()
    if not rows:
        return np.zeros((0, 0), np.float32)
    if not isinstance(rows[0], bytes):
        return np.stack(rows)
    if len({len(each) for each in rows}) > 1:
        raise ValueError("all rows must have equally many numbers")
    return np.frombuffer(b"".join(rows), np.float32).reshape(len(rows), -1)


def unpack_numbers(batches: Iterable[pa.RecordBatch], column: str) -> Iterator[pa.RecordBatch]:
    """Turn a column of bytes into one of arrays, for what reads no bytes (``mapInArrow``)."""
    for batch in batches:
        rows = batch.column(column).to_pylist()
        offsets = np.cumsum([0, *[len(each) // BYTES_OF_NUMBER for each in rows]], dtype=np.int32)
        values = np.frombuffer(b"".join(rows), np.float32)
        at = batch.schema.get_field_index(column)
        columns = batch.columns
        columns[at] = pa.ListArray.from_arrays(offsets, values)
        yield pa.RecordBatch.from_arrays(columns, batch.schema.names)
