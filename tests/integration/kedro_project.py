"""Kedro runs as a user makes them, in this process, with outputs in a folder of their own."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from kedro.framework.cli.utils import find_run_command
from kedro.framework.session import KedroSession
from kedro.runner import AbstractRunner

PROJECT = Path(__file__).parents[2]
PREDICTIONS = "07_model_output/predictions"

# A made-up county of a few seconds: two years, three scenes over two UTM zones, three splits.
COUNTY: dict[str, Any] = {
    "sample_county": {
        "width_m": 1568,
        "height_m": 1344,
        "west_share": 0.4,
        "scene_rows": 1,
        "scene_columns_east": 2,
        "scene_overlap_m": 120,
        "estate_size_m": [180.0, 380.0],
        "parcel_size_m": [90.0, 260.0],
        "land_cover_margin_m": 300,
    },
    "seed": 11,
    "tile_size_m": 112,
    "split": {"block_size_m": 336, "buffer_m": 112},
    "random_forest": {"num_trees": 10, "max_depth": 5},
    "logistic_regression": {"max_iter": 12},
    "image_statistics": {"max_iter": 12},
    "cells": {
        "drawn": {"max_per_class": 300, "max_evaluated": 2000},
        "classifiers": {
            "reg_params": [0.03, 0.3],
            "max_iter": 12,
            "random_forest": {"num_trees": 5, "max_depth": 5},
        },
    },
    "report": {"gallery_tiles": 2, "worst_errors": 3, "explained_errors": 2},
}
FOLDERS: dict[str, Any] = {
    name: COUNTY[name]
    for name in ("random_forest", "logistic_regression", "image_statistics", "report")
}


@dataclass(frozen=True)
class Project:
    """The project with its outputs in a folder of its own.

    Parameters
    ----------
    data
        What AERIAL_KEDRO_DATA is set to.
    parameters
        Run parameters that every run of it has.
    tracking_uri
        Of MLflow; None leaves it to the project's own configuration.
    """

    data: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tracking_uri: str | None = None

    def run(
        self,
        pipeline: str | None = None,
        *,
        to_outputs: Sequence[str] | None = None,
        runner: AbstractRunner | None = None,
        **parameters: Any,
    ) -> list[str]:
        """Run a pipeline in this process; return what the project logged."""
        lend_backbone(self.data)
        with self.environment(), _ended_mlflow_runs(), _messages() as said:
            given = {**self.parameters, **parameters}
            with KedroSession.create(PROJECT, env="base", runtime_params=given) as session:
                names = [pipeline] if pipeline else None
                session.run(pipeline_names=names, to_outputs=to_outputs, runner=runner)
        _borrow_backbone(self.data)
        return said

    def refusal(self, *arguments: str, env: str = "base") -> str:
        """Run ``kedro run`` with arguments that it must refuse; return the message shown.

        The user sees one message: no traceback, neither of Python nor of Spark, printed or logged.
        """
        with (
            self.environment(),
            _ended_mlflow_runs(),
            contextlib.chdir(PROJECT),
            _messages(logger=None) as logged,
        ):
            command = find_run_command("aerial_kedro")
            result = CliRunner().invoke(command, [f"--env={env}", *arguments])
        assert isinstance(result.exception, SystemExit), f"not a message: {result.exception!r}"
        assert result.exit_code == 1, result.output
        assert result.output.count("Error: ") == 1, result.output
        for text in [result.output, *logged]:
            assert "Traceback" not in text, text
        return result.output.split("Error: ", 1)[1].strip()

    @contextlib.contextmanager
    def environment(self) -> Iterator[None]:
        """Set the environment variables that the configuration reads."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.variables().items():
                patch.setenv(name, value)
            if self.tracking_uri is None:
                patch.delenv("MLFLOW_TRACKING_URI", raising=False)
            patch.delenv("KEDRO_ENV", raising=False)
            yield

    def variables(self) -> dict[str, str]:
        uri = {"MLFLOW_TRACKING_URI": self.tracking_uri} if self.tracking_uri else {}
        return {"AERIAL_KEDRO_DATA": str(self.data), **uri}

    def table(self, name: str) -> pd.DataFrame:
        """Read a Parquet folder below the data folder, without Spark."""
        return pq.read_table(self.data / name).to_pandas()

    def features(self) -> pd.DataFrame:
        """Read all features with their key, without Spark."""
        return self.table("04_feature/tile_features").astype({"feature_key": str})

    def feature_files(self) -> dict[Path, tuple[int, int]]:
        """List the part files of the features: path to when they were written and how long."""
        folder = self.data / "04_feature" / "tile_features"
        return {
            path: (path.stat().st_mtime_ns, path.stat().st_size)
            for path in folder.glob("feature_key=*/*.parquet")
        }

    def json(self, name: str) -> Any:
        return json.loads((self.data / name).read_text(encoding="utf-8"))


def predictions_of(project: Project) -> pd.DataFrame:
    found = project.table(PREDICTIONS)
    chances = found["probabilities"].map(lambda pairs: sorted(dict(pairs).items()))
    return found.assign(probabilities=chances).sort_values("image_id", ignore_index=True)


def copy_of(project: Project, folder: Path) -> Project:
    """Copy what a project has made, apart from its run history, which both then share."""
    shutil.copytree(
        project.data,
        folder / "data",
        ignore=shutil.ignore_patterns("mlflow", "01_raw"),
    )
    uri = f"sqlite:///{project.data / 'mlflow' / 'mlflow.db'}"
    return replace(project, data=folder / "data", tracking_uri=uri)


def assert_errors_are_explained(project: Project) -> None:
    """The report explains as many of the wrong test tiles as it was asked for."""
    found = project.table("07_model_output/test_predictions")
    wrong = int((found["label"] != found["pred_label"]).sum())
    html = (project.data / "08_reporting/report.html").read_text(encoding="utf-8")
    shown = min(wrong, project.parameters["report"].get("explained_errors", 6))
    assert html.count("The same tile, with what spoke for") == shown
    assert html.count("<figcaption>Training: ") == 3 * shown


_EXPORTED = ("backbone.onnx", "backbone.json")
_lent: list[Path] = []


def _borrow_backbone(data: Path) -> None:
    """Remember the first backbone that is exported here."""
    if not _lent and (data / "06_models" / _EXPORTED[-1]).exists():
        _lent.append(data / "06_models")


def lend_backbone(data: Path) -> None:
    """Leave a new project that backbone, which its run takes if it is what it would export."""
    models = data / "06_models"
    if _lent and not models.exists():
        models.mkdir(parents=True)
        for name in _EXPORTED:
            shutil.copy(_lent[0] / name, models / name)


@contextlib.contextmanager
def _messages(logger: str | None = "aerial_kedro") -> Iterator[list[str]]:
    """Collect what is logged by a logger and those below it."""
    said: list[str] = []
    handler = logging.Handler()
    formatter = logging.Formatter("%(message)s")
    handler.emit = lambda record: said.append(formatter.format(record))  # type: ignore[method-assign]
    logging.getLogger(logger).addHandler(handler)
    try:
        yield said
    finally:
        logging.getLogger(logger).removeHandler(handler)


@contextlib.contextmanager
def _ended_mlflow_runs() -> Iterator[None]:
    """Leave no run of MLflow open behind a Kedro run, as the end of a process does."""
    try:
        yield
    finally:
        while mlflow.active_run():
            mlflow.end_run()
