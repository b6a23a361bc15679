"""What a run takes from its environment: not the files of other installations.

`aerial_kedro` sets this right when it is imported, in the driver as in Spark's workers: rasterio
and GDAL, PROJ and Spark look at these variables once, when they are imported or started.
"""

import importlib.util
import os
import pwd
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

# By these, GDAL and PROJ find their tables, drivers and settings. Another version's do not fit.
_FILES = (
    "PROJ_LIB", "PROJ_DATA", "PROJ_AUX_DB", "GDAL_DATA", "GDAL_DRIVER_PATH", "OGR_DRIVER_PATH",
    "GDAL_PYTHON_DRIVER_PATH", "GDAL_CONFIG_FILE",
)  # fmt: skip
# These change what is read from a file, or where it lies.
_READING = (
    "GDAL_SKIP", "OGR_SKIP", "GDAL_PAM_ENABLED", "GDAL_GEOREF_SOURCES", "GDAL_RASTERIO_RESAMPLING",
    "GDAL_JPEG_TO_RGB", "GTIFF_IGNORE_READ_ERRORS", "GTIFF_POINT_GEO_IGNORE", "GTIFF_SRS_SOURCE",
    "GTIFF_HONOUR_NEGATIVE_SCALEY", "OSR_DEFAULT_AXIS_MAPPING_STRATEGY", "OSR_USE_CT_GRID",
    "OGR_CT_FORCE_TRADITIONAL_GIS_ORDER", "CENTER_LONG", "PROJ_NETWORK",
)  # fmt: skip
_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""Set where `spark-submit` started Python: then its Spark is the one to use."""
_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")  # where Python looks for the user's name
# Where libraries keep what they fetch or compile, below the user's home unless told otherwise.
_CACHES = {
    "MPLCONFIGDIR": "matplotlib",
    "TORCH_HOME": "torch",
    "TORCHINDUCTOR_CACHE_DIR": "torchinductor",
    "XDG_CACHE_HOME": "cache",
}

LEFT_OUT: dict[str, str] = {}
"""Variables that this process was given and leaves out, with their values."""
CACHES = "AERIAL_KEDRO_CACHES"
"""Set by this module to the folder of caches, where the user has no home that may be written."""


def prepare() -> None:
    """Leave out what belongs to other installations, and give a user without a home a place.

    What was left out is in `LEFT_OUT`. A package that does not bring its own files (a build against
    the system's GDAL, a platform's Spark) keeps the variables that name them.
    """
    LEFT_OUT.update(leave_out(os.environ, sys.path))
    provide_home(os.environ)


def leave_out(environment: MutableMapping[str, str], path: list[str]) -> dict[str, str]:
    """Remove variables of other installations of GDAL, PROJ and Spark, and modules of the latter.

    Parameters
    ----------
    environment
        Environment variables, changed in place.
    path
        Where Python looks for modules, changed in place.

    Returns
    -------
    dict
        What was removed.
    """
    found = {}
    if _brings("rasterio", "proj_data/proj.db"):
        found = {name: environment.pop(name) for name in _FILES + _READING if environment.get(name)}
    if _SUBMITTED in environment:
        return found
    given = environment.get("PYTHONPATH", "").split(os.pathsep)
    foreign = [each for each in given if each and _holds_spark(Path(each))]
    if any(each not in foreign and Path(each, "pyspark/__init__.py").is_file() for each in path):
        if foreign:
            found["PYTHONPATH"] = os.pathsep.join(foreign)
            path[:] = [each for each in path if each not in foreign]
            environment["PYTHONPATH"] = os.pathsep.join(e for e in given if e not in foreign)
        home = environment.get("SPARK_HOME")
        if home and _brings("pyspark", "bin/spark-submit") and not _is_of("pyspark", home):
            found["SPARK_HOME"] = environment.pop("SPARK_HOME")
    return found


def provide_home(environment: MutableMapping[str, str]) -> None:
    """Name a folder for caches, and the user, where containers run as a number.

    Parameters
    ----------
    environment
        Environment variables, changed in place. What they say already stays.
    """
    user = os.getuid()
    try:
        entry = pwd.getpwuid(user)
    except KeyError:
        entry = None
        if not any(environment.get(name) for name in _NAMES):
            environment["USER"] = environment["LOGNAME"] = f"user-{user}"
    home = environment.get("HOME") or (entry.pw_dir if entry else "")
    if home and os.access(home, os.W_OK | os.X_OK):
        return
    own = Path(tempfile.gettempdir(), f"aerial_kedro-{user}")
    own.mkdir(mode=0o700, exist_ok=True)
    if own.is_symlink() or own.stat().st_uid != user:  # another user was quicker
        own = Path(tempfile.mkdtemp(prefix="aerial_kedro-"))
    if not home:
        environment["HOME"] = str(own)
    environment[CACHES] = str(own)
    for name, folder in _CACHES.items():
        environment.setdefault(name, str(own / folder))


def _holds_spark(folder: Path) -> bool:
    """Return whether a folder or archive of modules has Spark's or the Py4J that comes with it."""
    if folder.suffix == ".zip":
        return folder.name.startswith(("pyspark", "py4j"))
    return (folder / "pyspark" / "__init__.py").is_file()


def _brings(package: str, file: str) -> bool:
    return any((place / file).exists() for place in _places(package))


def _is_of(package: str, folder: str) -> bool:
    return Path(folder).resolve() in [place.resolve() for place in _places(package)]


def _places(package: str) -> list[Path]:
    found = importlib.util.find_spec(package)
    return [Path(place) for place in (found.submodule_search_locations or [])] if found else []
