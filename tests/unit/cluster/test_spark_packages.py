"""Packages that a pipeline needs beside those of the environment; the archive of workers."""

import pytest
from pyspark.sql import SparkSession

from aerial_kedro.cluster import spark
from aerial_kedro.errors import AerialError


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Spark's settings, restored afterwards."""
    held: dict[str, object] = {}
    monkeypatch.setattr(spark, "_settings", held)
    return held


def test_packages_are_added_to_those_of_the_environment(
    settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    spark.configure({"spark.jars.packages": "a:b:1", "spark.ui.enabled": False})
    spark.add_packages({"spark.jars.packages": "c:d:2, e:f:3", "spark.jars.excludes": "g:h"})
    assert settings == {
        "spark.jars.packages": "a:b:1,c:d:2,e:f:3",
        "spark.jars.excludes": "g:h",
        "spark.ui.enabled": "false",
    }


def test_a_spark_that_runs_without_them_is_said_to(spark_session: SparkSession) -> None:
    with pytest.raises(AerialError, match=r"running already, without .*c:d:2"):
        spark.add_packages({"spark.jars.packages": "c:d:2"})


def test_workers_run_the_python_of_the_archive(settings: dict[str, object]) -> None:
    spark.configure({"spark.archives": "/dist/executors.tar.gz"})
    assert settings == {
        "spark.archives": "/dist/executors.tar.gz#executors",
        "spark.pyspark.python": "./executors/bin/python",
    }


def test_workers_run_their_own_python_without_an_archive(settings: dict[str, object]) -> None:
    spark.configure({"spark.archives": None, "spark.pyspark.python": "/opt/aerial/bin/python"})
    assert settings == {"spark.pyspark.python": "/opt/aerial/bin/python"}
