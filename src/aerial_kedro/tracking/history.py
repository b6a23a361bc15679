"""The run history: what MLflow keeps of every run."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import mlflow
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from aerial_kedro.tracking.facts import code_version, name_metrics, without_queries
from aerial_kedro.tracking.quiet import MlflowHook
from aerial_kedro.tracking.record import RunRecord

# What a run made for people to read, under the name that it has in the history.
_PAGES = {
    "report": "report.html",
    "digits_page": "digits.html",
    "comparison_page": "comparison.html",
}
_FIGURES = {"metrics": "metrics.json", "digits_metrics": "metrics.json"}
_AT_ONCE = 100
"""Parameters; MLflow takes no more in one request."""
_LONGEST_TAG = 5000
_LONGEST_DIGEST = 36
"""Characters; MLflow takes, or keeps, no more."""


class History(MlflowHook):
    """kedro-mlflow's hook, as far as `RunHistoryHook` hands on to it, and what that adds."""

    def __init__(self) -> None:
        super().__init__()
        self.run_id: str | None = None
        self._own_run: str | None = None  # not one that the user has opened

    def close(self) -> None:
        """End the run that the process has made before, if it is open still, as in a notebook."""
        while (active := mlflow.active_run()) and active.info.run_id == self._own_run:
            mlflow.end_run()  # once for each node that went on with it
        self.run_id = self._own_run = None

    def start(
        self,
        run_params: Mapping[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
        parameters: Mapping[str, str],
    ) -> None:
        """Start a run, if a history is kept of its pipeline.

        Parameters
        ----------
        run_params, pipeline, catalog
            As Kedro's hooks have them.
        parameters
            To log, name to value.
        """
        opened = mlflow.active_run()
        self.before_pipeline_run(without_queries(run_params), pipeline, catalog)
        active = mlflow.active_run()
        self._own_run = active.info.run_id if active and not opened else None
        if not self._is_mlflow_enabled:
            return
        mlflow.set_tags(code_version(Path(run_params["project_path"])))
        names = list(parameters)
        for start in range(0, len(names), _AT_ONCE):
            mlflow.log_params({name: parameters[name] for name in names[start : start + _AT_ONCE]})

    def add(self, records: Iterable[RunRecord]) -> None:
        """Log what a node adds, if a history is kept."""
        if self._is_mlflow_enabled:
            for record in records:
                log_record(record)

    def end(
        self,
        seconds: Mapping[str, float],
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
    ) -> None:
        """Log times, report and figures, if a history is kept; end the run.

        Parameters
        ----------
        seconds
            That each step took.
        run_params, pipeline, catalog
            As Kedro's hooks have them.
        """
        if self._is_mlflow_enabled:
            self._go_on()
            mlflow.log_metrics({f"seconds.{step}": value for step, value in seconds.items()})
            made = pipeline.all_outputs()
            # Through the catalog, since the files may be on another machine.
            for name in sorted(made & set(_PAGES)):
                mlflow.log_text(catalog.load(name), _PAGES[name])
            for name in sorted(made & set(_FIGURES)):
                mlflow.log_dict(catalog.load(name), _FIGURES[name])
        self.after_pipeline_run(run_params, pipeline, catalog)

    def fail(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
    ) -> None:
        """End the run as failed; arguments as Kedro's hooks have them."""
        if self._is_mlflow_enabled and not mlflow.active_run():
            if self.run_id is None:
                return  # it was never begun
            self._go_on()
        self.on_pipeline_error(error, run_params, pipeline, catalog)

    def _go_on(self) -> None:
        """Go on with the run in this thread: MLflow keeps the active run of each."""
        if not mlflow.active_run():
            mlflow.start_run(run_id=self.run_id, nested=self.mlflow_config.tracking.run.nested)


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
    mlflow.log_metrics(name_metrics(record.metrics))
    mlflow.set_tags({name: text[:_LONGEST_TAG] for name, text in record.tags.items()})
    for each in record.data:
        source = CodeDatasetSource(tags=each.facts)
        dataset = MetaDataset(source, name=each.name, digest=each.digest[:_LONGEST_DIGEST])  # type: ignore[abstract]
        mlflow.log_input(dataset, context="training")
    # By the client, so that the active run stays the one that Kedro's hook has opened.
    client, experiment = mlflow.MlflowClient(), run.info.experiment_id
    for child in record.children:
        tags = {**child.tags, MLFLOW_PARENT_RUN_ID: run.info.run_id}
        run_id = client.create_run(experiment, tags=tags, run_name=child.name).info.run_id
        for name, text in child.parameters.items():
            client.log_param(run_id, name, text)
        for name, figure in name_metrics(child.metrics).items():
            client.log_metric(run_id, name, figure)
        client.set_terminated(run_id)
