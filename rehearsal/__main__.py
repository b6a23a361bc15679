"""``make rehearsal``: ``kedro run --env=cluster`` with everything real, and with faults."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehearsal import checks, digits, faults, measures, packaged, refusals, scaling, services
from rehearsal.history import check_history
from rehearsal.runs import ARTIFACTS, CONNECTION, CONTAINER, Cluster, run_here

LOGGER = logging.getLogger("rehearsal")
PHASES = ("digits", "refusals", "killed", "outage", "measures", "scaling")


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
        services.stop_all()


def rehearse(scratch: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run here and on the cluster, compare, refuse bad input, break things.

    Parameters
    ----------
    scratch
        Emptied before; logs and blobs stay there afterwards.
    given
        The command's arguments.

    Returns
    -------
    dict
        The figures.
    """
    local = scratch / "local"
    checks.expect_success(run_here(local, "--pipeline=sample_data"))
    here = checks.expect_success(run_here(local))
    LOGGER.info("Run on this machine alone: %.0f s", here.seconds)
    figures: dict[str, Any] = {"local_s": round(here.seconds)}
    tools = given.tools.resolve()
    azurite = str(tools / "node_modules" / ".bin" / "azurite-blob")
    with running(scratch, azurite) as cluster:
        plain = Cluster(scratch / "driver", tools / "ivy", given.executors.resolve())
        plain.blobs().mkdir(CONTAINER)
        figures["workers"] = checks.look_inside(plain)
        figures |= run_jobs(plain, local, given)
        phases: dict[str, Callable[[], dict[str, Any]]] = {
            "digits": lambda: digits.read_digits(plain, scratch),
            "refusals": lambda: {"refusals_s": refusals.refuse(plain)},
            "killed": lambda: faults.break_things(cluster, plain, scratch),
            "outage": lambda: faults.stop_storage(cluster, plain, azurite, scratch),
            "measures": lambda: measures.measure(cluster, plain),
            "scaling": lambda: scaling.scale(cluster, plain, scratch),
        }
        for name in chosen(given):
            start = time.monotonic()
            services.check_alive(cluster.values())
            figures |= phases[name]()
            LOGGER.info("%s: %.0f s", name.capitalize(), time.monotonic() - start)
    figures["worker_files"] = checks.check_workers(scratch, local)
    figures["texts_searched"] = checks.check_secrets(scratch)
    return figures


def chosen(given: argparse.Namespace) -> list[str]:
    """List what follows the whole jobs, in order: all but scaling, unless the command says more."""
    if given.only:
        return [name for name in PHASES if name in given.only]
    return [name for name in PHASES if given.scaling or name != "scaling"]


def run_jobs(plain: Cluster, local: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run the whole main job from the package and, unless in brief, from the sources.

    Parameters
    ----------
    plain
        Where; the run whose outputs the faults start from.
    local
        Outputs of the run on this machine alone, which those on the cluster must equal.
    given
        The command's arguments.
    """
    figures: dict[str, Any] = {}
    sources = replace(plain, key="sources")
    for cluster in [plain] if given.brief else [plain, sources]:
        raw = f"{CONTAINER}/{cluster.key}/01_raw"
        plain.blobs().put(f"{local}/01_raw", raw, recursive=True)
        from_sources = cluster is sources
        how = "kedro run" if from_sources else "spark-submit"
        ran = cluster.run() if from_sources else packaged.submit(cluster, given.dist.resolve())
        checks.expect_success(ran)
        LOGGER.info("Run on the cluster with %s: %.0f s", how, ran.seconds)
        figures[how] = {"seconds": round(ran.seconds), **checks.compare(local, cluster)}
    return figures | check_history(plain, len(figures))


def main() -> None:
    """Rehearse; end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/rehearsal/scratch"))
    parser.add_argument("--tools", type=Path, default=Path("build/rehearsal/tools"))
    parser.add_argument("--executors", type=Path, default=Path("build/executors/executors.tar.gz"))
    parser.add_argument("--dist", type=Path, default=Path("dist"))
    parser.add_argument("--brief", action="store_true", help="the whole job from the package only")
    parser.add_argument(
        "--scaling", action="store_true", help="time featurization with one worker and with two"
    )
    parser.add_argument(
        "--only", nargs="+", choices=PHASES, help="of what follows the whole job, these alone"
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    LOGGER.setLevel(logging.INFO)
    # Ended from outside, it stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    scratch = given.scratch.resolve()
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    start = time.monotonic()
    try:
        figures = rehearse(scratch, given)
    finally:
        services.stop_all()
    figures["all_s"] = round(time.monotonic() - start)
    sys.stdout.write(json.dumps({"rehearsal": figures}) + "\n")


if __name__ == "__main__":
    main()
