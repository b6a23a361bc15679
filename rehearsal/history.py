"""What the run history must hold after a run on the cluster, and where."""

from __future__ import annotations

from typing import Any

import mlflow

from rehearsal.checks import RehearsalError
from rehearsal.runs import ARTIFACTS_FOLDER, CONTAINER, Cluster
from rehearsal.services import HISTORY_PORT, HOST

_EXPERIMENT = "aerial_kedro"
_FILES = ("report.html", "metrics.json")
_MODEL = ("MLmodel", "model.json", "backbone.json", "backbone.onnx", "sparkml/")


def check_history(cluster: Cluster, runs: int) -> dict[str, Any]:
    """Look for the runs in the tracking server and for their files in the container.

    Parameters
    ----------
    cluster
        Where the runs were.
    runs
        How many whole jobs have ended.

    Returns
    -------
    dict
        Files of the history in the container.
    """
    client = mlflow.MlflowClient(f"http://{HOST}:{HISTORY_PORT}")
    experiment = client.get_experiment_by_name(_EXPERIMENT)
    found = client.search_runs([experiment.experiment_id]) if experiment else []
    states = [run.info.status for run in found]
    if states.count("FINISHED") != runs:
        raise RehearsalError(f"{runs} whole jobs have ended; the run history holds {states}")
    versions = [version for each in client.search_registered_models()
                for version in client.search_model_versions(f"name='{each.name}'")]  # fmt: skip
    stored = cluster.blobs().find(f"{CONTAINER}/{ARTIFACTS_FOLDER}")
    for run in found:
        files = [name for name in stored if f"/{run.info.run_id}/" in name]
        lacking = [name for name in (*_FILES, *_MODEL) if not any(name in file for file in files)]
        if lacking:
            raise RehearsalError(f"The container lacks {lacking} of the run {run.info.run_id}")
        if run.info.run_id not in {version.run_id for version in versions}:
            raise RehearsalError(f"No registered model is of the run {run.info.run_id}")
    return {"history_runs": len(found), "history_files": len(stored)}
