"""What a cluster consists of, as processes of this machine on the loopback interface."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyspark

from aerial_kedro.cluster.spark import find_java_home

HOST = "127.0.0.1"
MASTER_PORT = 17077
HISTORY_PORT = 15000
BLOB_PORT = 10000  # Hadoop knows the emulator at this port only
_START_S = 60
_SHOWN = 2000
_SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"

_started: list[Service] = []


class Service:
    """A process of its own session, its output in a file.

    Parameters
    ----------
    name
        For messages and the file's name.
    command
        What to run.
    folder
        Working folder, made if need be; its output goes to ``<folder>/<name>.log``.
    environment
        Environment variables, all of them.
    port
        A port that it listens on when it is ready.
    cwd
        Working folder, where it is another one.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        port: int | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name, self.folder = name, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{name}.log"
        if port and _listens(port):
            raise RuntimeError(f"Something else listens on port {port}: the {name} needs it.")
        self._begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=cwd or folder,
                env=dict(environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _started.append(self)
        if port:
            self._wait_for(port)

    def _wait_for(self, port: int) -> None:
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            if _listens(port):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"The {self.name} does not start: see {self.log}")

    def output(self) -> str:
        """Return what it has printed since its start."""
        return self.log.read_bytes()[self._begin :].decode(errors="replace")

    def kill(self) -> None:
        """End the process itself, and nothing else, as a failing machine does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the process and those that it started, by its id."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                break
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()


def stop_all() -> None:
    """Stop everything that was started and still runs, the latest first: runs, then services."""
    for service in reversed(_started):
        if service.process.poll() is None:
            service.stop()


def check_alive(running: Iterable[Service]) -> None:
    """Look whether services still run, so that one that has ended is not waited for.

    Raises
    ------
    RuntimeError
        Naming those that have ended, how, and their last lines.
    """
    for service in running:
        code = service.process.poll()
        if code is not None:
            last = service.output()[-_SHOWN:]
            raise RuntimeError(f"The {service.name} has ended with {code}: {service.log}\n{last}")


def blob_service(azurite: str, folder: Path) -> Service:
    """Start Azurite's blob service; its output is a line for each request."""
    command = [
        azurite,
        *("--blobHost", HOST, "--blobPort", str(BLOB_PORT), "--location", str(folder / "blobs")),
        "--skipApiVersionCheck",
        "--disableTelemetry",
    ]
    return Service("azurite", command, folder, os.environ, port=BLOB_PORT)


def run_history(folder: Path, artifacts: str, connection: str) -> Service:
    """Start an MLflow server that keeps its artifacts in blob storage."""
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(HISTORY_PORT)),
        *("--workers", "1", "--artifacts-destination", artifacts),
        *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
    ]
    environment = {
        **os.environ,
        "AZURE_STORAGE_CONNECTION_STRING": connection,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight processes that nothing here needs
    }
    return Service("mlflow", command, folder, environment, port=HISTORY_PORT)


def master(folder: Path) -> Service:
    """Start a Spark standalone master."""
    command = [
        str(_SPARK_CLASS),
        "org.apache.spark.deploy.master.Master",
        *("--host", HOST, "--port", str(MASTER_PORT), "--webui-port", "0"),
    ]
    return Service("master", command, folder, spark_environment(folder), port=MASTER_PORT)


def worker(number: int, folder: Path, core: int | None = None) -> Service:
    """Start a worker of one core, in a folder of its own.

    Parameters
    ----------
    number
        Of the worker.
    folder
        Of all of them.
    core
        The one that it, its executors and their Python run on. Without it they share them all: a
        task's Java works beside its Python, on another core if one is free.
    """
    own = folder / f"worker-{number}"
    command = [
        *(("taskset", "--cpu-list", str(core)) if core is not None else ()),
        str(_SPARK_CLASS),
        "org.apache.spark.deploy.worker.Worker",
        *("--host", HOST, "--cores", "1", "--memory", "1536m", "--webui-port", "0"),
        *("--work-dir", str(own / "work"), f"spark://{HOST}:{MASTER_PORT}"),
    ]
    return Service(f"worker-{number}", command, own, spark_environment(own))


def spark_environment(folder: Path) -> dict[str, str]:
    """Environment of Spark's own processes: nothing of the run's storage or Python is in it."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "AERIAL_", "MLFLOW_", "GDAL_", "PYTHON", "PYSPARK_"))
        and name != "VIRTUAL_ENV"
    }
    environment = Path(sys.prefix).resolve()
    path = [
        each
        for each in inherited.get("PATH", "").split(os.pathsep)
        if not Path(each).resolve().is_relative_to(environment)
    ]
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return inherited | {
        "JAVA_HOME": find_java_home(),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_LOCAL_DIRS": str(temporary),
        "TMPDIR": str(temporary),
        "PATH": os.pathsep.join(path),
        "SPARK_DAEMON_MEMORY": "256m",
    }


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
