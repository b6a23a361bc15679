"""A run reads with what is installed with it, whatever the environment says of other versions."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

import aerial_kedro
from aerial_kedro.surroundings import CACHES, leave_out, provide_home

SOURCE = Path(aerial_kedro.__file__).parents[1]
NOBODY = 54321
# What reads in the driver and in a worker, from the same variables.
READS = """
import os
from aerial_kedro.cluster import spark
from aerial_kedro.surroundings import LEFT_OUT

def place(batches):
    from rasterio.warp import transform
    for batch in batches:
        x, y = transform("EPSG:4326", "EPSG:26918", [-75.0], [40.0])
        yield batch.assign(x=x[0], proj=os.environ.get("PROJ_LIB", "none"))

if __name__ == "__main__":
    spark.configure({"spark.master": "local[1]", "spark.ui.enabled": False,
                     "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
                     "spark.driver.memory": "1g", "spark.ui.showConsoleProgress": False})
    frame = spark.session().range(1).mapInPandas(place, "id long, x double, proj string")
    (row,) = frame.collect()
    assert abs(row.x - 500000) < 1e-6, row
    assert row.proj == "none", row
    import geopandas as gpd, pyproj, rasterio
    assert rasterio.crs.CRS.from_epsg(26918).is_projected
    assert pyproj.Transformer.from_crs(4326, 26918).transform(40.0, -75.0)[0] == row.x
    print("left out:", *sorted(LEFT_OUT))
"""


def is_listed(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def test_reading_in_driver_and_workers_among_other_installations(tmp_path: Path) -> None:
    (tmp_path / "proj.db").write_bytes(b"of another version")
    other = tmp_path / "spark" / "python"
    (other / "pyspark").mkdir(parents=True)
    (other / "pyspark" / "__init__.py").write_text("raise RuntimeError('another Spark')")
    (tmp_path / "reads.py").write_text(READS)
    names = ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH", "GDAL_CONFIG_FILE")
    environment = {
        **os.environ,
        **dict.fromkeys(names, str(tmp_path)),
        "PROJ_NETWORK": "ON",
        "SPARK_HOME": str(tmp_path / "spark"),
        "JAVA_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(other), str(SOURCE)]),
    }
    done = subprocess.run(
        [sys.executable, "reads.py"], cwd=tmp_path, env=environment, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = sorted([*names, "PROJ_NETWORK", "SPARK_HOME", "PYTHONPATH"])
    assert done.stdout.split("left out: ")[1].split() == expected
    assert f"JAVA_HOME={tmp_path} holds no Java" in done.stderr


def test_what_says_nothing_of_another_installation_stays() -> None:
    own = str(Path(pyspark.__file__).parent)
    given = {"SPARK_HOME": own, "PYTHONPATH": "/mine", "GDAL_CACHEMAX": "64", "PROJ_LIB": ""}
    left = dict(given)
    assert leave_out(left, ["/mine", *sys.path]) == {}
    assert left == given


def test_settings_that_another_sparks_folder_holds_are_read_where_they_are_named() -> None:
    given = {"SPARK_HOME": "/opt/spark", "SPARK_CONF_DIR": "/opt/spark/conf"}
    assert leave_out(given, sys.path) == {"SPARK_HOME": "/opt/spark"}
    assert given == {"SPARK_CONF_DIR": "/opt/spark/conf"}


def test_where_spark_submit_started_python_its_spark_stays(tmp_path: Path) -> None:
    (tmp_path / "pyspark").mkdir()
    (tmp_path / "pyspark" / "__init__.py").touch()
    given = {
        "PYSPARK_GATEWAY_PORT": "1", "SPARK_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)
    }  # fmt: skip
    left, path = dict(given), [str(tmp_path), *sys.path]
    assert leave_out(left, path) == {}
    assert left == given
    assert path[0] == str(tmp_path)


def test_spark_of_the_path_is_kept_where_there_is_no_other(tmp_path: Path) -> None:
    (tmp_path / "pyspark").mkdir()
    (tmp_path / "pyspark" / "__init__.py").touch()
    path = [str(tmp_path)]
    assert "PYTHONPATH" not in leave_out({"PYTHONPATH": str(tmp_path)}, path)
    assert path == [str(tmp_path)]


@pytest.mark.parametrize("home", [None, "/", "/nowhere"])
def test_a_user_that_is_a_number_gets_a_name_and_a_place(
    home: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: NOBODY)
    monkeypatch.setattr(os, "access", lambda place, _: Path(place) != Path("/") and False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    environment = {} if home is None else {"HOME": home}
    assert not is_listed(NOBODY)
    provide_home(environment)
    assert environment["USER"] == environment["LOGNAME"] == f"user-{NOBODY}"
    assert environment.get("HOME") == (home or environment[CACHES]), "what is there is read"
    for name in ("MPLCONFIGDIR", "TORCH_HOME", "XDG_CACHE_HOME"):
        assert Path(environment[name]).is_relative_to(environment[CACHES])


def test_a_home_that_may_be_written_is_used() -> None:
    environment = {"HOME": "/tmp", "USER": "me"}
    provide_home(environment)
    assert environment == {"HOME": "/tmp", "USER": "me"}
