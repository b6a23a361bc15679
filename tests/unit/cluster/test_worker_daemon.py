"""Workers of Spark find what tasks import already there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pandas as pd
import yaml
from pyspark.sql import SparkSession

from aerial_kedro.cluster import worker_daemon
from tests.conftest import PROJECT

SETTING = "spark.python.daemon.module"


def test_a_new_worker_has_imported_what_tasks_need(spark_session: SparkSession) -> None:
    def list_modules(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for _ in frames:
            yield pd.DataFrame({"name": list(sys.modules)})

    found = spark_session.range(1).mapInPandas(list_modules, "name string").toPandas()
    there = set(found["name"])
    assert {module.__name__ for module in worker_daemon.PRELOADED} <= there


def test_the_daemon_imports_nothing_heavy() -> None:
    """It would be on every worker's bill. In a process of its own: a worker may be an old one."""
    listing = f"import sys, {worker_daemon.__name__}; print(*sys.modules)"
    there = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    ).stdout.split()
    assert worker_daemon.PRELOADED[0].__name__ in there
    assert not {"torch", "kedro", "mlflow", "sklearn"} & set(there)


def test_runs_use_the_daemon(spark_session: SparkSession) -> None:
    settings = yaml.safe_load((PROJECT / "conf/base/spark.yml").read_text(encoding="utf-8"))
    assert settings[SETTING] == worker_daemon.__name__
    assert spark_session.conf.get(SETTING) == worker_daemon.__name__
