"""Runs of Kedro as a user starts them, and what they leave in the container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import fsspec
import pandas as pd
import pyarrow.parquet as pq

from rehearsal.services import HISTORY_PORT, HOST, MASTER_PORT, Service

PROJECT = Path(__file__).parents[1]
COUNTY = Path(__file__).with_name("county.yml")
CONTAINER = "rehearsal"
# The emulator's account and key are the same for everybody, and published.
CONNECTION = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    f"BlobEndpoint=http://{HOST}:10000/devstoreaccount1;"
)
ARTIFACTS_FOLDER = "mlflow"
ARTIFACTS = f"wasbs://{CONTAINER}@devstoreaccount1.blob.core.windows.net/{ARTIFACTS_FOLDER}"
_LIMIT_S = 400
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Parameters
    ----------
    code
        Exit status.
    seconds
        How long it took.
    output
        What it printed.
    """

    code: int
    seconds: float
    output: str

    def message(self) -> str:
        """Return the error's message, in one line."""
        return " ".join(self.output.rpartition("Error: ")[2].split())


@dataclass(frozen=True)
class Cluster:
    """The environment ``cluster``, by the values of its environment variables.

    Parameters
    ----------
    folder
        Where runs keep what is not in the container.
    ivy
        Where Spark keeps the Java libraries that it fetched.
    executors
        The archive with the workers' Python.
    key
        First part of every blob's name.
    changed
        Environment variables that differ from the right ones.
    """

    folder: Path
    ivy: Path
    executors: Path
    key: str = "county"
    changed: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return all environment variables of a run."""
        conf = self.folder / "spark-conf"
        conf.mkdir(parents=True, exist_ok=True)
        (conf / "spark-defaults.conf").write_text(
            f"spark.jars.ivy {self.ivy}\nspark.executor.memory 1g\n", encoding="utf-8"
        )
        return {
            **{name: value for name, value in os.environ.items() if name != "AERIAL_KEDRO_DATA"},
            "AERIAL_ROOT": f"abfs://{CONTAINER}/{self.key}",
            "AERIAL_SPARK_ROOT": f"wasb://{CONTAINER}@storageemulator/{self.key}",
            "AERIAL_SPARK_MASTER": f"spark://{HOST}:{MASTER_PORT}",
            "AERIAL_DRIVER_HOST": HOST,
            "AERIAL_SHUFFLE_PARTITIONS": "8",
            "AERIAL_EXECUTORS": str(self.executors),
            "AZURE_STORAGE_CONNECTION_STRING": CONNECTION,
            "MLFLOW_TRACKING_URI": f"http://{HOST}:{HISTORY_PORT}",
            "SPARK_CONF_DIR": str(conf),
            **self.changed,
        }

    def start(self, *arguments: str) -> Service:
        """Start ``kedro run --env=cluster``."""
        command = [*_kedro("cluster"), *arguments]
        name = f"run-{time.strftime('%H%M%S')}"
        return Service(name, command, self.folder, self.environment(), cwd=PROJECT)

    def run(self, *arguments: str) -> Ended:
        """Run ``kedro run --env=cluster`` to its end."""
        start = time.monotonic()
        outcome = ended(self.start(*arguments), start)
        self.clear_workers()
        return outcome

    def program(self, module: str, *arguments: str) -> Ended:
        """Run a module of this package in the same environment to its end."""
        command = [sys.executable, "-m", module, *arguments]
        start = time.monotonic()
        service = Service(module, command, self.folder, self.environment(), cwd=PROJECT)
        outcome = ended(service, start)
        self.clear_workers()
        return outcome

    def clear_workers(self) -> None:
        """Remove what workers unpacked, a gigabyte for each executor; their logs stay."""
        for unpacked in self.folder.parent.glob("worker-*/work/*/*/executors*"):
            if unpacked.is_dir():
                shutil.rmtree(unpacked, ignore_errors=True)
            else:
                unpacked.unlink(missing_ok=True)

    def blobs(self) -> fsspec.AbstractFileSystem:
        """Open the storage as the user of a run would."""
        return fsspec.filesystem(
            "abfs", connection_string=CONNECTION, use_listings_cache=False, skip_instance_cache=True
        )

    def table(self, name: str) -> pd.DataFrame:
        """Read a Parquet folder of the container, without Spark."""
        return pq.read_table(f"{CONTAINER}/{self.key}/{name}", filesystem=self.blobs()).to_pandas()

    def feature_files(self) -> set[str]:
        """List the files of features that are in place."""
        store = f"{CONTAINER}/{self.key}/04_feature/tile_features"
        return set(self.blobs().glob(f"{store}/feature_key=*/*.parquet"))


def ended(service: Service, start: float) -> Ended:
    """Wait for the end of a run."""
    try:
        code = service.process.wait(timeout=_LIMIT_S)
    except subprocess.TimeoutExpired:
        service.stop()
        code = 124
    output = _COLOURS.sub("", service.output())
    return Ended(code, time.monotonic() - start, output)


def run_here(folder: Path, *arguments: str) -> Ended:
    """Run ``kedro run`` on this machine alone, with outputs in a folder."""
    environment = {**os.environ, "AERIAL_KEDRO_DATA": str(folder)}
    start = time.monotonic()
    command = [*_kedro("base"), *arguments]
    service = Service(f"local-{time.strftime('%H%M%S')}", command, folder, environment, cwd=PROJECT)
    return ended(service, start)


def _kedro(env: str) -> list[str]:
    kedro = Path(sys.executable).with_name("kedro")
    return [str(kedro), "run", f"--env={env}", f"--config={COUNTY}"]
