"""A cluster that is not there is named within seconds."""

from __future__ import annotations

import socket
from pathlib import Path

import click
import pytest
from kedro.io import DataCatalog

from aerial_kedro.cluster import spark
from aerial_kedro.cluster.blob_storage import StorageCredential
from aerial_kedro.cluster.checks import check_archive, check_master, explain_worker_failure
from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits import pipeline as digits
from aerial_kedro.hooks import ProjectHooks
from aerial_kedro.pipelines import reporting


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("text", ["spark://127.0.0.1:{}", "spark://nonsense:port"])
def test_a_master_that_does_not_answer_is_named(free_port: int, text: str) -> None:
    with pytest.raises(AerialError, match="AERIAL_SPARK_MASTER"):
        check_master(text.format(free_port))


def test_one_of_several_masters_is_enough(free_port: int) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        check_master(f"spark://127.0.0.1:{free_port},127.0.0.1:{listening.getsockname()[1]}")


def test_only_what_needs_spark_asks_for_its_master(
    free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark, "_settings", {"spark.master": f"spark://127.0.0.1:{free_port}"})
    hooks = ProjectHooks()
    hooks._storage = str(tmp_path), StorageCredential()
    tutorial, download = digits.create_pipeline(), digits.create_download_pipeline()
    for pipeline in (tutorial, download, tutorial.only_nodes_with_namespaces(["digits"])):
        hooks.before_pipeline_run({}, pipeline, DataCatalog())
    report = reporting.create_pipeline("cell", "params:land_cover")
    for pipeline in (report, tutorial + report):
        with pytest.raises(click.ClickException, match="AERIAL_SPARK_MASTER"):
            hooks.before_pipeline_run({}, pipeline, DataCatalog())


@pytest.mark.parametrize("master", ["local[*]", "yarn", "k8s://https://host:6443", ""])
def test_other_masters_are_left_to_spark(master: str) -> None:
    check_master(master)


def test_an_archive_that_is_not_there_is_named(tmp_path: Path) -> None:
    there = tmp_path / "executors.tar.gz"
    there.touch()
    check_archive(f"{there}#executors,file://{there}#executors,hdfs://elsewhere/x.tar.gz#x")
    check_archive("")
    with pytest.raises(AerialError, match=r"gone\.tar\.gz.*make executors.*AERIAL_EXECUTORS"):
        check_archive(f"{tmp_path}/gone.tar.gz#executors")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (
            "x [PYTHON_VERSION_MISMATCH] Python in worker has different version (3, 10)",
            "Python 3.11",
        ),
        ("y\nModuleNotFoundError: No module named 'aerial_kedro.tiles'\nz", "'aerial_kedro.tiles'"),
    ],
)
def test_workers_that_are_set_up_otherwise_are_explained(text: str, word: str) -> None:
    said = explain_worker_failure(text)
    assert said is not None
    assert word in said
    assert "PYSPARK_PYTHON" in said


def test_other_failures_are_not_explained_away() -> None:
    assert explain_worker_failure("ValueError: x") is None
