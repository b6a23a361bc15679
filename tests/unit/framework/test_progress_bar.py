"""A live bar where a terminal is, with log lines above it; nothing anywhere else."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from aerial_kedro.datasets import progress
from aerial_kedro.framework.console import ProgressBar


class Terminal(io.StringIO):
    """A terminal that can be read afterwards."""

    def isatty(self) -> bool:
        return True


def terminal_at(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Have a terminal for standard error: inside a test, since pytest sets it for each phase."""
    found = Terminal()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return found


def test_steps_and_the_progress_of_one_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_at(monkeypatch)
    bar = ProgressBar()
    bar.open(3)
    bar.begin("Training: fit forest")
    bar.finish()
    bar.begin("Featurization: featurize tiles")
    (show,) = progress._live
    show("1,609 of about 1,857 tiles (87 %), 161 tiles/s, 2 s left", 0.87)
    bar.close()
    shown = terminal.getvalue()
    assert "1 of 3 steps" in shown
    assert "Featurization: featurize tiles" in shown
    assert "161 tiles/s, 2 s left" in shown
    assert progress._live == []


def test_log_lines_stand_above_the_bar_and_go_straight_again_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = terminal_at(monkeypatch)
    handler = logging.StreamHandler(terminal)
    logging.getLogger().addHandler(handler)
    try:
        bar = ProgressBar()
        bar.open(1)
        assert handler.stream is sys.stderr
        assert handler.stream is not terminal
        logging.getLogger().warning("a line")
        bar.close()
        assert "a line\n" in terminal.getvalue()
        assert handler.stream is sys.stderr is terminal
    finally:
        logging.getLogger().removeHandler(handler)


def test_a_second_run_has_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_at(monkeypatch)
    bar = ProgressBar()
    bar.open(1)
    bar.open(7)
    bar.close()
    assert "0 of 7" in terminal.getvalue()
    assert sys.stderr is terminal


@pytest.mark.parametrize("where", ["file", "dumb terminal"])
def test_no_bar_elsewhere(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_at(monkeypatch)
    if where == "file":
        monkeypatch.setattr(sys, "stderr", io.StringIO())
    else:
        monkeypatch.setenv("TERM", "dumb")
    before = sys.stderr
    bar = ProgressBar()
    bar.open(1)
    bar.begin("Training: fit forest")
    bar.show("half", 0.5)
    bar.finish()
    assert sys.stderr is before
    assert progress._live == []
    bar.close()
    assert terminal.getvalue() == ""
