"""Featurization with one worker of one core and with two, and how much faster two are.

Seconds are those of Kedro's run in a session that is warm: Spark, its workers and their Python have
started and the network is there, since a few tiles were featurized before. What a run takes that
finds nothing to do (Kedro's session, Spark's plans) is stated apart and not counted. Each worker
has a core of its own, Java included, as a machine of one core would: left to itself, a single
worker takes two, its Java beside its Python. Driver, blob service and run history run where there
is room.

As a program it does one of the two measurements; its last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from rehearsal import services
from rehearsal.checks import RehearsalError, expect_success
from rehearsal.faults import FIRST_NODE, copy_blob, copy_inputs
from rehearsal.runs import CONTAINER, PROJECT, Cluster

# Fourteen times as many tiles on the same scenes.
_SMALL_TILE_M = 30
_WARM = "-warm"
_WORKERS = (4, 5)  # numbers that no other phase gives
_ROOTS = ("AERIAL_ROOT", "AERIAL_SPARK_ROOT")


def scale(cluster: dict[str, services.Service], plain: Cluster, scratch: Path) -> dict[str, Any]:
    """Featurize with two workers of one core and with one, the same tiles, as alike as can be.

    Parameters
    ----------
    cluster
        Its services; its workers are replaced.
    plain
        A run that has ended, for the inputs.
    scratch
        Folder of the rehearsal.

    Returns
    -------
    dict
        Tiles, seconds with one worker and with two, those of runs that find nothing to do, and how
        much faster two are. ``load_before`` is the machine's load over the minute before: where it
        is more than that of an idle cluster, other work was measured too.
    """
    cores = sorted(os.sched_getaffinity(0))[: len(_WORKERS)]
    if len(cores) < len(_WORKERS):
        raise RehearsalError(f"Two workers need a core each; there is {len(cores)}.")
    divided = _divide(plain)
    load = os.getloadavg()[0]
    for name in [name for name in cluster if name.startswith("worker-")]:
        cluster.pop(name).stop()
    pinned = [
        services.worker(number, scratch, core) for number, core in zip(_WORKERS, cores, strict=True)
    ]
    cluster |= {each.name: each for each in pinned}
    found = {2: _measure(divided, plain, 2)}
    cluster.pop(pinned[-1].name).stop()
    found[1] = _measure(divided, plain, 1)
    if len({each["tiles"] for each in found.values()}) > 1:
        raise RehearsalError(f"Not the same tiles: {found}")
    net = {workers: each["all_s"] - each["nothing_s"] for workers, each in found.items()}
    return {
        "scaling_tiles": found[1]["tiles"],
        "featurize_1_worker_s": round(net[1], 1),
        "featurize_2_workers_s": round(net[2], 1),
        "nothing_to_do_s": [round(found[workers]["nothing_s"], 1) for workers in (1, 2)],
        "speed_up_of_2_workers": round(net[1] / net[2], 2),
        "load_before": round(load, 1),
        "cores": os.cpu_count(),
    }


def _divide(plain: Cluster) -> Cluster:
    """Divide the scenes into small tiles."""
    # What is given as --params replaces the parameters of the file.
    small = (f"--params=tile_size_m={_SMALL_TILE_M},split.block_size_m=336,split.buffer_m=112",)
    divided = replace(plain, key="divided")
    for blob in plain.blobs().find(f"{CONTAINER}/{plain.key}/01_raw"):
        copy_blob(blob, plain, divided)
    copy_inputs(plain, divided, but="03_primary/tile_catalog")
    expect_success(divided.run("--pipeline=data_ingestion", *small))
    return divided


def _measure(divided: Cluster, plain: Cluster, workers: int) -> dict[str, float]:
    run = replace(plain, key=f"scaling-{workers}")
    copy_inputs(divided, run)
    copy_inputs(plain, replace(run, key=run.key + _WARM))
    said = expect_success(run.program("rehearsal.scaling", f"--workers={workers}")).output
    found: dict[str, float] = json.loads(said.strip().splitlines()[-1])
    return {**found, "tiles": len(run.table("04_feature/tile_features"))}


def _featurize(roots: dict[str, str]) -> float:
    """Featurize what has no features yet; return the seconds."""
    os.environ.update(roots)
    with KedroSession.create(PROJECT, env="cluster") as session:
        start = time.perf_counter()
        session.run(pipeline_names=["featurization"], from_nodes=[FIRST_NODE])
        return time.perf_counter() - start


def main() -> None:
    """Featurize some tiles to get warm, then those that count, then none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, required=True)
    workers = parser.parse_args().workers
    roots = {name: os.environ[name] for name in _ROOTS}
    bootstrap_project(PROJECT)
    _featurize({name: root + _WARM for name, root in roots.items()})
    seconds = {"all_s": _featurize(roots), "nothing_s": _featurize(roots)}

    from aerial_kedro.cluster import spark  # noqa: PLC0415  (the project is set up)

    context = spark.session().sparkContext
    executors = context._jsc.sc().getExecutorMemoryStatus().size() - 1
    context.stop()
    if executors != workers:
        raise SystemExit(f"Error: {executors} executors instead of {workers}")
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main()
