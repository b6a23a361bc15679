"""Workers of Spark find what tasks import already there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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


_START = """
import os, sys, time
from aerial_kedro.cluster import spark, worker_daemon
from tests.unit.cluster.test_worker_daemon import has_daemon
spark.configure({"spark.master": sys.argv[1], **dict.fromkeys(sys.argv[2:], "127.0.0.1"),
                 "spark.python.daemon.module": worker_daemon.__name__, "spark.ui.enabled": False})
spark.session()
end = time.monotonic() + 60
while not has_daemon(os.getsid(0)) and time.monotonic() < end:
    time.sleep(0.1)
print(has_daemon(os.getsid(0)))
"""


def has_daemon(session: int) -> bool:
    """Whether the daemon is among the processes of a session of the system's."""
    given = b"-m\0" + worker_daemon.__name__.encode()  # Java has the name on its command line too
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_own = os.getsid(int(folder.name)) == session
            if is_own and given in (folder / "cmdline").read_bytes():
                return True
    return False


def test_the_daemon_is_there_before_the_first_task() -> None:
    addresses = ("spark.driver.host", "spark.driver.bindAddress")
    done = subprocess.run(
        [sys.executable, "-c", _START, "local[1]", *addresses],
        capture_output=True, text=True, check=True, cwd=PROJECT, start_new_session=True,
    )  # fmt: skip
    assert done.stdout == "True\n"
    assert "Traceback" not in done.stderr
