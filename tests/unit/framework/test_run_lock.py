"""One run at a time on a data folder, and nothing that outlives the run that held it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.framework.run_lock import LOCK_NAME, one_run_at_a_time

HOLD = """
import sys
from aerial_kedro.framework.run_lock import one_run_at_a_time
with one_run_at_a_time(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def test_a_second_process_is_refused_in_a_sentence_that_names_the_first(tmp_path: Path) -> None:
    with (
        holder(tmp_path) as other,
        pytest.raises(AerialError) as refusal,
        one_run_at_a_time(str(tmp_path)),
    ):
        pytest.fail("two runs at once")
    message = str(refusal.value)
    assert f"The folder {tmp_path} is in use by another run (process {other.pid} on " in message
    assert "started 20" in message
    assert "AERIAL_KEDRO_DATA" in message
    assert "\n" not in message


def test_a_run_that_has_ended_blocks_nothing(tmp_path: Path) -> None:
    with holder(tmp_path):
        pass
    with one_run_at_a_time(str(tmp_path)):
        assert f"process {os.getpid()} on " in (tmp_path / LOCK_NAME).read_text()


def test_a_run_that_was_killed_blocks_nothing(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=30)
        assert (tmp_path / LOCK_NAME).exists()
        with one_run_at_a_time(str(tmp_path)):
            pass


def test_runs_of_one_process_follow_each_other_and_nest(tmp_path: Path) -> None:
    with one_run_at_a_time(str(tmp_path)):
        with one_run_at_a_time(str(tmp_path)):
            pass
        # The run inside has not released what the one outside holds.
        other = subprocess.run(
            [sys.executable, "-c", HOLD, str(tmp_path)],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert f"in use by another run (process {os.getpid()} on " in other.stderr
    with one_run_at_a_time(str(tmp_path)):
        pass


def test_two_threads_are_two_runs(tmp_path: Path) -> None:
    refused: list[AerialError] = []

    def run() -> None:
        try:
            with one_run_at_a_time(str(tmp_path)):
                pass
        except AerialError as error:
            refused.append(error)

    with one_run_at_a_time(str(tmp_path)):
        thread = Thread(target=run)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_runs_on_two_folders_are_not_in_each_others_way(tmp_path: Path) -> None:
    with holder(tmp_path / "a"), one_run_at_a_time(str(tmp_path / "b")):
        pass


def test_the_lock_is_released_when_a_run_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), one_run_at_a_time(str(tmp_path)):
        raise ZeroDivisionError
    with holder(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "data"
    with (
        pytest.raises(AerialError, match=r"cannot write \.run\.lock to .*/file/data"),
        one_run_at_a_time(str(folder)),
    ):
        pytest.fail("no folder")


def test_storage_is_not_guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with one_run_at_a_time("abfs://container/data"):
        assert list(tmp_path.iterdir()) == []
