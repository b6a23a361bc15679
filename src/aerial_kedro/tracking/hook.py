"""The run history as Kedro's hook, which asks MLflow for nothing before a run needs it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from aerial_kedro.errors import AerialError
from aerial_kedro.tracking.facts import StepTimes, list_parameters
from aerial_kedro.tracking.history_file import prepare_history
from aerial_kedro.tracking.record import RunRecord
from aerial_kedro.tracking.server import check_server

if TYPE_CHECKING:
    from aerial_kedro.tracking.history import History

LOGGER = logging.getLogger(__name__)
# Where datasets are that ask MLflow for something.
_PLUGIN = "kedro_mlflow."
_FIGURES_OF_MLFLOW = "kedro_mlflow.io.metrics."
_IMPORTS_MLFLOW = (_PLUGIN, "aerial_kedro.datasets.served_models.")
_OF_MLFLOW = (*_IMPORTS_MLFLOW, "aerial_kedro.datasets.models.")
# Set when this process has forked, as Spark's Java is begun.
_FORKED = threading.Event()
os.register_at_fork(after_in_parent=_FORKED.set)


class RunHistoryHook:
    """kedro-mlflow's hook, which logs parameters one by one, and the code, the times, the pages.

    kedro-mlflow logs the inputs of nodes. Here those are pydantic models, which it would write as
    one text each, and parameters that only the catalog reads (`model_name`) would be missing.
    MLflow is imported and set up where something is asked of it: by a run that keeps a history or
    whose datasets are MLflow's, and by a context that was made for people, such as a notebook's.
    A run of a process that has not imported it does so while its first node waits for Spark, and
    waits for the history before the node's function is called. It begins when Java is forked off:
    a fork beside a thread that is at work may never end, since what that thread has locked stays
    locked in the child (SQLite's locks, where the child frees the thread's PROJ).
    """

    # Known by the name of kedro-mlflow's entry point, so that this is not imported beside it.
    __name__ = "mlflow_hook"

    def __init__(self) -> None:
        self._history: History | None = None
        self._context: KedroContext
        self._is_open = False
        self._starting: Future[None] | None = None
        self._of_mlflow: set[str] = set()
        self._is_kept = False
        self._times = StepTimes()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Check the run history; set MLflow up, unless a run will do that when it begins."""
        self._wait()
        if self._history:
            self._history.close()
        try:
            _check_history(context)
        except AerialError as error:
            raise click.ClickException(str(error)) from None
        self._context, self._is_open = context, False
        if not getattr(context, "history_waits", False):
            self._open()

    @hook_impl
    def after_catalog_created(  # noqa: PLR0917  (as Kedro calls it)
        self,
        catalog: DataCatalog,
        conf_catalog: dict[str, Any],
        conf_creds: dict[str, Any],
        parameters: dict[str, Any],
        save_version: str,
        load_versions: dict[str, str],
    ) -> None:
        """Have kedro-mlflow name the figures that its datasets keep, where there are any.

        It makes every dataset of the catalog for that, and so imports what each needs.
        """
        kinds = [str(each.get("type")) for each in conf_catalog.values() if isinstance(each, dict)]
        if any(kind.startswith(_FIGURES_OF_MLFLOW) for kind in kinds):
            self._open().after_catalog_created(
                catalog, conf_catalog, conf_creds, parameters, save_version, load_versions
            )

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Start the run; log parameters and the code's version."""
        self._times = StepTimes()
        found = {name: catalog.get_type(name) or "" for name in pipeline.datasets()}
        self._of_mlflow = {name for name, kind in found.items() if kind.startswith(_OF_MLFLOW)}
        kinds = set(found.values())
        is_tracked = self._is_tracked(run_params)
        self._is_kept = is_tracked or any(kind.startswith(_PLUGIN) for kind in kinds)
        if not (self._is_kept or self._of_mlflow):
            return
        parameters: dict[str, str] = {}
        if is_tracked:
            registered = [each for each in pipelines.values() if each is not None]
            parameters = list_parameters(self._context.params, pipeline, registered)

        def start() -> None:
            history = self._open()
            if self._is_kept:
                history.start(run_params, pipeline, catalog, parameters)

        # A run that someone has opened before is this thread's, processes are forked without other
        # threads, and whether outputs are missing is asked before the first node. And two threads
        # that import one package may each find the other's half of it.
        if (
            "mlflow" in sys.modules
            or any(kind.startswith(_IMPORTS_MLFLOW) for kind in kinds)
            or "ParallelRunner" in run_params.get("runner", "")
            or run_params.get("only_missing_outputs")
        ):
            start()
        else:
            self._begin(start)

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Record that a node is at work; what asks MLflow waits for it."""
        self._times.record(node)
        if dataset_name in self._of_mlflow:
            self._wait()

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog, is_async: bool) -> None:
        """Go on with the run; its parameters are logged already."""
        self._times.record(node)
        if history := self._wait():
            history.before_node_run(node, catalog, {}, is_async)

    @hook_impl
    def after_node_run(self, node: Node, outputs: dict[str, Any]) -> None:
        """Log what the node adds to the history."""
        self._times.record(node)
        if history := self._wait():
            history.add([each for each in outputs.values() if isinstance(each, RunRecord)])

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Record that a node is at work: what Spark computes, it computes while it saves."""
        self._times.record(node)

    @hook_impl
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Log times, report and figures; end the run."""
        if history := self._wait():
            history.end(self._times.by_step(), run_params, pipeline, catalog)

    @hook_impl
    def on_pipeline_error(
        self,
        error: Exception,
        run_params: dict[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
    ) -> None:
        """End the run as failed."""
        try:
            history = self._wait()
        except Exception as other:  # noqa: BLE001  (the run's own error is the one to show)
            self._starting = None
            if other is not error:
                LOGGER.warning("The run history could not be started: %s", other)
            return
        if history:
            history.fail(error, run_params, pipeline, catalog)

    def _is_tracked(self, run_params: Mapping[str, Any]) -> bool:
        names = run_params.get("pipeline_names") or ["__default__"]
        tracking = self._context.config_loader["mlflow"].get("tracking", {})
        return not set(names) <= set(tracking.get("disable_tracking", {}).get("pipelines", []))

    def _begin(self, start: Callable[[], None]) -> None:
        """Call a function in a thread, when Java is forked off or something waits for it."""
        starting = self._starting = Future[None]()

        def start_after_fork() -> None:
            _FORKED.wait()
            try:
                start()
            except BaseException as error:  # noqa: BLE001  (of whoever waits)
                starting.set_exception(error)
            else:
                starting.set_result(None)

        _FORKED.clear()
        # A daemon: a run that is interrupted before Java is forked off must be able to end.
        threading.Thread(target=start_after_fork, name="history", daemon=True).start()

    def _wait(self) -> History | None:
        """Wait for a history that is being started; None where the run keeps none."""
        if starting := self._starting:
            _FORKED.set()  # nothing was forked: Spark runs already, or this run needs none
            starting.result()
            self._starting = None
        return self._history if self._is_open and self._is_kept else None

    def _open(self) -> History:
        # MLflow takes longer to import than all else that a run needs.
        from aerial_kedro.tracking.history import History  # noqa: PLC0415

        self._history = self._history or History()
        if not self._is_open:
            self._history.after_context_created(self._context)
            self._is_open = True
        return self._history


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
