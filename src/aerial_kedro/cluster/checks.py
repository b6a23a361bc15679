"""A Spark cluster: looked at before a run, so that what is missing is named within a minute."""

from __future__ import annotations

import re
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aerial_kedro.errors import AerialError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CONNECT_S = 5
_EXECUTOR_S = 45
_POLL_S = 0.2
_STANDALONE = "spark://"
_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")


def check_master(master: str) -> None:
    """Look whether a standalone master answers; others (YARN, Kubernetes) are left to Spark.

    Parameters
    ----------
    master
        ``spark://host:port``, or several with commas between.

    Raises
    ------
    AerialError
        If none does.
    """
    if not master.startswith(_STANDALONE):
        return
    for each in master.removeprefix(_STANDALONE).split(","):
        place = urlsplit(f"//{each}")
        try:
            address = (place.hostname, place.port or 7077)
            with socket.create_connection(address, timeout=_CONNECT_S):
                return
        except (OSError, ValueError):
            continue
    raise AerialError(
        f"No Spark master answers at {master}. Start it, or name the one there is in "
        "AERIAL_SPARK_MASTER (spark://host:7077)."
    )


def check_archive(archives: str) -> None:
    """Look whether the archive with the workers' Python is there, if it is to be on this machine.

    Parameters
    ----------
    archives
        ``spark.archives``: addresses with commas between, each with ``#`` and a name behind it.

    Raises
    ------
    AerialError
        If a file is missing.
    """
    for address in filter(None, archives.split(",")):
        path = Path(address.rpartition("#")[0].removeprefix("file://"))
        if "://" not in address.removeprefix("file://") and not path.is_file():
            raise AerialError(
                f"There is no archive {path} for Spark's workers. Build it with `make executors` "
                "and name the file in AERIAL_EXECUTORS, or unset that where workers have a Python "
                "of their own with this project."
            )


def wait_for_executor(session: SparkSession, master: str) -> None:
    """Wait until a worker of a standalone master has given the run an executor.

    Raises
    ------
    AerialError
        If none does in time; Spark itself would wait for ever.
    """
    if not master.startswith(_STANDALONE):
        return
    until = time.monotonic() + _EXECUTOR_S
    while time.monotonic() < until:
        # The driver is one of them.
        if session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() > 1:
            return
        time.sleep(_POLL_S)
    session.stop()
    raise AerialError(
        f"No worker of {master} gave the run an executor within {_EXECUTOR_S} s. Start workers, "
        "free their cores and memory (spark.executor.memory), and set AERIAL_DRIVER_HOST to an "
        "address at which they reach this machine."
    )


def check_filesystem(session: SparkSession, spark_root: str) -> None:
    """Look whether Spark can open its root.

    Raises
    ------
    AerialError
        If its Java library is missing, or storage refuses.
    """
    from py4j.protocol import Py4JJavaError  # noqa: PLC0415  (loads slowly)

    context = session.sparkContext
    try:
        path = context._jvm.org.apache.hadoop.fs.Path(spark_root)  # type: ignore[union-attr]
        path.getFileSystem(context._jsc.hadoopConfiguration()).exists(path)
    except Py4JJavaError as error:
        said = str(error.java_exception.toString()).splitlines()[0]
        if "No FileSystem for scheme" in said or "ClassNotFound" in said:
            raise AerialError(
                f"Spark has no Java library for {spark_root}. Add "
                "org.apache.hadoop:hadoop-azure:3.3.4 to spark.jars.packages in "
                "conf/cluster/spark.yml; give it to spark-submit as --packages."
            ) from error
        raise AerialError(
            f"Spark cannot open {spark_root} ({said}). Check AERIAL_SPARK_ROOT and the "
            "AZURE_STORAGE_… variables; conf/cluster/README.md says what each holds."
        ) from error


def explain_worker_failure(text: str) -> str | None:
    """Say what to set where workers are not set up as the driver is; None for other failures.

    Examples
    --------
    >>> explain_worker_failure("ModuleNotFoundError: No module named 'onnxruntime'")[:41]
    "Spark's workers lack the Python package '"
    """
    if "PYTHON_VERSION_MISMATCH" in text:
        return (
            "Spark's workers run another Python than the driver. Set PYSPARK_PYTHON to the path "
            f"of a Python {sys.version_info.major}.{sys.version_info.minor} that every worker has, "
            "or give them one in AERIAL_EXECUTORS (`make executors`)."
        )
    missing = _MISSING_MODULE.search(text)
    if missing:
        package = missing[1].partition(".")[0]
        return (
            f"Spark's workers lack the Python package {missing[1]!r}. Install this project where "
            "they run, and set PYSPARK_PYTHON to the path of that Python; or build them a Python "
            f"with it (`make executors EXTRAS={package}`) and name the archive in AERIAL_EXECUTORS."
        )
    return None
