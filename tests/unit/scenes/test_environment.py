"""The user's environment does not change what is read."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window
from shapely import box

from aerial_kedro.datasets.land_cover import LandCoverDataset
from aerial_kedro.labels.codes import read_windows
from aerial_kedro.scenes.environment import reading_environment
from aerial_kedro.scenes.reader import SceneReader, TileReadError
from aerial_kedro.tiles.decoding import decode_image
from tests.builders import random_codes, read_scene_header, write_scene

VARIABLES = {
    "CONVERT_YCBCR_TO_RGB": "NO",
    "GDAL_GEOREF_SOURCES": "NONE",
    "GDAL_RASTERIO_RESAMPLING": "CUBIC",
    "GTIFF_IGNORE_READ_ERRORS": "YES",
    "GTIFF_POINT_GEO_IGNORE": "YES",
}
ROOT = Path(__file__).parents[3]


def read(scene: Path, damaged: Path) -> str:
    """What is read of two scenes, in a line."""
    window = Window(0, 0, 300, 300)
    with SceneReader() as reader:
        pixels = reader.read_window(str(scene), window, 200)
        try:
            reader.read_window(str(damaged), window, 200)
        except TileReadError as error:
            reason = str(error)
    header = read_scene_header(scene)
    picture = decode_image(scene.read_bytes(), 64)
    [land_cover] = LandCoverDataset(path=str(scene.with_name("nlcd_2019.tif"))).load()
    [(_, under)] = read_windows(land_cover.href, np.array([box(*land_cover.bounds)]))
    places = f"{header.transform} {land_cover.bounds} {under.transform}"
    return f"{places} {pixels.sum(axis=(0, 1))} {picture.sum(axis=(0, 1))} {reason}"


def test_variables_of_gdal_change_nothing(tmp_path: Path) -> None:
    """In another process: GDAL keeps what it has once read of them.

    They are set after the import, which leaves them out only where rasterio brings its own GDAL.
    """
    point = {"AREA_OR_POINT": "Point"}
    scene = write_scene(
        tmp_path / "a_2018.tif", tags=point,
        compress="jpeg", photometric="ycbcr", tiled=True, blockxsize=128, blockysize=128,
    )  # fmt: skip
    write_scene(tmp_path / "nlcd_2019.tif", pixels=random_codes((9, 9))[None], tags=point)
    damaged = write_scene(tmp_path / "b_2018.tif")
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    code = (
        f"import os, aerial_kedro; os.environ.update({VARIABLES!r}); "
        "from pathlib import Path; from tests.unit.scenes.test_environment import read; "
        f"print(read(Path({str(scene)!r}), Path({str(damaged)!r})))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert answer.stdout.strip() == read(scene, damaged)


def test_settings_end_with_the_context() -> None:
    with rasterio.Env():
        with reading_environment():
            assert rasterio.env.getenv()["GTIFF_POINT_GEO_IGNORE"] == "NO"
        assert "GTIFF_POINT_GEO_IGNORE" not in rasterio.env.getenv()


def test_inside_of_itself_the_context_is_entered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entered = []
    enter = rasterio.Env.__enter__
    monkeypatch.setattr(rasterio.Env, "__enter__", lambda env: (entered.append(env), enter(env))[1])
    for _ in range(2):
        with reading_environment():
            with reading_environment():
                assert rasterio.env.getenv()["GTIFF_POINT_GEO_IGNORE"] == "NO"
            assert rasterio.env.getenv()["GTIFF_POINT_GEO_IGNORE"] == "NO"
    assert len(entered) == 2


def test_each_thread_enters_the_context() -> None:
    """rasterio keeps the settings of each thread apart."""
    with reading_environment(), ThreadPoolExecutor(1) as pool:

        def look() -> str:
            with reading_environment():
                return str(rasterio.env.getenv()["GTIFF_POINT_GEO_IGNORE"])

        assert pool.submit(look).result() == "NO"


def test_after_an_error_the_context_is_entered_anew() -> None:
    with pytest.raises(ValueError, match="broken"), reading_environment():
        raise ValueError("broken")
    with reading_environment():
        assert rasterio.env.getenv()["GTIFF_POINT_GEO_IGNORE"] == "NO"
