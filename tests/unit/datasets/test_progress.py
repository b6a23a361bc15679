"""Progress of a long job: lines in the log, or live where something shows it."""

from __future__ import annotations

import logging
import time

import pytest

from aerial_kedro.datasets import progress
from aerial_kedro.datasets.progress import reporting_progress, shown_live


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_POLL_S", 0.01)
    monkeypatch.setattr(progress, "_REPORT_EVERY_S", 0.02)


def work() -> None:
    with reporting_progress(lambda: (300, 1, 4)):
        time.sleep(0.2)


def test_lines_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="aerial_kedro"):
        work()
    assert caplog.messages[0].startswith("Featurization: 300 of about 1,200 tiles (25 %), ")


def test_what_is_shown_live_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    shown: list[tuple[str, float]] = []
    with (
        caplog.at_level(logging.INFO, logger="aerial_kedro"),
        shown_live(lambda words, share: shown.append((words, share))),
    ):
        work()
    assert shown[0][0].startswith("300 of about 1,200 tiles (25 %), ")
    assert shown[0][1] == 0.25
    assert caplog.messages == []


def test_nothing_is_reported_before_a_task_is_done(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO, logger="aerial_kedro"),
        reporting_progress(lambda: (300, 0, 4)),
    ):
        time.sleep(0.1)
    assert caplog.messages == []
