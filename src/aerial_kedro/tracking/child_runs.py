"""Several models of one run as runs of their own in the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlflow
from kedro.io import AbstractDataset
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from aerial_kedro.tracking.child_run import ChildRun


class ChildRunsDataset(AbstractDataset[Sequence[ChildRun], None]):
    """Logs runs below MLflow's active run, which shows them as a group.

    Parameters
    ----------
    metadata
        For other tools; not read here.
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def save(self, data: Sequence[ChildRun]) -> None:
        """Log the runs; without an active run there is nothing to log them below."""
        parent = mlflow.active_run()
        if parent is None:
            return
        client, experiment = mlflow.MlflowClient(), parent.info.experiment_id
        for each in data:
            # By the client, so that the active run stays the one that Kedro's hook has opened.
            tags = {**each.tags, MLFLOW_PARENT_RUN_ID: parent.info.run_id}
            run_id = client.create_run(experiment, tags=tags, run_name=each.name).info.run_id
            for name, text in each.parameters.items():
                client.log_param(run_id, name, text)
            for name, figure in each.figures.items():
                client.log_metric(run_id, name, figure)
            client.set_terminated(run_id)

    def load(self) -> None:
        """Refuse: the run history is asked with MLflow."""
        raise NotImplementedError("Runs are logged for MLflow, never read from it.")

    def _describe(self) -> dict[str, Any]:
        return {}
