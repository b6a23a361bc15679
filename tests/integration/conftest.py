"""Projects to run and tiles to run them on."""

from __future__ import annotations

from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project
from pyspark.sql import SparkSession

from tests.integration.kedro_project import COUNTY, FOLDERS, PROJECT, Project
from tests.integration.tile_images import ODD_NAME, draw_class_folders


@pytest.fixture(scope="session")
def _kedro(spark_session: SparkSession) -> None:
    bootstrap_project(PROJECT)


@pytest.fixture(scope="session")
def tracking_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One run history for all projects that do not test their own: making one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def project(_kedro: None, tmp_path: Path, tracking_uri: str) -> Project:
    """An empty project."""
    return Project(tmp_path / "data", tracking_uri=tracking_uri)


@pytest.fixture(scope="session")
def county(_kedro: None, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The main job, run on a tiny made-up county: ``kedro run``."""
    project = Project(tmp_path_factory.mktemp("county"), COUNTY)
    project.run("sample_data")
    project.run()
    return project


@pytest.fixture(scope="session")
def divided(_kedro: None, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """``train/<Class>/*.jpg`` and ``test/<Class>/*.jpg``: a forest called `forest` is asked for.

    One class has a name that would be markup in a page.
    """
    root = tmp_path_factory.mktemp("divided")
    for split, tiles, seed in (("train", 12, 8), ("test", 3, 9)):
        draw_class_folders(root / split, tiles=tiles, seed=seed, suffix=".jpg")
        (root / split / "Plain").rename(root / split / ODD_NAME)
    parameters = {
        **FOLDERS,
        "folders_root": str(root),
        "classifier": "random_forest",
    }
    project = Project(tmp_path_factory.mktemp("divided_data"), parameters)
    project.run("from_folders", model_name="forest")
    return project
