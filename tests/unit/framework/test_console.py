"""A run logs each of its steps once, when it is done, and ends with its results."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner

from aerial_kedro.framework.console import ConsoleHook, ProgressBar

STEP = re.compile(r"(.+?) +\d+\.\d s")


def run(
    pipeline: Pipeline,
    caplog: pytest.LogCaptureFixture,
    runner: SequentialRunner | ThreadRunner,
    *,
    only_missing: bool = False,
    **entries: Any,
) -> list[str]:
    """Run a pipeline under the hook; return what it logged."""
    caplog.set_level(logging.INFO, logger="aerial_kedro")
    hooks = _create_hook_manager()
    hooks.register(ConsoleHook())
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in entries.items()})
    given = {"runner": str(runner), "only_missing_outputs": only_missing}
    arguments: dict[str, Any] = {"run_params": given, "pipeline": pipeline, "catalog": catalog}
    hooks.hook.before_pipeline_run(**arguments)
    try:
        runner.run(pipeline, catalog, hooks)
    except ZeroDivisionError as error:
        hooks.hook.on_pipeline_error(error=error, **arguments)
        raise
    hooks.hook.after_pipeline_run(run_result={}, **arguments)
    return [
        each.getMessage() for each in caplog.records if each.name.startswith("aerial_kedro.framew")
    ]


@pytest.mark.parametrize("runner", [SequentialRunner(), ThreadRunner()])
def test_each_step_is_logged_once(
    caplog: pytest.LogCaptureFixture, runner: SequentialRunner | ThreadRunner
) -> None:
    """With several outputs, with none, and without a group."""
    pipeline = Pipeline(
        [
            Node(lambda: (1, 2), None, ["one", "two"], name="training.make_both"),
            Node(lambda _: None, "one", None, name="training.forest.look"),
            Node(lambda two: two, "two", "three", name="copy"),
        ]
    )
    said = run(pipeline, caplog, runner)
    steps = [found[1] for line in said if (found := STEP.fullmatch(line))]
    assert sorted(steps) == ["Copy", "Training: look forest", "Training: make both"]
    assert len(said) == len(steps)


def test_a_step_that_fails_is_not_logged_as_done(caplog: pytest.LogCaptureFixture) -> None:
    pipeline = Pipeline(
        [
            Node(lambda x: x, "given", "copied", name="copy"),
            Node(lambda x: x / 0, "copied", "impossible", name="divide"),
        ]
    )
    with pytest.raises(ZeroDivisionError):
        run(pipeline, caplog, SequentialRunner(), given=1)
    steps = [each.getMessage() for each in caplog.records if STEP.fullmatch(each.getMessage())]
    assert [line.split("  ")[0] for line in steps] == ["Copy"]


def test_time_includes_what_is_computed_while_saving(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 112.34])
    monkeypatch.setattr("aerial_kedro.framework.console.time.monotonic", lambda: next(clock))
    (line,) = run(
        Pipeline([Node(lambda x: x, "given", "copied", name="training.forest.fit")]),
        caplog,
        SequentialRunner(),
        given=1,
    )
    assert line == f"{'Training: fit forest':<50}   12.3 s"


def test_a_run_with_nothing_to_do_says_so(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = run(Pipeline([]), caplog, SequentialRunner(), only_missing=True)
    assert line == "Nothing was made: every output is there already."


def test_steps_in_processes_of_their_own_have_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    monkeypatch.setattr(ProgressBar, "open", lambda _self, steps: opened.append(steps))
    hook, pipeline = ConsoleHook(), Pipeline([])
    hook.before_pipeline_run({"runner": str(ParallelRunner())}, pipeline)
    assert opened == []
    hook.before_pipeline_run({"runner": str(SequentialRunner())}, pipeline)
    assert opened == [0]


@pytest.mark.parametrize("name", ["azure", "mlflow"])
def test_libraries_that_log_every_call_are_kept_to_their_warnings(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where MLflow was imported first, which sets its logger up by its own rules."""
    monkeypatch.setattr(logging.getLogger(name), "level", logging.INFO)
    ConsoleHook().after_context_created(context=None)  # type: ignore[arg-type]
    assert logging.getLogger(name).level == logging.WARNING
