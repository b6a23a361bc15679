"""Workers of Spark find what tasks import already there."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pandas as pd
import yaml
from pyspark.sql import SparkSession

from aerial_kedro import worker_daemon
from tests.conftest import PROJECT

SETTING = "spark.python.daemon.module"


def test_a_new_worker_has_imported_what_tasks_need(spark_session: SparkSession) -> None:
    def list_modules(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for _ in frames:
            yield pd.DataFrame({"name": list(sys.modules)})

    found = spark_session.range(1).mapInPandas(list_modules, "name string").toPandas()
    there = set(found["name"])
    assert {module.__name__ for module in worker_daemon.PRELOADED} <= there
    # Each of these would be on every worker's bill.
    assert not {"torch", "kedro", "mlflow", "sklearn"} & there


def test_runs_use_the_daemon(spark_session: SparkSession) -> None:
    settings = yaml.safe_load((PROJECT / "conf/base/spark.yml").read_text(encoding="utf-8"))
    assert settings[SETTING] == worker_daemon.__name__
    assert spark_session.conf.get(SETTING) == worker_daemon.__name__
