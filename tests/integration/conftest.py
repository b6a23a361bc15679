"""Projects to run and tiles to run them on."""

from __future__ import annotations

from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project
from kedro_project import COUNTY, PROJECT, Project
from pyspark.sql import SparkSession
from tile_images import draw_class_folders


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
def class_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tile images of four easily told classes, without split folders."""
    return draw_class_folders(tmp_path_factory.mktemp("classes"), tiles=16, seed=1)
