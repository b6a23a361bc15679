"""What a run says: each step once, with its time, and a live bar; at the end what it made."""

import atexit
import contextlib
import logging
import os
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TextIO

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from aerial_kedro.datasets.progress import shown_live
from aerial_kedro.imagery.redaction import redact

LOGGER = logging.getLogger(__name__)
# They log every request, every gateway call, every step of a migration. Kedro is quiet by
# `conf/logging.yml` already, which a packaged run does not have.
_QUIET = (
    "kedro",
    "py4j",
    "azure",
    "alembic",
    "mlflow",
    "kedro_mlflow",
    "matplotlib",
    "rasterio",
    "fsspec",
)
# The results a user looks for, by the names of their datasets.
_RESULTS = (
    ("Report", ("report", "digits_page", "comparison_page", "explained_page")),
    ("Page", ("label_page", "reference_page")),
    ("Map", ("maps", "embeddings")),
    ("Sample", ("reference_sample_csv",)),
    ("Tables", ("mapped_tiles", "predictions_csv")),
    ("Model", ("trained_model",)),
)
_SCORE_SCENES = "kedro run --pipeline=score_scenes --params=scenes_root=DIR,model_name={model}"
_SCORE_FOLDER = "kedro run --pipeline=score_folder --params=score_root=DIR,model_name={model}"
# What to do next: the first command whose datasets were all made.
_NEXT = (
    ({"trained_model", "report", "maps"}, _SCORE_SCENES),
    ({"trained_model", "report"}, _SCORE_FOLDER),
    ({"trained_model"}, "kedro run --pipeline=scoring"),
    ({"left_out_accuracy", "report"}, "kedro run --pipeline=reference_sample"),
    ({"label_page"}, "label the cells on that page, then: kedro run --params=labels_path=FILE"),
    ({"reference_page"}, "kedro run --pipeline=assess --params=reference_labels=FILE"),
    ({"report"}, "kedro run --pipeline=explain --params=explain.tiles=A/B"),
    ({"test_predictions"}, "kedro run --pipeline=reporting"),
    ({"predictions"}, "kedro viz run"),
    ({"tile_features"}, "kedro run --pipeline=training"),
    ({"tile_catalog"}, "kedro run --pipeline=featurization"),
    ({"sample_scenes"}, "kedro run"),
    ({"digits_page"}, "kedro mlflow ui"),
    ({"comparison_page"}, "kedro mlflow ui"),
)


class ConsoleHook:
    """Log each step when it is done, show a progress bar in a terminal, end with the results.

    It takes the place of Kedro's own lines, which `conf/logging.yml` leaves out.
    """

    def __init__(self) -> None:
        self._bar = ProgressBar()
        self._started: dict[str, float] = {}
        self._unsaved: dict[str, set[str]] = {}
        self._made: dict[str, list[str]] = {}

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Keep libraries that log every call to their warnings."""
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline) -> None:
        """Show the progress bar, when all that refuses a run has let it pass."""
        self._started, self._unsaved, self._made = {}, {}, {}
        # Steps in processes of their own are not seen here, and forked ones would hold its locks.
        if "ParallelRunner" not in run_params.get("runner", ""):
            self._bar.open(len(pipeline.nodes))

    @hook_impl
    def before_dataset_loaded(self, node: Node) -> None:
        """Take the time: a step begins with its first input, or without inputs when it runs."""
        if node.name not in self._started:
            self._started[node.name] = time.monotonic()
            self._unsaved[node.name] = set(node.outputs)
            self._bar.begin(describe_step(node.name))

    before_node_run = before_dataset_loaded

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """End a step that saves nothing."""
        self._end_if_saved(node)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """End a step with its last output: what Spark computes, it computes while it saves."""
        # A folder of files is saved from a mapping of names.
        self._made[dataset_name] = sorted(map(str, data)) if isinstance(data, Mapping) else []
        if node.name in self._unsaved:
            self._unsaved[node.name].discard(dataset_name)
            self._end_if_saved(node)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self) -> None:
        """Remove the bar before the error is shown."""
        self._bar.close()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Log where the results are, and what to do next."""
        self._bar.close()
        if run_params.get("only_missing_outputs") and not self._made:
            LOGGER.info("Nothing was made: every output is there already.")
        for line in describe_results(self._made, catalog):
            LOGGER.info("%s", line)

    def _end_if_saved(self, node: Node) -> None:
        if not self._unsaved[node.name]:
            del self._unsaved[node.name]
            seconds = time.monotonic() - self._started[node.name]
            LOGGER.info("%-50s%7.1f s", describe_step(node.name), seconds)
            self._bar.finish()


def describe_step(node_name: str) -> str:
    """Name a step in words: the groups that it is in, and what it does.

    Parameters
    ----------
    node_name
        Name of the node behind its namespaces, with dots between.

    Examples
    --------
    >>> describe_step("data_ingestion.label_tiles")
    'Data ingestion: label tiles'
    >>> describe_step("training.final_test.summarise_training")
    'Training, final test: summarise training'

    A verb alone has its group for its object:

    >>> describe_step("training.logistic_regression.fit")
    'Training: fit logistic regression'
    """
    *groups, name = node_name.replace("_", " ").split(".")
    if len(groups) > 1 and " " not in name:
        name = f"{name} {groups.pop()}"
    words = f"{', '.join(groups)}: {name}" if groups else name
    return words[:1].upper() + words[1:]


class ProgressBar:
    """Lines at the foot of a terminal while a run is at work; nothing where there is no terminal.

    One for the steps, one for the step at work, one for what that reports of its progress.
    Log lines appear above it, since the handlers that write to the terminal are led through it.
    """

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._progress: Progress | None = None
        self._all = self._at_work = self._inside = TaskID(0)
        # An interrupted run ends without a hook; a terminal needs its cursor back.
        atexit.register(self.close)

    def open(self, steps: int) -> None:
        """Show the bar, if standard error is a terminal.

        Parameters
        ----------
        steps
            Number of steps of the run.
        """
        self.close()
        if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            return
        self._progress = Progress(
            BarColumn(bar_width=14),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
            TextColumn("{task.description}"),
            console=Console(file=sys.stderr),
            transient=True,
            refresh_per_second=4,
        )
        self._all = self._progress.add_task(f"0 of {steps} steps", total=steps)
        self._at_work = self._progress.add_task("", total=None, visible=False)
        self._inside = self._progress.add_task("", total=1.0, visible=False)
        terminal = sys.stderr
        self._open.enter_context(self._progress)  # puts a writer in the place of sys.stderr
        _lead_handlers(terminal, sys.stderr)
        self._open.callback(_lead_handlers, sys.stderr, terminal)
        self._open.enter_context(shown_live(self.show))

    def begin(self, step: str) -> None:
        """Show which step is at work."""
        if self._progress:
            self._progress.reset(self._at_work, description=step, visible=True)
            self._progress.reset(self._inside, visible=False)

    def show(self, words: str, share: float) -> None:
        """Show how far the step at work is: in words, and the share that is done (0-1)."""
        if self._progress:
            self._progress.update(self._inside, completed=share, description=words, visible=True)

    def finish(self) -> None:
        """Count a step as done."""
        if self._progress:
            self._progress.advance(self._all)
            task = self._progress.tasks[self._all]
            words = f"{task.completed:.0f} of {task.total:.0f} steps"
            self._progress.update(self._all, description=words)

    def close(self) -> None:
        """Remove the bar, if there is one; log lines go straight to the terminal again."""
        self._open.close()
        self._progress = None


def _lead_handlers(old: TextIO, new: TextIO) -> None:
    """Have the log handlers that write to one stream write to another."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is old:
            handler.setStream(new)


def describe_results(made: Mapping[str, Collection[str]], catalog: DataCatalog) -> list[str]:
    """Say where the results of a run are, one line each, and the command that goes on from there.

    Parameters
    ----------
    made
        Names of the datasets that the run has saved, to the names of the files in each; none for a
        dataset that is one file.
    catalog
        Catalog of the run.

    Returns
    -------
    list of str
        At most five lines; none for a run that made no such result.
    """
    lines = []
    for label, names in _RESULTS:
        # Without tiles that have a place there is no map to name.
        there = [name for name in names if name in made and (name != "maps" or made[name])]
        places = [_place(name, made[name], catalog) for name in there]
        if places:
            lines.append(f"{label + ':':<8}{', '.join(places)}")
    for needed, command in _NEXT:
        if needed <= set(made):
            model = _model_name(catalog) if "trained_model" in needed else ""
            lines.append(f"{'Next:':<8}{command.format(model=model)}")
            break
    return lines


def _place(name: str, files: Collection[str], catalog: DataCatalog) -> str:
    """Say where a dataset is: an absolute path, or its address as the configuration gives it."""
    dataset = catalog.get(name)
    # Kedro takes parts of addresses in blob storage out of its own datasets' paths.
    given = dataset._init_args  # type: ignore[union-attr]
    given = {**given, **given.get("options", {})}
    address = str(given.get("filepath") or given["path"])
    if "://" not in address:
        address = str(Path(address).absolute())
    if name == "trained_model":
        return f"{redact(address)}/{_model_name(catalog)}"
    if name == "maps":
        first, *others = [f"{file}.tif" for file in files]
        return ", ".join([f"{redact(address)}/{first}", *others])
    return redact(address)


def _model_name(catalog: DataCatalog) -> str:
    """Look up the name under which the run has stored its model."""
    return str(catalog.get("trained_model").find())  # type: ignore[union-attr]
