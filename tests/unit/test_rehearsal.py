"""The rehearsal's own parts: what it starts, it watches and stops."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from aerial_kedro.examples.digits.data import digits_of_files
from aerial_kedro.examples.digits.files import ROLES, DigitFiles, read_file, spellings
from aerial_kedro.pipelines import featurization, from_folders
from benchmarks.featurization import PREPARE
from rehearsal import digits
from rehearsal.__main__ import chosen
from rehearsal.checks import RehearsalError, compare_cells
from rehearsal.faults import FIRST_NODE
from rehearsal.runs import PROJECT
from rehearsal.services import Service, check_alive


def test_nodes_that_programs_start_from_are_there() -> None:
    assert FIRST_NODE in {node.name for node in featurization.create_pipeline().nodes}
    assert set(PREPARE) <= {node.name for node in from_folders.create_pipeline().nodes}


def test_cells_that_differ_between_here_and_there_are_found() -> None:
    here = pd.DataFrame({"image_id": ["a", "b"], "cell_classes": [b"\1" * 49, b"\2" * 49]})
    there = here.iloc[::-1].reset_index(drop=True)
    assert compare_cells(here, there) == 1
    with pytest.raises(RehearsalError, match=r"Only 50\.00% of the cells"):
        compare_cells(here, here.assign(cell_classes=[b"\1" * 49] * 2))
    with pytest.raises(RehearsalError, match="Cells of 2 tiles are predicted here, of 1 there"):
        compare_cells(here, here.iloc[:1])


@pytest.fixture
def sleeping(tmp_path: Path) -> Iterator[Service]:
    service = Service("sleeper", ["sleep", "60"], tmp_path, os.environ)
    yield service
    service.process.kill()


def test_a_service_that_has_ended_is_named(tmp_path: Path, sleeping: Service) -> None:
    check_alive([sleeping])
    gone = Service("history", ["sh", "-c", "echo shut down; exit 3"], tmp_path, os.environ)
    gone.process.wait()
    with pytest.raises(RuntimeError, match=r"history has ended with 3: .*\n.*shut down"):
        check_alive([sleeping, gone])


def test_nothing_outlives_a_rehearsal_that_is_ended(tmp_path: Path) -> None:
    code = (
        "import os, sys, rehearsal.__main__ as main; from rehearsal.services import Service\n"
        "run = ['sh', '-c', 'echo $$; exec sleep 60']\n"
        "main.rehearse = lambda scratch, _: Service('run', run, scratch, os.environ).process.wait()"
        f"\nsys.argv[1:] = ['--scratch={tmp_path / 'scratch'}']; main.main()"
    )
    command = [sys.executable, "-c", code]
    rehearsal = Service("rehearsal", command, tmp_path, os.environ, cwd=PROJECT)
    log = tmp_path / "scratch" / "run.log"
    try:
        until = time.monotonic() + 30
        while not (log.exists() and log.read_text()) and time.monotonic() < until:
            time.sleep(0.1)
        run = Path("/proc", log.read_text().strip())
        assert run.exists()
        rehearsal.process.terminate()
        assert rehearsal.process.wait(timeout=20) == 128 + signal.SIGTERM
        assert not run.exists()
    finally:
        rehearsal.stop()


@pytest.mark.parametrize(
    ("only", "scaling", "names"),
    [
        (None, False, ["digits", "refusals", "killed", "outage", "measures"]),
        (None, True, ["digits", "refusals", "killed", "outage", "measures", "scaling"]),
        (["scaling", "digits"], False, ["digits", "scaling"]),
    ],
)
def test_scaling_is_timed_where_it_is_asked_for(
    only: list[str] | None, scaling: bool, names: list[str]
) -> None:
    assert chosen(argparse.Namespace(only=only, scaling=scaling)) == names


def test_its_digits_are_files_that_the_tutorial_reads() -> None:
    written = digits.write_idx()
    found = {
        role: read_file(role, spelling, written[spelling])
        for role in ROLES
        for spelling in spellings(role)
        if spelling in written
    }
    read, record = digits_of_files(DigitFiles("/mnist", found), check_hashes=False)
    assert (record.train, record.test, read.shape) == (1350, 447, (8, 8))
    assert int(read.train_images.max()) == 240
