"""The benchmarks themselves: each can be imported, and prints every figure that the table asks for.

What takes time is replaced by something that takes none; how each puts its line of JSON together,
and the options that `make bench-all` gives it, are its own.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from benchmarks import county, engines, featurization, results, start, suite, training
from benchmarks.processes import PROJECT, run_watched
from benchmarks.results import find, read_results

MODULES = sorted(path.stem for path in (PROJECT / "benchmarks").glob("[a-z]*.py"))
BY_REQUEST = {"over SynapseML, int8"}  # measured with `--synapseml` only
Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_can_be_imported(name: str) -> None:
    importlib.import_module(f"benchmarks.{name}")


def test_every_command_of_the_makefile_names_a_benchmark_that_has_one() -> None:
    words = (PROJECT / "Makefile").read_text(encoding="utf-8").split()
    named = {word.removeprefix("benchmarks.") for word in words if word.startswith("benchmarks.")}
    assert named >= {"suite", "scale", "cost"}
    for name in named:
        assert callable(importlib.import_module(f"benchmarks.{name}").main)


def test_the_latest_result_holds_every_figure_but_those_by_request() -> None:
    found = read_results()[-1]["found"]
    missing = {each.name for each in results.FIGURES if find(each, found) is None}
    assert missing <= BY_REQUEST


def print_start(patch: Patch, _: Path) -> None:
    patch.setattr(start, "kedro", lambda *_: 1.0)
    patch.setattr(start, "first_node", lambda *_: 1.0)
    patch.setattr(start.pq, "read_table", lambda *_, **__: pa.table({"image_id": ["a", "b"]}))


def print_featurization(patch: Patch, folder: Path) -> None:
    def prepare(
        _: Path, source: str, precisions: list[str], tiles: int, __: str
    ) -> list[featurization.Case]:
        work = featurization.Work(b"", "", 224, [{"href": "a"}] * tiles)
        of_files = folder if source in featurization.FORMATS else None
        return [featurization.Case(source, each, of_files, {}, work, folder) for each in precisions]

    (folder / "06_models").mkdir()
    (folder / "06_models/backbone.onnx").touch()
    patch.setattr(featurization, "prepare", prepare)
    patch.setattr(featurization, "run_nodes", lambda *_, **__: 1.0)
    patch.setattr(featurization, "write_tiles", lambda *_, **__: [])
    patch.setattr(featurization.Case, "run", lambda _: (3.0, 1.0))
    for name in ("on_all_cores", "run_torch_loader", "run_image_featurizer"):
        patch.setattr(featurization, name, lambda *_: 1.0)
    patch.setattr(featurization, "start_spark", lambda _: None)
    quiet(patch, featurization)


def print_engines(patch: Patch, _: Path) -> None:
    network = SimpleNamespace(network_for=lambda _: b"")
    each = dict.fromkeys(("fp32", "int8", "bf16"), network)
    opened = SimpleNamespace(run_all=None, batch=1)
    patch.setattr(engines, "draw_tiles", lambda _: np.zeros(1))
    patch.setattr(engines, "make_networks", lambda *_: each)
    patch.setattr(engines, "open_engine", lambda *_: opened)
    patch.setattr(engines, "take_turns", lambda runs, *_: {name: [1.0] for name in runs})


def print_training(patch: Patch, folder: Path) -> None:
    params: dict[str, Any] = {}
    for path in (PROJECT / "conf/base").rglob("parameters.yml"):
        params |= yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    rows = SimpleNamespace(
        limit=lambda _: None, select=lambda _: SimpleNamespace(first=lambda: {"features": [0.0]})
    )
    context = SimpleNamespace(params=params, catalog=SimpleNamespace(load=lambda _: rows))
    session = SimpleNamespace(load_context=lambda: context)
    patch.setattr(training.KedroSession, "create", lambda *_, **__: OpenSession(session))
    patch.setattr(training, "fit_model", lambda *_: None)
    patch.setattr(training, "write_features", lambda *_: None)
    quiet(patch, training)

    def watched(_: str, flag: str, grain: str, *, data: str) -> dict[str, float]:
        assert flag == "--measure"
        return watch(patch, folder, training.fit_all(grain), data)

    patch.setattr(training, "run_watched", watched)


def print_county(patch: Patch, folder: Path) -> None:
    patch.setattr(county, "run_pipelines", lambda *_, **__: 1.0)
    patch.setattr(county, "enlarge", lambda _, tiles: tiles)
    quiet(patch, county)

    def watched(_: str, *options: str, data: str) -> dict[str, float]:
        printed: list[str] = []
        with patch.context() as here:
            here.setattr("builtins.print", printed.append)
            here.setattr(sys, "argv", ["county", *options])
            here.setenv("AERIAL_KEDRO_DATA", data)
            county.main()
        return watch(patch, folder, json.loads(printed[-1]), data)

    patch.setattr(county, "run_watched", watched)


class OpenSession:
    """A session that does nothing."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __enter__(self) -> Any:
        return self._session

    def __exit__(self, *_: object) -> None:
        pass


def quiet(patch: Patch, module: Any) -> None:
    """Let a benchmark neither set Kedro up nor end the tests' own Spark session."""
    patch.setattr(module, "bootstrap_project", lambda _: None)
    patch.setattr(module.spark, "session", lambda: SimpleNamespace(stop=lambda: None))


def watch(patch: Patch, folder: Path, found: dict[str, float], data: str) -> dict[str, float]:
    """Let a process of its own print what was found, and watch its memory as benchmarks do."""
    (folder / "small_benchmark.py").write_text(f"print({json.dumps(json.dumps(found))})")
    patch.setenv("PYTHONPATH", str(folder))
    return run_watched("small_benchmark", data=data)


PRINTERS: dict[str, Callable[[Patch, Path], None]] = {
    "start": print_start,
    "featurization": print_featurization,
    "engines": print_engines,
    "training": print_training,
    "county": print_county,
}


def test_benchmarks_print_every_figure_of_the_table(
    tmp_path: Path, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for name, (module, *options) in suite.COMMANDS.items():
        if name == "featurization":
            options += ["--synapseml"]
        folder = tmp_path / name
        folder.mkdir()
        with monkeypatch.context() as patch:
            patch.setenv("AERIAL_KEDRO_DATA", str(folder))  # which benchmarks change
            patch.setattr(sys, "argv", [name, *options])
            PRINTERS[name](patch, folder)
            importlib.import_module(module).main()
        found[name] = json.loads(capsys.readouterr().out.strip().rsplit("\n", 1)[-1])
    suite.add_network(found)
    assert [each.name for each in results.FIGURES if find(each, found) is None] == []
