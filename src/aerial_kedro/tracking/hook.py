"""The run history: what MLflow keeps of every run."""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_mlflow.framework.hooks.mlflow_hook import MlflowHook
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from pydantic import BaseModel

from aerial_kedro import __version__
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.tracking.history_file import prepare_history
from aerial_kedro.tracking.record import RunRecord
from aerial_kedro.tracking.server import check_server

# What a run made for people to read, under the name that it has in the history.
_PAGES = {
    "report": "report.html",
    "digits_page": "digits.html",
    "comparison_page": "comparison.html",
}
_FIGURES = {"metrics": "metrics.json", "digits_metrics": "metrics.json"}
_AT_ONCE = 100
"""Parameters; MLflow takes no more in one request."""
_LONGEST = 500
"""Characters of a value; the oldest of MLflow's servers in use take no more."""
_LONGEST_TAG = 5000
_LONGEST_DIGEST = 36
"""Characters; MLflow takes, or keeps, no more."""
_UNFIT = re.compile(r"[^/\w.\- :]")


class RunHistoryHook(MlflowHook):
    """kedro-mlflow's hook, which logs parameters one by one, and the code, the times, the pages.

    kedro-mlflow logs the inputs of nodes. Here those are pydantic models, which it would write as
    one text each, and parameters that only the catalog reads (`model_name`) would be missing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started: str | None = None  # not one that the user has opened
        self._parameters: dict[str, Any] = {}
        self._times = StepTimes()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Set MLflow up; see `kedro_mlflow`."""
        # In a process that makes several runs, such as a notebook, the one before may be open.
        while (active := mlflow.active_run()) and active.info.run_id == self._started:
            mlflow.end_run()  # once for each node that went on with it
        self.run_id = self._started = None
        try:
            _check_history(context)
        except AerialError as error:
            raise click.ClickException(str(error)) from None
        super().after_context_created(context)
        self._parameters = context.params

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Start the run; log parameters and the code's version."""
        opened = mlflow.active_run()
        super().before_pipeline_run(without_queries(run_params), pipeline, catalog)
        active = mlflow.active_run()
        self._started = active.info.run_id if active and not opened else None
        self._times = StepTimes()
        if not self._is_mlflow_enabled:
            return
        mlflow.set_tags(code_version(Path(run_params["project_path"])))
        registered = [each for each in pipelines.values() if each is not None]
        values = list_parameters(self._parameters, pipeline, registered)
        names = list(values)
        for start in range(0, len(names), _AT_ONCE):
            mlflow.log_params({name: values[name] for name in names[start : start + _AT_ONCE]})

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Record that a node is at work."""
        self._times.record(node)

    @hook_impl
    def before_node_run(
        self,
        node: Node,
        catalog: DataCatalog,
        inputs: dict[str, Any],
        is_async: bool,
    ) -> None:
        """Go on with the run; its parameters are logged already."""
        self._times.record(node)
        super().before_node_run(node, catalog, {}, is_async)

    @hook_impl
    def after_node_run(self, node: Node, outputs: dict[str, Any]) -> None:
        """Log what the node adds to the history."""
        self._times.record(node)
        if self._is_mlflow_enabled:
            for record in (each for each in outputs.values() if isinstance(each, RunRecord)):
                log_record(record)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Record that a node is at work: what Spark computes, it computes while it saves."""
        self._times.record(node)

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Log times, report and figures; end the run."""
        if self._is_mlflow_enabled:
            mlflow.log_metrics({f"seconds.{k}": v for k, v in self._times.by_step().items()})
            made = pipeline.all_outputs()
            # Through the catalog, since the files may be on another machine.
            for name in sorted(made & set(_PAGES)):
                mlflow.log_text(catalog.load(name), _PAGES[name])
            for name in sorted(made & set(_FIGURES)):
                mlflow.log_dict(catalog.load(name), _FIGURES[name])
        super().after_pipeline_run(run_params, pipeline, catalog)


def _check_history(context: KedroContext) -> None:
    """Refuse a run history that cannot be used, and follow one whose data folder was moved."""
    settings = context.config_loader["mlflow"]
    server, experiment = settings["server"], settings["tracking"]["experiment"]
    address = str(server["mlflow_tracking_uri"])
    # kedro-mlflow hands both to MLflow later, when it sets that up.
    if name := server.get("credentials"):
        os.environ.update(context._get_config_credentials().get(name, {}))
    if not server.get("request_header_provider"):
        check_server(address)
    artifacts = experiment["create_experiment_kwargs"]["artifact_location"]
    prepare_history(address, experiment["name"], artifacts)


class StepTimes:
    """How long each step of a run took, with reading and writing.

    Examples
    --------
    >>> times = StepTimes()
    >>> times.by_step()
    {}
    """

    def __init__(self) -> None:
        self._spans: dict[str, tuple[str, float, float]] = {}

    def record(self, node: Node) -> None:
        """Record that a node is at work now."""
        now = time.monotonic()
        step = (node.namespace or node.name).split(".")[0]
        _, start, _ = self._spans.get(node.name, (step, now, now))
        self._spans[node.name] = (step, start, now)

    def by_step(self) -> dict[str, float]:
        """Add up the seconds of the nodes of each step (the outermost namespace)."""
        steps: dict[str, float] = {}
        for step, start, end in self._spans.values():
            steps[step] = steps.get(step, 0.0) + end - start
        return steps


def without_queries(run_params: Mapping[str, Any]) -> dict[str, Any]:
    """Take the query of every address out of what ``--params`` gave, which becomes a tag.

    Examples
    --------
    >>> without_queries({"env": "base", "runtime_params": {"scenes_root": "abfss://c?sig=abc"}})
    {'env': 'base', 'runtime_params': "{'scenes_root': 'abfss://c?…'}"}
    """
    given = run_params.get("runtime_params")
    return {**run_params, "runtime_params": redact(given) if given else None}


def list_parameters(
    parameters: Mapping[str, Any], pipeline: Pipeline, registered: list[Pipeline]
) -> dict[str, str]:
    """List the parameters of a run, each by itself.

    Parameters
    ----------
    parameters
        All parameters, nested; groups may be pydantic models, whose defaults are listed as well.
    pipeline
        What runs.
    registered
        All pipelines there are. What only nodes of others take is left out; what no node takes
        stays, since the catalog reads it.

    Returns
    -------
    dict
        ``group.name`` to value. Addresses are without their query, which may be a signature.
    """
    here = _taken(pipeline)
    elsewhere = set().union(*(_taken(each) for each in registered)) - here
    kept = {name: value for name, value in parameters.items() if name not in elsewhere}
    return {
        _UNFIT.sub("_", name): redact(value)[:_LONGEST] for name, value in _flatten(kept, prefix="")
    }


def _taken(pipeline: Pipeline) -> set[str]:
    prefix = "params:"
    return {
        name.removeprefix(prefix).split(".")[0]
        for name in pipeline.inputs()
        if name.startswith(prefix)
    }


def _flatten(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, given in values.items():
        value = given.model_dump() if isinstance(given, BaseModel) else given
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


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


def name_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Name figures as MLflow takes them: a class may be called "Wine & fruit (old)".

    Parameters
    ----------
    metrics
        Name to figure.

    Returns
    -------
    dict
        The same figures; what MLflow takes in no name is ``_``, and names that only differed
        there end in one more each.
    """
    found: dict[str, float] = {}
    for name, figure in metrics.items():
        plain = _UNFIT.sub("_", name).replace("/", "_")
        while plain in found:
            plain += "_"
        found[plain] = figure
    return found


def code_version(project: Path) -> dict[str, str]:
    """Return the package's version and, inside a checkout, the commit.

    Parameters
    ----------
    project
        The project's folder.

    Returns
    -------
    dict
        ``code.version``; ``code.commit`` and ``code.changed`` (whether tracked files differ from
        the commit) where the folder is the root of a Git checkout.
    """
    found = {"code.version": __version__}
    # A copy of the project inside some other checkout has no commit of its own.
    if _git(project, "rev-parse", "--show-prefix") != "":
        return found
    commit = _git(project, "rev-parse", "HEAD")
    if commit:
        changes = _git(project, "status", "--porcelain", "--untracked-files=no")
        found |= {"code.commit": commit, "code.changed": str(changes != "").lower()}
    return found


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
