"""A run history goes with its data folder; one that cannot be used is refused in words."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import alembic.command
import mlflow
import pytest
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase
from sqlalchemy import create_engine

from aerial_kedro.errors import AerialError
from aerial_kedro.tracking.history_file import history_path, prepare_history, sqlite_address


def address_of(root: Path) -> str:
    return sqlite_address(str(root / "mlflow" / "mlflow.db"))


def prepare(root: Path) -> mlflow.MlflowClient:
    """Do what a run does first."""
    artifacts = str(root / "mlflow" / "artifacts")
    prepare_history(address_of(root), "tiles", artifacts)
    client = mlflow.MlflowClient(address_of(root), address_of(root))
    if client.get_experiment_by_name("tiles") is None:
        client.create_experiment("tiles", Path(artifacts).as_uri())
    mlflow.set_tracking_uri(address_of(root))
    mlflow.set_registry_uri(address_of(root))
    mlflow.set_experiment("tiles")
    return client


def run_once(root: Path) -> None:
    """Make a run with a text, and a version of a model."""
    client = prepare(root)
    with mlflow.start_run() as run:
        mlflow.log_text("found", "model/found.txt")
    source = f"{run.info.artifact_uri}/model"
    if not client.search_registered_models():
        client.create_registered_model("m")
    client.create_model_version("m", source, run.info.run_id)


def files_in(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(autouse=True)
def _mlflow_as_before() -> Iterator[None]:
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    yield
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one run and one registered model."""
    root = tmp_path_factory.mktemp("made") / "data"
    run_once(root)
    return root


@pytest.mark.parametrize("place", ["elsewhere/data", "deeper/a/b", "odd [1] {a} ü%20?#'"])
def test_a_folder_that_is_moved_takes_its_runs_and_models_along(
    made: Path, tmp_path: Path, place: str
) -> None:
    old, new = tmp_path / "old", tmp_path / place
    shutil.copytree(made, old)
    prepare(old)
    new.parent.mkdir(parents=True, exist_ok=True)
    old.rename(new)
    run_once(new)
    assert not old.exists(), "written to the former place"
    for version in ("1", "2"):
        found = mlflow.artifacts.download_artifacts(artifact_uri=f"models:/m/{version}")
        assert Path(found, "found.txt").read_text(encoding="utf-8") == "found"
        assert Path(found).is_relative_to(new)
    assert {each.name for each in tmp_path.iterdir()} == {Path(place).parts[0]}


def test_a_copy_leaves_its_original_as_it_is(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    before = files_in(made)
    run_once(copy)
    assert files_in(made) == before
    assert len(list((copy / "mlflow" / "artifacts").iterdir())) == 2


def test_artifacts_that_the_user_keeps_elsewhere_stay_there(tmp_path: Path) -> None:
    root, other = tmp_path / "data", tmp_path / "other" / "artifacts"
    address = address_of(root)
    prepare_history(address, "tiles", str(other))
    mlflow.MlflowClient(address, address).create_experiment("tiles", other.as_uri())
    prepare_history(address, "tiles", str(root / "mlflow" / "artifacts"))
    client = mlflow.MlflowClient(address, address)
    experiment = client.get_experiment_by_name("tiles")
    assert experiment is not None
    assert experiment.artifact_location == other.as_uri()


def test_a_locked_history(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aerial_kedro.tracking.history_file._PATIENCE_S", 0.1)
    root = shutil.copytree(made, tmp_path / "data")
    with closing(sqlite3.connect(root / "mlflow" / "mlflow.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(AerialError, match=r"mlflow\.db is locked by another program"):
            prepare(root)


def test_an_older_history_and_the_command_that_helps(tmp_path: Path) -> None:
    root = tmp_path / "it's [1] %20"
    (root / "mlflow").mkdir(parents=True)
    engine = create_engine(address_of(root))
    InitialBase.metadata.create_all(engine)
    alembic.command.upgrade(_get_alembic_config(address_of(root)), "head-1")
    engine.dispose()
    with pytest.raises(AerialError, match="was written by an older MLflow") as refused:
        prepare(root)
    command = str(refused.value).split("up to date: ", 1)[1]
    subprocess.run(command, shell=True, check=True, capture_output=True, cwd=tmp_path)
    run_once(root)
    assert [each.name for each in tmp_path.iterdir()] == [root.name]


def test_a_newer_history(made: Path, tmp_path: Path) -> None:
    root = shutil.copytree(made, tmp_path / "data")
    with closing(sqlite3.connect(root / "mlflow" / "mlflow.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        database.commit()
    with pytest.raises(AerialError, match="was written by a newer MLflow than the one"):
        prepare(root)


@pytest.mark.parametrize("content", [b"no database" * 200, b"SQLite format 3\0" + b"x" * 2000])
def test_a_file_that_is_no_history(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "mlflow.db").write_bytes(content)
    with pytest.raises(AerialError, match="move it away: the next run begins a new one"):
        prepare(tmp_path)


def test_a_database_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "mlflow").mkdir()
    with closing(sqlite3.connect(tmp_path / "mlflow" / "mlflow.db")) as database:
        database.execute("CREATE TABLE bills (euros REAL)")
    with pytest.raises(AerialError, match="is no run history of MLflow's"):
        prepare(tmp_path)


def test_where_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "mlflow").write_text("in the way")
    with pytest.raises(AerialError, match=r"mlflow\.db"):
        prepare(tmp_path)


def test_addresses_of_no_file_are_left_alone() -> None:
    for address in ("http://127.0.0.1:1", "sqlite:///:memory:", "postgresql://u@h/d"):
        assert history_path(address) is None
    assert history_path("sqlite:///data/a.db") == Path.cwd() / "data" / "a.db"
