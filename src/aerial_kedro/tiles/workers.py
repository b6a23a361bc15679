"""What a Python worker of Spark need not do again for each of its tasks."""

from __future__ import annotations

import contextlib
import gc
import sys
import zipimport
from collections.abc import Iterator


@contextlib.contextmanager
def kept_between_tasks() -> Iterator[None]:
    """Let the next task in this worker begin at once: put it around a task's work.

    Before each task Spark has Python look anew at every place that modules are imported from, and
    Python 3.11 then reads the lists of contents of all archives, Spark's own among them (thousands
    of files); after each task Spark has Python search all its objects for garbage, those of all
    imported packages included. Together that was 0.2 s a task. Here the archives' finders
    are forgotten, and made again from the lists that are in memory if something is imported; and
    the objects that are there when a worker is first used count as permanent.
    """
    if not gc.get_freeze_count():
        gc.freeze()
    try:
        yield
    finally:
        for place, finder in list(sys.path_importer_cache.items()):
            if isinstance(finder, zipimport.zipimporter):
                del sys.path_importer_cache[place]
