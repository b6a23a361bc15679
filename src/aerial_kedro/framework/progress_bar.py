"""A live progress bar in a terminal: steps done of all, and the step at work."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from aerial_kedro.datasets.progress import shown_live


class ProgressBar:
    """Lines at the foot of a terminal while a run is at work; nothing where there is no terminal.

    One for the steps, one for the step at work, one for what that reports of its progress.
    Log lines appear above it, since the handlers that write to the terminal are led through it.
    """

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._progress: Progress | None = None
        self._all = self._at_work = self._inside = TaskID(0)
        # An interrupted run ends without a hook; a terminal needs its cursor back.
        atexit.register(self.close)

    def open(self, steps: int) -> None:
        """Show the bar, if standard error is a terminal.

        Parameters
        ----------
        steps
            Number of steps of the run.
        """
        self.close()
        if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            return
        self._progress = Progress(
            BarColumn(bar_width=14),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.description}"),
            console=Console(file=sys.stderr),
            transient=True,
            refresh_per_second=4,
        )
        self._all = self._progress.add_task(f"0 of {steps} steps", total=steps)
        self._at_work = self._progress.add_task("", total=None, visible=False)
        self._inside = self._progress.add_task("", total=1.0, visible=False)
        terminal = sys.stderr
        self._open.enter_context(self._progress)  # puts a writer in the place of sys.stderr
        _lead_handlers(terminal, sys.stderr)
        self._open.callback(_lead_handlers, sys.stderr, terminal)
        self._open.enter_context(shown_live(self.show))

    def begin(self, step: str) -> None:
        """Show which step is at work."""
        if self._progress:
            self._progress.reset(self._at_work, description=step, visible=True)
            self._progress.reset(self._inside, visible=False)

    def show(self, words: str, share: float) -> None:
        """Show how far the step at work is: in words, and the share that is done (0-1)."""
        if self._progress:
            self._progress.update(self._inside, completed=share, description=words, visible=True)

    def finish(self) -> None:
        """Count a step as done."""
        if self._progress:
            self._progress.advance(self._all)
            task = self._progress.tasks[self._all]
            words = f"{task.completed:.0f} of {task.total:.0f} steps"
            self._progress.update(self._all, description=words)

    def close(self) -> None:
        """Remove the bar, if there is one; log lines go straight to the terminal again."""
        self._open.close()
        self._progress = None


def _lead_handlers(old: TextIO, new: TextIO) -> None:
    """Have the log handlers that write to one stream write to another."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is old:
            handler.setStream(new)
