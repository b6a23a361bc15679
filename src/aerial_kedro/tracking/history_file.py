"""The run history's file: its address, and what is checked and set right before a run uses it."""

import importlib.util
import logging
import re
import shlex
import sqlite3
import sys
from contextlib import closing
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote

from aerial_kedro.errors import AerialError

LOGGER = logging.getLogger(__name__)
_PREFIX, _PREFIX_OF_ODD_NAMES = "sqlite:///", "sqlite+pysqlite:///"
_PATIENCE_S = 5
_VERSION = re.compile(r"^(down_)?revision(?::.*?)? = [\"'](\w+)[\"']", re.MULTILINE)
# Where MLflow keeps addresses of artifacts; all are absolute.
_LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_ELSEWHERE = "or give this run a data folder of its own in AERIAL_KEDRO_DATA"


def sqlite_address(path: str) -> str:
    """Return the address of a database file, as MLflow takes it.

    Parameters
    ----------
    path
        Absolute path.

    Examples
    --------
    >>> sqlite_address("/data/mlflow/mlflow.db")
    'sqlite:////data/mlflow/mlflow.db'

    What SQLAlchemy takes for a query or an escape is escaped. MLflow would make the folder of the
    escaped name, unless the address names the driver:

    >>> sqlite_address("/odd?/a%20b/mlflow.db")
    'sqlite+pysqlite:////odd%3F/a%2520b/mlflow.db'
    """
    escaped = path.replace("%", "%25").replace("?", "%3F")
    return f"{_PREFIX if escaped == path else _PREFIX_OF_ODD_NAMES}{escaped}"


def history_path(address: str) -> Path | None:
    """Return the file of a run history, or None where it is in no file of this machine."""
    for prefix in (_PREFIX, _PREFIX_OF_ODD_NAMES):
        path = address.removeprefix(prefix).partition("?")[0]
        if address.startswith(prefix) and path not in ("", ":memory:"):
            return Path(unquote(path)).absolute()
    return None


def prepare_history(address: str, experiment: str, artifacts: str | None) -> None:
    """Check the run history's file; if its data folder was moved or copied, correct its addresses.

    MLflow knows artifacts, of runs and of registered models, by absolute addresses. Those below
    the folder that held the history become those of the same files below the one that holds it
    now, so that a copy neither reads nor writes its original.

    Parameters
    ----------
    address
        Of the run history; one that is in no file of this machine is left alone.
    experiment
        Name of the experiment that runs belong to.
    artifacts
        Folder of its artifacts, absolute.

    Raises
    ------
    AerialError
        If the file is locked, may not be written, is no run history, or is one of another version
        of MLflow.
    """
    path = history_path(address)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from None
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as database, database:
            database.execute("BEGIN IMMEDIATE")
            _check_version(database, path, address)
            if artifacts is not None and Path(artifacts).is_relative_to(path.parent):
                _follow(database, experiment, artifacts, path)
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from None


def _unusable(path: Path, said: str) -> AerialError:
    if "locked" in said:
        return AerialError(
            f"The run history {path} is locked by another program, such as one that looks into the "
            f"file or an MLflow that writes to it. Close that, {_ELSEWHERE}."
        )
    if "readonly" in said or "unable to open" in said or "ermission" in said:
        return AerialError(
            f"The run history {path} may not be written by this user ({said}). Make it and its "
            f"folder writable, {_ELSEWHERE}."
        )
    return AerialError(
        f"The run history {path} cannot be used ({said}). Put back a copy of it, or move it away: "
        "the next run begins a new one, in which no registered model is known."
    )


def _check_version(database: sqlite3.Connection, path: Path, address: str) -> None:
    """Compare the version of the tables with the one that the installed MLflow reads."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    if "alembic_version" not in tables:
        if tables:
            raise AerialError(
                f"The database {path} is no run history of MLflow's. Move it away, {_ELSEWHERE}."
            )
        return
    found = [version for (version,) in database.execute("SELECT version_num FROM alembic_version")]
    known, newest = _known_versions()
    if found == [newest]:
        return
    if found and set(found) <= known:
        command = shlex.join([str(Path(sys.executable).with_name("mlflow")), "db", "upgrade"])
        raise AerialError(
            f"The run history {path} was written by an older MLflow. Copy the file, then bring it "
            f"up to date: {command} {shlex.quote(address)}"
        )
    raise AerialError(
        f"The run history {path} was written by a newer MLflow than the one that is installed "
        f"({metadata.version('mlflow')}). Install this project's newer version, or one of MLflow, "
        f"that wrote it, {_ELSEWHERE}."
    )


def _known_versions() -> tuple[set[str], str]:
    """Return the versions of tables that the installed MLflow knows, and the one that it reads.

    Of its migrations' files, which say what each follows: MLflow itself takes seconds to import.
    """
    package = importlib.util.find_spec("mlflow")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("No module named 'mlflow'")
    files = Path(package.origin).parent.glob("store/db_migrations/versions/*.py")
    found = [each for file in files for each in _VERSION.findall(file.read_text(encoding="utf-8"))]
    known = {version for down, version in found if not down}
    heads = known - {version for down, version in found if down}
    if len(heads) != 1:  # written otherwise than until now: MLflow itself knows
        from mlflow.store.db.utils import _get_latest_schema_revision

        newest = str(_get_latest_schema_revision())  # type: ignore[no-untyped-call]
        return known | {newest}, newest
    return known, heads.pop()


def _follow(database: sqlite3.Connection, experiment: str, artifacts: str, path: Path) -> None:
    """Point every address below the history's former folder to its present one."""
    query = "SELECT artifact_location FROM experiments WHERE name = ?"
    row = database.execute(query, [experiment]).fetchone()
    now, present = Path(artifacts).as_uri(), path.parent.as_uri()
    inside = now.removeprefix(present)  # /artifacts
    known = row is not None and row[0].endswith(f"/{path.parent.name}{inside}")
    if not known or row[0] == now:
        return
    former = row[0].removesuffix(inside)
    there = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    for table, column in _LOCATIONS:
        if table in there:
            database.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                [present, len(former) + 1, former, len(former) + 1, f"{former}/"],
            )
    LOGGER.info("The run history was in %s; its files are now looked for in %s", former, present)
