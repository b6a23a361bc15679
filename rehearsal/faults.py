"""Faults in the middle of featurization: driver, worker and blob service go away."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from rehearsal import services
from rehearsal.checks import RehearsalError, compare_features, expect_success
from rehearsal.runs import CONTAINER, Cluster, ended

_POLL_S = 0.1
FIRST_NODE = "featurization.featurize_tiles"
FEATURIZE = ("--pipeline=featurization", f"--from-nodes={FIRST_NODE}")
_PATIENCE_S = 180
_OUTAGE_S = 20
# What featurization starts from: taken from the undisturbed run, features excepted.
_INPUTS = (
    "03_primary/tile_catalog", "06_models/backbone_source.json",
    "06_models/backbone.onnx", "06_models/backbone.json",
)  # fmt: skip


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
    copy_inputs(plain, run)
    driver = run.start(*FEATURIZE)
    kept = _wait_for_features(run, driver, 1)
    driver.kill()
    time.sleep(2)  # what a dead driver had already allowed may still arrive
    kept = run.feature_files()
    start = time.monotonic()
    again = run.start(*FEATURIZE)
    _wait_for_features(run, again, len(kept) + 1)
    dead = cluster.pop("worker-1")
    dead.kill()
    outcome = ended(again, start)
    dead.stop()  # executors that it may have left
    expect_success(outcome)
    run.clear_workers()
    if not kept <= run.feature_files():
        raise RehearsalError("Features that were done are gone")
    cluster["worker-3"] = services.worker(3, scratch)
    features = run.table("04_feature/tile_features")
    compare_features(plain.table("04_feature/tile_features"), features)
    done = next((line for line in outcome.output.splitlines() if "done already" in line), "")
    if not kept or " 0 are done" in done:
        raise RehearsalError(f"The second run did all again: {done}")
    return {"files_kept": len(kept), "after_faults": done.split("INFO", 1)[-1].strip()}


def stop_storage(
    cluster: dict[str, services.Service], plain: Cluster, azurite: str, scratch: Path
) -> dict[str, Any]:
    """Stop the blob service for a while in the middle of featurization.

    The run ends as if nothing had been, or it says what to do and the next one goes on.

    Parameters
    ----------
    cluster
        Its services; the blob service is started again.
    plain
        The run that was left alone.
    azurite
        The program.
    scratch
        Folder of the rehearsal.
    """
    run = replace(plain, key="stopped")
    copy_inputs(plain, run)
    start = time.monotonic()
    driver = run.start(*FEATURIZE)
    _wait_for_features(run, driver, 1)
    cluster["blobs"].stop()
    time.sleep(_OUTAGE_S)
    cluster["blobs"] = services.blob_service(azurite, scratch / "azurite")
    outcome = ended(driver, start)
    run.clear_workers()
    ended_well = outcome.code == 0
    if not ended_well:
        if "Traceback" in outcome.output or not outcome.message():
            raise RehearsalError(f"No plain message after an outage:\n{outcome.output[-3000:]}")
        expect_success(run.run(*FEATURIZE))
    features = run.table("04_feature/tile_features")
    difference = compare_features(plain.table("04_feature/tile_features"), features)
    return {
        "outage_s": _OUTAGE_S,
        "outage_survived": ended_well,
        "outage_said": None if ended_well else outcome.message(),
        "outage_feature_difference": difference,
    }


def copy_inputs(one: Cluster, other: Cluster, but: str | None = None) -> None:
    """Give a run what featurization starts from, as another run left it.

    Parameters
    ----------
    one
        The run that has ended.
    other
        The run to be.
    but
        An input to leave out.
    """
    for name in _INPUTS:
        for blob in one.blobs().find(f"{CONTAINER}/{one.key}/{name}") if name != but else ():
            copy_blob(blob, one, other)


def copy_blob(blob: str, one: Cluster, other: Cluster) -> None:
    """Copy a blob of a run to the same place of another."""
    name = blob.replace(f"{CONTAINER}/{one.key}/", f"{CONTAINER}/{other.key}/", 1)
    other.blobs().pipe_file(name, one.blobs().cat_file(blob))


def _wait_for_features(run: Cluster, driver: services.Service, files: int) -> set[str]:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and driver.process.poll() is None:
        found = run.feature_files()
        if len(found) >= files:
            return found
        time.sleep(_POLL_S)
    raise RehearsalError(f"No features in the middle of a run:\n{driver.output()[-3000:]}")
