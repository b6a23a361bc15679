"""What all tests share: one Spark session, and the real data where it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from aerial_kedro.cluster import spark

PROJECT = Path(__file__).parents[1]
SHARED_DATA = Path(
    os.environ.get("AERIAL_KEDRO_SHARED_DATA", PROJECT.parent / "shared" / "data")
).absolute()

# Fixtures that run a whole job, the longest first.
_LONG_RUNS = ("county", "divided")

# Jobs this small end before the second compiler's work pays: a fifth of the suite's time. Alone,
# the first has a cache of 48 MB, which Java then clears and fills all the time. And their memory is
# small enough to be cleared by one thread, which takes a tenth less of the processors than G1 does.
# By a variable, so that it is so in the processes that tests start as well.
_JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC"

# The project's own settings (conf/base/spark.yml), sized for a machine that runs tests.
_SPARK_SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": False,
    "spark.ui.showConsoleProgress": False,
    "spark.sql.shuffle.partitions": 2,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": True,
    "spark.python.daemon.module": "aerial_kedro.cluster.worker_daemon",
}


@pytest.fixture(scope="session")
def spark_session() -> Iterator[SparkSession]:
    """Start the one Spark session of the whole pytest run; the project finds it and keeps it."""
    spark.configure(_SPARK_SETTINGS)
    session = spark.session()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real imagery and labels; tests that ask for it are marked ``shared_data``."""
    return SHARED_DATA


def pytest_configure() -> None:
    os.environ.setdefault("JDK_JAVA_OPTIONS", _JAVA_OPTIONS)


def pytest_report_header() -> str:
    if SHARED_DATA.is_dir():
        return f"real data: {SHARED_DATA}"
    return (
        f"real data: {SHARED_DATA} is not there, tests marked shared_data are left out "
        "(set AERIAL_KEDRO_SHARED_DATA to the folder)"
    )


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not SHARED_DATA.is_dir():
        left_out = [item for item in items if item.get_closest_marker("shared_data")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if not item.get_closest_marker("shared_data")]
    _share_out(items)


def _share_out(items: list[pytest.Item]) -> None:
    """Keep together what needs the same long run, for `make test`, and begin with the longest.

    A file is one process's work, and so are all files that use the same of the `_LONG_RUNS`.
    """
    groups = {item.path: str(item.path) for item in items}
    for run in reversed(_LONG_RUNS):
        of_run = {item.path for item in items if run in getattr(item, "fixturenames", ())}
        if twice := sorted(path.name for path in of_run if groups[path] in _LONG_RUNS):
            raise pytest.UsageError(
                f"{', '.join(twice)} uses more than one of the fixtures {', '.join(_LONG_RUNS)}: "
                "move the tests of one into another file, or both processes make that run."
            )
        groups |= dict.fromkeys(of_run, run)
    # Spark's cache of packages bears one process at a time.
    groups |= {item.path: _LONG_RUNS[-1] for item in items if item.get_closest_marker("synapseml")}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item.path]))
    items.sort(key=lambda item: _place(groups[item.path]))


def _place(group: str) -> int:
    """Long runs, then what runs Kedro at all, then the rest; otherwise as collected."""
    if group in _LONG_RUNS:
        return _LONG_RUNS.index(group)
    return len(_LONG_RUNS) + ("/integration/" not in group)
