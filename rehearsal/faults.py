"""Faults in the middle of featurization: a worker dies, the driver dies."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehearsal import services
from rehearsal.checks import RehearsalError, compare_features, expect_success
from rehearsal.runs import CONTAINER, Cluster, ended

_POLL_S = 0.1
_FEATURIZE = ("--pipeline=featurization", "--from-nodes=featurization.name_features")
_PATIENCE_S = 180
# What featurization starts from: taken from the undisturbed run, features excepted.
_INPUTS = ("03_primary/tile_catalog", "06_models/backbone.onnx", "06_models/backbone.json")


def break_things(
    cluster: dict[str, services.Service], plain: Cluster, scratch: Path
) -> dict[str, Any]:
    """Kill the driver, then a worker of the run that goes on; compare with the undisturbed run.

    Parameters
    ----------
    cluster
        Its services; one of them dies.
    plain
        The run that was left alone.
    scratch
        Folder of the rehearsal.
    """
    run = replace(plain, key="faults")
    for name in _INPUTS:
        for blob in run.blobs().find(f"{CONTAINER}/{plain.key}/{name}"):
            run.blobs().pipe_file(_renamed(blob, plain, run), run.blobs().cat_file(blob))
    driver = run.start(*_FEATURIZE)
    kept = _wait_for_features(run, driver, 1)
    driver.kill()
    time.sleep(2)  # what a dead driver had already allowed may still arrive
    kept = run.feature_files()
    start = time.monotonic()
    again = run.start(*_FEATURIZE)
    _wait_for_features(run, again, len(kept) + 1)
    cluster["worker-1"].kill()
    outcome = expect_success(ended(again, start))
    if not kept <= run.feature_files():
        raise RehearsalError("Features that were done are gone")
    cluster["worker-3"] = services.worker(3, scratch)
    features = run.table("04_feature/tile_features")
    compare_features(plain.table("04_feature/tile_features"), features)
    done = next((line for line in outcome.output.splitlines() if "done already" in line), "")
    if not kept or " 0 are done" in done:
        raise RehearsalError(f"The second run did all again: {done}")
    return {"files_kept": len(kept), "after_faults": done.split("INFO", 1)[-1].strip()}


def _renamed(blob: str, one: Cluster, other: Cluster) -> str:
    return blob.replace(f"{CONTAINER}/{one.key}/", f"{CONTAINER}/{other.key}/", 1)


def _wait_for_features(run: Cluster, driver: services.Service, files: int) -> set[str]:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and driver.process.poll() is None:
        found = run.feature_files()
        if len(found) >= files:
            return found
        time.sleep(_POLL_S)
    raise RehearsalError(f"No features in the middle of a run:\n{driver.output()[-3000:]}")
