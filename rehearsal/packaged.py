"""The packaged project: wheel, archived configuration and ``spark-submit``, but no sources."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pyspark
import yaml

from rehearsal.checks import RehearsalError
from rehearsal.runs import COUNTY, PROJECT, Cluster, Ended, ended
from rehearsal.services import HOST, MASTER_PORT, Service

_SPARK_SUBMIT = Path(pyspark.__file__).parent / "bin" / "spark-submit"
_CONF = "conf-aerial_kedro.tar.gz"
_JOB = "aerial_kedro_job.py"


def submit(cluster: Cluster, dist: Path, *arguments: str) -> Ended:
    """Run the main job with ``spark-submit``, from an empty folder.

    Parameters
    ----------
    cluster
        Where to run it.
    dist
        What ``make package`` built.
    *arguments
        More, of ``kedro run``.

    Returns
    -------
    Ended
        How it ended.
    """
    folder = cluster.folder / "packaged"
    site, empty = folder / "site", folder / "empty"
    empty.mkdir(parents=True)
    (wheel,) = dist.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", str(site), str(wheel)], check=True)
    # Spark reads these before Python starts: they come from its command line.
    settings = yaml.safe_load((PROJECT / "conf/cluster/spark.yml").read_text(encoding="utf-8"))
    command = [
        *(str(_SPARK_SUBMIT), "--master", f"spark://{HOST}:{MASTER_PORT}"),
        *("--packages", settings["spark.jars.packages"]),
        *("--exclude-packages", settings["spark.jars.excludes"]),
        *(str(dist / _JOB), "--env=cluster", f"--conf-source={dist / _CONF}"),
        *(f"--config={COUNTY}", *arguments),
    ]
    environment = cluster.environment() | {
        "PYTHONPATH": str(site),  # before the environment's own, which may be the source tree
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "KEDRO_DISABLE_TELEMETRY": "1",
    }
    check_imported(site, environment, empty)
    start = time.monotonic()
    outcome = ended(Service("spark-submit", command, folder, environment, cwd=empty), start)
    cluster.clear_workers()
    left = sorted(path.name for path in empty.iterdir())
    if left:
        raise RehearsalError(f"The packaged run wrote into its folder: {left}")
    return outcome


def check_imported(site: Path, environment: dict[str, str], folder: Path) -> None:
    """Make sure that the driver imports the wheel and not the source tree.

    Parameters
    ----------
    site
        Where the wheel is installed.
    environment
        Environment variables of the driver.
    folder
        Its working folder.
    """
    code = "import aerial_kedro; print(aerial_kedro.__file__)"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=folder, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    if not said.startswith(str(site)):
        raise RehearsalError(f"The packaged run imports {said.strip()}")
