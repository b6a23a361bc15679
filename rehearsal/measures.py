"""Featurization undisturbed: bytes read from storage, the driver's memory, one worker and two."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rehearsal import services
from rehearsal.checks import RehearsalError, expect_success
from rehearsal.faults import FEATURIZE, copy_blob, copy_inputs
from rehearsal.runs import CONTAINER, Cluster, Ended, ended

_LINE = re.compile(r'"GET \S*/(?P<name>[^/?" ]+\.tif)\S* HTTP/[\d.]+" 20[06] (?P<bytes>\d+)')
_MOST_BYTES = 1.2
# Fifteen times as many tiles on the same scenes, so that starting up does not count.
_SMALL_TILE_M = 40
_POLL_S = 0.2
_PAGE = 1024


def measure(cluster: dict[str, services.Service], plain: Cluster) -> dict[str, Any]:
    """Featurize once more, alone.

    Parameters
    ----------
    cluster
        Its services; Azurite's output is a line for each request.
    plain
        A run that has ended, for the inputs.

    Returns
    -------
    dict
        ``read_share``: bytes read of the scenes by the bytes that they have, which all are in
        tiles; ``driver_mb``: the most memory that the driver's processes held together.
    """
    run = replace(plain, key="measured")
    copy_inputs(plain, run)
    before = len(cluster["blobs"].output())
    outcome, memory = _watched(run, *FEATURIZE)
    sizes = {
        path.rsplit("/", 1)[-1]: run.blobs().size(path)
        for path in run.blobs().find(f"{CONTAINER}/{plain.key}/01_raw/sample/scenes")
    }
    requests = [
        (found["name"], int(found["bytes"]))
        for found in _LINE.finditer(cluster["blobs"].output()[before:])
        if found["name"] in sizes
    ]
    share = sum(size for _, size in requests) / sum(sizes.values())
    if not requests or share > _MOST_BYTES:
        raise RehearsalError(
            f"Of scenes of {sum(sizes.values()):,} bytes, {share:.2f} times as many were read"
        )
    return {
        "featurization_s": round(outcome.seconds),
        "scene_bytes": sum(sizes.values()),
        "scene_requests": len(requests),
        "read_share": round(share, 3),
        "driver_mb": memory,
    }


def scale(cluster: dict[str, services.Service], plain: Cluster, scratch: Path) -> dict[str, Any]:
    """Featurize with one worker of one core and with two, as alike as can be.

    Parameters
    ----------
    cluster
        Its services; one worker is stopped and started again.
    plain
        A run that has ended, for the inputs.
    scratch
        Folder of the rehearsal.

    Returns
    -------
    dict
        Seconds of featurization's Spark job by itself, and how much faster two are.
    """
    # What is given as --params replaces the parameters of the file.
    small = (f"--params=tile_size_m={_SMALL_TILE_M},split.block_size_m=336,split.buffer_m=112",)
    divided = replace(plain, key="divided")
    for blob in plain.blobs().find(f"{CONTAINER}/{plain.key}/01_raw"):
        copy_blob(blob, plain, divided)
    copy_inputs(plain, divided, but="03_primary/tile_catalog")
    expect_success(divided.run("--pipeline=data_ingestion", *small))
    seconds = {}
    for workers in (2, 1):
        if workers == 1:
            name = max(name for name in cluster if name.startswith("worker-"))
            cluster.pop(name).stop()
        run = replace(plain, key=f"scaling-{workers}")
        copy_inputs(divided, run)
        seconds[workers] = job_seconds(expect_success(run.run(*FEATURIZE)).output)
    cluster["worker-4"] = services.worker(4, scratch)
    return {
        "featurize_1_worker_s": seconds[1],
        "featurize_2_workers_s": seconds[2],
        "speed_up_of_2_workers": round(seconds[1] / seconds[2], 2),
    }


def job_seconds(output: str) -> float:
    r"""Read from a run's log how long the tiles took; Spark and its workers have started before.

    Examples
    --------
    >>> job_seconds("23:59:50 INFO    9 tiles to featurize, 0 are done already\n"
    ...             "00:00:14 INFO    Completed node: featurization.featurize_tiles\n")
    24.0
    """
    times = []
    for what in ("tiles to featurize", "Completed node: featurization.featurize_tiles"):
        found = re.findall(rf"^([\d:]{{8}}) .*{what}", output, re.MULTILINE)
        times.append(datetime.strptime(found[0], "%H:%M:%S"))
    return ((times[1] - times[0]) % timedelta(days=1)).total_seconds()


def _watched(run: Cluster, *arguments: str) -> tuple[Ended, int]:
    """Run, and note the most memory that the driver and its Java held."""
    start = time.monotonic()
    driver = run.start(*arguments)
    most = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_POLL_S):
            most[0] = max(most[0], _resident(driver.process.pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    outcome = expect_success(ended(driver, start))
    done.set()
    watcher.join()
    run.clear_workers()
    return outcome, most[0] // _PAGE


def _resident(session: int) -> int:
    """Add up the memory of the processes of a session, in kB."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
            fields = (status.parent / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session and (found := re.search(r"VmRSS:\s+(\d+)", text)):
            total += int(found[1])
    return total
