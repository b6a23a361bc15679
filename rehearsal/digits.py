"""The digits tutorial with its data, its page and its model in the container; no Spark at all."""

from __future__ import annotations

import gzip
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from rehearsal.checks import RehearsalError, expect_success
from rehearsal.runs import ARTIFACTS_FOLDER, CONTAINER, Cluster, run_here
from rehearsal.services import HISTORY_PORT, HOST

_NOWHERE = {"AERIAL_SPARK_MASTER": f"spark://{HOST}:17099"}
_TEST_FROM = 1350  # of scikit-learn's 1,797
_METRICS = "08_reporting/digits_metrics.json"
_RECORD = "03_primary/digits_dataset.json"
_FILES = (_RECORD, "08_reporting/digits_sample.png", "08_reporting/digits.html", _METRICS)


def read_digits(plain: Cluster, scratch: Path) -> dict[str, Any]:
    """Run the tutorial here and on the cluster, then there on files in the container.

    Parameters
    ----------
    plain
        Where.
    scratch
        Folder of the rehearsal.

    Returns
    -------
    dict
        Accuracy, the same in both places, and that on the files.
    """
    here = scratch / "local-digits"
    expect_success(run_here(here, "--pipeline=digits"))
    local = json.loads((here / _METRICS).read_text(encoding="utf-8"))
    # It must ask for no Spark: there is none at this address.
    run = replace(plain, key="digits", changed=_NOWHERE)
    outcome = expect_success(run.run("--pipeline=digits"))
    there = _results(run, versions=1)
    if there != local:
        raise RehearsalError(f"Digits here: {local}\nDigits on the cluster: {there}")
    own = replace(run, key="own-digits")
    folder = f"{CONTAINER}/{own.key}/01_raw/mnist"
    for name, content in write_idx().items():
        own.blobs().pipe_file(f"{folder}/{name}", content)
    given = f"--params=digits_root=abfs://{folder},digits.check_hashes=false"
    expect_success(own.run("--pipeline=digits", given))
    found = _results(own, versions=2)
    record = json.loads(own.blobs().cat_file(f"{CONTAINER}/{own.key}/{_RECORD}"))
    if record["kind"] != "own" or record["train"] != _TEST_FROM:
        raise RehearsalError(f"The files in the container were not read: {record}")
    return {
        "digits_s": round(outcome.seconds),
        "digits_accuracy": there["accuracy"],
        "own_digits_accuracy": found["accuracy"],
    }


def write_idx() -> dict[str, bytes]:
    """Write scikit-learn's digits as the four files that MNIST has."""
    digits = load_digits()
    images, labels = (digits.images * 15).astype(np.uint8), digits.target.astype(np.uint8)
    files = {}
    for name, part in {"train": slice(_TEST_FROM), "t10k": slice(_TEST_FROM, None)}.items():
        files[f"{name}-images-idx3-ubyte.gz"] = _idx(images[part])
        files[f"{name}-labels-idx1-ubyte.gz"] = _idx(labels[part])
    return files


def _idx(values: NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(header + values.tobytes(), mtime=0)


def _results(run: Cluster, versions: int) -> dict[str, Any]:
    """Look for files and model in the container; return the figures."""
    blobs = run.blobs()
    lacking = [name for name in _FILES if not blobs.exists(f"{CONTAINER}/{run.key}/{name}")]
    client = mlflow.MlflowClient(f"http://{HOST}:{HISTORY_PORT}")
    models = client.search_model_versions("name='digits'")
    stored = blobs.find(f"{CONTAINER}/{ARTIFACTS_FOLDER}")
    for each in models:
        number = str(each.source).rpartition("/")[2]
        lacking += (
            [] if any(f"/{number}/artifacts/MLmodel" in name for name in stored) else [number]
        )
    if lacking or len(models) != versions:
        raise RehearsalError(f"The container lacks {lacking}; {len(models)} models are registered")
    figures: dict[str, Any] = json.loads(blobs.cat_file(f"{CONTAINER}/{run.key}/{_METRICS}"))
    return figures
