"""Featurization undisturbed: bytes read from storage, the driver's memory."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehearsal import services
from rehearsal.checks import RehearsalError, expect_success
from rehearsal.faults import FEATURIZE, copy_inputs
from rehearsal.runs import CONTAINER, Cluster, Ended, ended

_LINE = re.compile(r'"GET \S*/(?P<name>[^/?" ]+\.tif)\S* HTTP/[\d.]+" 20[06] (?P<bytes>\d+)')
_MOST_BYTES = 1.2
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
