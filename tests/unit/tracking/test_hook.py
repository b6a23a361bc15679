"""Which parameters the run history is told, and how time is counted."""

import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from types import SimpleNamespace

import mlflow
import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from mlflow.utils.validation import _validate_metric_name
from pydantic import BaseModel

from aerial_kedro import __version__, datasets
from aerial_kedro.tracking.facts import StepTimes, code_version, list_parameters, name_metrics
from aerial_kedro.tracking.history import History
from aerial_kedro.tracking.hook import _OF_MLFLOW, RunHistoryHook


class Forest(BaseModel):
    trees: int
    depth: int = 5


def takes(name: str, *inputs: str) -> Pipeline:
    return Pipeline([Node(lambda *_: 0, list(inputs), name, name=name)])


MINE = takes("mine", "params:forest", "params:split.test")
OTHERS = takes("others", "params:digits", "params:forest")


def test_groups_are_told_value_by_value_with_their_defaults() -> None:
    found = list_parameters({"forest": Forest(trees=9), "split": {"test": 0.2}}, MINE, [OTHERS])
    assert found == {"forest.trees": "9", "forest.depth": "5", "split.test": "0.2"}


def test_what_only_other_pipelines_take_is_left_out_and_the_catalogs_is_not() -> None:
    found = list_parameters({"digits": {"seed": 1}, "model_name": None}, MINE, [MINE, OTHERS])
    assert found == {"model_name": "None"}


def test_signatures_are_not_written_down() -> None:
    given = {"scenes_root": "https://host/a.tif?sig=secret"}
    assert "secret" not in str(list_parameters(given, MINE, []))


def test_names_and_lengths_are_those_that_mlflow_takes() -> None:
    (name, text), *_ = list_parameters({"codes": {"Bare <b>": "x" * 600}}, MINE, []).items()
    assert name == "codes.Bare _b_"
    assert len(text) == 500


def test_figures_of_a_class_of_any_name_are_logged() -> None:
    names = [
        "a.test.3+ trees.f1",
        "a.test.3* trees.f1",
        "a.Öl & Wein/Obst",
        "a/../<b>",
        "a.Many trees",
    ]
    found = name_metrics(dict.fromkeys(names, 0.5))
    assert list(found)[-1] == "a.Many trees"
    assert len(found) == len(names)
    for name in found:
        _validate_metric_name(name)


def test_times_are_added_up_by_the_outermost_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.0, 12.0, 13.0, 20.0, 24.0])
    monkeypatch.setattr("aerial_kedro.tracking.facts.time.monotonic", lambda: next(clock))
    first, second = (
        Pipeline([Node(lambda: 0, None, name, name=name)], namespace=space).nodes[0]
        for name, space in (("fit", "training.forest"), ("select", "training"))
    )
    times = StepTimes()
    for node in (first, first, first, second, second):
        times.record(node)
    assert times.by_step() == {"training": 7.0}


def test_a_folder_that_is_no_checkout_has_a_version_only(tmp_path: Path) -> None:
    assert code_version(tmp_path) == {"code.version": __version__}


def test_what_asks_mlflow_is_known_by_its_module() -> None:
    """A run has MLflow set up before such a dataset is loaded."""
    folder = Path(datasets.__file__).parent
    asks = {path.stem for path in folder.glob("*.py") if "import mlflow" in path.read_text("utf-8")}
    helpers = {"registry"}  # of the models' dataset
    known = {name.removeprefix("aerial_kedro.datasets.").rstrip(".") for name in _OF_MLFLOW}
    assert asks - helpers == known - {"kedro_mlflow"}


def test_every_thread_waits_for_a_history_that_is_being_started() -> None:
    hook, started, asked = RunHistoryHook(), Future[None](), Barrier(4)
    hook._starting = started
    done = []

    def wait() -> None:
        asked.wait()
        hook._wait()
        done.append(started.done())

    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(wait) for _ in range(3)]
        asked.wait()
        time.sleep(0.2)  # time to pass by
        started.set_result(None)
        for each in waiting:
            each.result()
    assert done == [True, True, True]


def test_a_history_is_not_begun_beside_a_fork() -> None:
    """It would lock what the child, which is Java to be, may need."""
    hook, begun = RunHistoryHook(), Event()
    hook._begin(begun.set)
    assert not begun.wait(0.3)
    subprocess.run(["true"], check=True)  # such a child runs no code of Python's: no fork to fear
    assert not begun.wait(0.3)
    subprocess.run(["true"], check=True, preexec_fn=lambda: None)
    assert begun.wait(10)


def test_a_history_is_begun_where_something_waits_for_it_and_nothing_forks() -> None:
    hook, begun = RunHistoryHook(), Event()
    hook._begin(begun.set)
    hook._wait()
    assert begun.is_set()


def test_a_run_ends_in_its_history_whichever_thread_has_begun_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow keeps the active run of each thread, and begins another where there is none."""
    before = mlflow.get_tracking_uri()
    # A run of this process has chosen an experiment before, which is of its own history.
    monkeypatch.setattr(mlflow.tracking.fluent, "_active_experiment_id", None)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    try:
        with ThreadPoolExecutor(1) as pool:
            begun = pool.submit(mlflow.start_run).result().info
        history = History()
        history.run_id, history._is_mlflow_enabled = begun.run_id, True
        history.mlflow_config = SimpleNamespace(
            tracking=SimpleNamespace(run=SimpleNamespace(nested=True))
        )
        monkeypatch.setattr(History, "after_pipeline_run", lambda *_: mlflow.end_run())
        history.end({"training": 2.0}, {}, Pipeline([]), DataCatalog())
        (run,) = mlflow.MlflowClient().search_runs([begun.experiment_id])
    finally:
        mlflow.set_tracking_uri(before)
    assert run.info.run_id == begun.run_id
    assert run.data.metrics == {"seconds.training": 2.0}
    assert run.info.status == "FINISHED"


def test_a_run_that_is_interrupted_before_its_history_is_begun_can_end() -> None:
    begun = "from aerial_kedro.tracking.hook import RunHistoryHook; RunHistoryHook()._begin(print)"
    subprocess.run([sys.executable, "-c", begun], check=True, timeout=60)


def test_what_fails_in_the_history_s_thread_is_told_to_whoever_waits() -> None:
    def fail() -> None:
        raise OSError("no history")

    hook = RunHistoryHook()
    hook._begin(fail)
    with pytest.raises(OSError, match="no history"):
        hook._wait()
