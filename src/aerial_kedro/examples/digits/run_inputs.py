"""The data that a run used, in the run history."""

from __future__ import annotations

from typing import Any

import mlflow
from kedro.io import AbstractDataset
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset

from aerial_kedro.examples.digits.data import DatasetRecord

_LONGEST_DIGEST = 36
"""Characters; MLflow keeps no more."""


class RunInputDataset(AbstractDataset[DatasetRecord, None]):
    """Lists a dataset among the inputs of MLflow's active run.

    Runs that used the same data show the same name and digest, wherever the files lay.

    Parameters
    ----------
    context
        What it was used for.
    metadata
        For other tools; not read here.
    """

    def __init__(self, *, context: str, metadata: dict[str, Any] | None = None) -> None:
        self._context = context
        self.metadata = metadata
        # kedro-mlflow turns this off in runs of pipelines that are not to be tracked.
        self._logging_activated = True

    def save(self, data: DatasetRecord) -> None:
        """Add the dataset to the run's inputs; without a run there is nothing to add to."""
        if not self._logging_activated or mlflow.active_run() is None:
            return
        source = CodeDatasetSource(
            tags={"source": data.source, "description": data.description, "licence": data.licence}
        )
        dataset = MetaDataset(source, name=data.name, digest=data.version[:_LONGEST_DIGEST])  # type: ignore[abstract]
        mlflow.log_input(dataset, context=self._context)

    def load(self) -> None:
        """Refuse: the run history is asked with MLflow."""
        raise NotImplementedError("Inputs of a run are listed for MLflow, never read from it.")

    def _describe(self) -> dict[str, Any]:
        return {"context": self._context}
