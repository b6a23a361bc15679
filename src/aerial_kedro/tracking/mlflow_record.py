"""Writing a `RunRecord` to MLflow's active run."""

from __future__ import annotations

import mlflow
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from aerial_kedro.tracking.record import ChildRun, RunRecord

_LONGEST_TAG = 5000
_LONGEST_DIGEST = 36
"""Characters; MLflow takes, or keeps, no more."""


def log_record(record: RunRecord) -> None:
    """Log a record with the active run.

    Raises
    ------
    RuntimeError
        If no run is active.
    """
    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("There is no active run in MLflow to log with.")
    mlflow.log_metrics(record.metrics)
    mlflow.set_tags({name: text[:_LONGEST_TAG] for name, text in record.tags.items()})
    for each in record.data:
        source = CodeDatasetSource(tags=each.facts)
        dataset = MetaDataset(source, name=each.name, digest=each.digest[:_LONGEST_DIGEST])  # type: ignore[abstract]
        mlflow.log_input(dataset, context="training")
    for child in record.children:
        _log_child(child, run.info.run_id, run.info.experiment_id)


def _log_child(child: ChildRun, parent: str, experiment: str) -> None:
    # By the client, so that the active run stays the one that Kedro's hook has opened.
    client = mlflow.MlflowClient()
    tags = {**child.tags, MLFLOW_PARENT_RUN_ID: parent}
    run_id = client.create_run(experiment, tags=tags, run_name=child.name).info.run_id
    for name, text in child.parameters.items():
        client.log_param(run_id, name, text)
    for name, figure in child.metrics.items():
        client.log_metric(run_id, name, figure)
    client.set_terminated(run_id)
