"""What functions on Spark's Python workers share: quick starts, and frames that Spark takes."""

import contextlib
import functools
import gc
import sys
import zipimport
from collections.abc import Iterator

import pandas as pd


@contextlib.contextmanager
def kept_between_tasks() -> Iterator[None]:
    """Let the next task in this worker begin at once: put it around a task's work.

    Before each task Spark has Python look again at every place that modules are imported from, and
    Python 3.11 then reads the lists of contents of all archives, Spark's own among them (thousands
    of files); after each task Spark has Python search all its objects for garbage, those of all
    imported packages included. Together that was 0.2 s a task. Here the archives' finders
    are forgotten, and made again from the lists that are in memory if something is imported; and
    the objects that are there when a worker is first used count as permanent.
    """
    _freeze_once()
    try:
        yield
    finally:
        for place, finder in list(sys.path_importer_cache.items()):
            if isinstance(finder, zipimport.zipimporter):
                del sys.path_importer_cache[place]


@functools.cache
def _freeze_once() -> None:
    # Not by asking whether anything is frozen: Python counts all of it, for 20 ms a task.
    gc.freeze()


def for_spark(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert text columns to Python objects, for a frame that goes back to Spark.

    pandas keeps text in Arrow chunks, and Spark 3.5 cannot take a column of more than one chunk.
    """
    texts = [name for name in frame.columns if isinstance(frame[name].dtype, pd.StringDtype)]
    return frame.astype(dict.fromkeys(texts, object))
