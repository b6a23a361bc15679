"""Progress of a long Spark job, in words a person can use: done, rate, time left."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOGGER = logging.getLogger(__name__)
_POLL_S = 2.0
_REPORT_EVERY_S = 10.0
# What shows progress live, while a terminal is there to show it in; else progress is logged.
_live: list[Callable[[str, float], None]] = []


@contextlib.contextmanager
def shown_live(show: Callable[[str, float], None]) -> Iterator[None]:
    """Show progress inside the block as it changes, instead of lines in the log.

    Parameters
    ----------
    show
        Called every two seconds with the progress in words and the share that is done (0-1).
    """
    _live.append(show)
    try:
        yield
    finally:
        _live.remove(show)


@contextlib.contextmanager
def reporting_progress(look: Callable[[], tuple[int, int, int]]) -> Iterator[None]:
    """Report the progress of featurization inside the block: live, or every ten seconds.

    Parameters
    ----------
    look
        Gives the number of tiles written, of tasks done and of all tasks; zeros before there are
        any.
    """
    done = threading.Event()
    reporter = threading.Thread(
        target=_report_until, args=(look, done), name="progress", daemon=True
    )
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()


def describe_progress(rows: int, *, tasks_done: int, tasks: int, seconds: float) -> str:
    """Put progress into words; what is left is estimated from the tasks that are done.

    Examples
    --------
    >>> describe_progress(3000, tasks_done=10, tasks=40, seconds=30.0)
    '3,000 of about 12,000 tiles (25 %), 100 tiles/s, 1 min 30 s left'
    """
    total = round(rows * tasks / tasks_done)
    rate = rows / seconds
    left = round((total - rows) / rate)
    time_left = f"{left // 60} min {left % 60} s" if left >= 60 else f"{left} s"  # noqa: PLR2004
    return (
        f"{rows:,} of about {total:,} tiles ({100 * tasks_done / tasks:.0f} %), "
        f"{rate:.0f} tiles/s, {time_left} left"
    )


def _report_until(look: Callable[[], tuple[int, int, int]], done: threading.Event) -> None:
    start = last = time.monotonic()
    while not done.wait(_POLL_S):
        now = time.monotonic()
        if not _live and now - last < _REPORT_EVERY_S:
            continue
        rows, tasks_done, tasks = look()
        if not (rows and tasks_done):
            continue
        last = now
        words = describe_progress(rows, tasks_done=tasks_done, tasks=tasks, seconds=now - start)
        for show in _live:
            show(words, tasks_done / tasks)
        if not _live:
            LOGGER.info("Featurization: %s", words)


def look_at_writing_stage(session: SparkSession) -> tuple[int, int, int]:
    """Rows written, tasks done and all tasks of the active stage that writes."""
    store = session.sparkContext._jsc.sc().statusStore()
    jvm: Any = session.sparkContext._jvm
    stages = store.activeStages()
    for stage in jvm.scala.collection.JavaConverters.seqAsJavaList(stages):
        if stage.outputRecords():
            return int(stage.outputRecords()), int(stage.numCompleteTasks()), int(stage.numTasks())
    return 0, 0, 0
