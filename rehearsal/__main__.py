"""``make rehearsal``: ``kedro run --env=cluster`` with everything real, and with faults."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal import checks, faults, refusals, services
from rehearsal.runs import ARTIFACTS, CONNECTION, CONTAINER, Cluster, run_here

LOGGER = logging.getLogger("rehearsal")


@contextlib.contextmanager
def running(scratch: Path, azurite: str) -> Iterator[dict[str, services.Service]]:
    """Start the blob service, the run history, a master and two workers; stop what then runs."""
    cluster: dict[str, services.Service] = {}
    try:
        cluster["blobs"] = services.blob_service(azurite, scratch / "azurite")
        cluster["history"] = services.run_history(scratch / "history", ARTIFACTS, CONNECTION)
        cluster["master"] = services.master(scratch / "master")
        for number in (1, 2):
            cluster[f"worker-{number}"] = services.worker(number, scratch)
        yield cluster
    finally:
        for service in reversed(cluster.values()):
            service.stop()


def rehearse(scratch: Path, tools: Path) -> dict[str, Any]:
    """Run here and on the cluster, compare, refuse bad input, break things.

    Parameters
    ----------
    scratch
        Emptied before; logs and blobs stay there afterwards.
    tools
        Where Azurite is installed and Java libraries are kept.

    Returns
    -------
    dict
        The figures.
    """
    local = scratch / "local"
    checks.expect_success(run_here(local, "--pipeline=sample_data"))
    here = checks.expect_success(run_here(local))
    LOGGER.info("Run on this machine alone: %.0f s", here.seconds)
    azurite = str(tools / "node_modules" / ".bin" / "azurite-blob")
    with running(scratch, azurite) as cluster:
        plain = Cluster(scratch / "driver", tools / "ivy")
        plain.blobs().mkdir(CONTAINER)
        plain.blobs().put(f"{local}/01_raw", f"{CONTAINER}/{plain.key}/01_raw", recursive=True)
        there = checks.expect_success(plain.run())
        LOGGER.info("Run on the cluster: %.0f s", there.seconds)
        figures: dict[str, Any] = {
            "local_s": round(here.seconds),
            "cluster_s": round(there.seconds),
            **checks.compare(local, plain),
            "refusals_s": refusals.refuse(plain),
            **faults.break_things(cluster, plain, scratch),
        }
    figures["worker_files"] = checks.check_workers(scratch, local)
    figures["texts_searched"] = checks.check_secrets(scratch)
    return figures


def main() -> None:
    """Rehearse; end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/rehearsal/scratch"))
    parser.add_argument("--tools", type=Path, default=Path("build/rehearsal/tools"))
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    LOGGER.setLevel(logging.INFO)
    scratch = given.scratch.resolve()
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    start = time.monotonic()
    figures = rehearse(scratch, given.tools.resolve())
    figures["all_s"] = round(time.monotonic() - start)
    sys.stdout.write(json.dumps({"rehearsal": figures}) + "\n")


if __name__ == "__main__":
    main()
