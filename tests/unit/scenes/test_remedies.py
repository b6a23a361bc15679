"""Refused scenes and land cover: each with the command that makes one that is read."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.control import GroundControlPoint

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.codes import read_windows
from aerial_kedro.scenes.headers import check_north_up
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.scenes.remedies import scale_command
from aerial_kedro.tiles.catalog import tiles_of_scene
from tests.builders import (
    ORIGIN,
    TILE,
    ZONE,
    paint_ground,
    read_scene_header,
    write_land_cover,
    write_scene,
)

X, Y = ORIGIN
SIDE = 340
COLOURS = paint_ground(ORIGIN, 2.0, (SIDE, SIDE))
INFRARED = np.random.default_rng(0).integers(1, 255, (1, SIDE, SIDE)).astype(np.uint8)
FOUR = np.concatenate([COLOURS, INFRARED])
TAGGED = {"photometric": "rgb", "alpha": "yes"}
UTM = f"-t_srs EPSG:326{ZONE % 100}"


def message(path: Path) -> str:
    with pytest.raises(AerialError) as caught:
        read_scene_header(path)
    return str(caught.value)


@pytest.mark.parametrize("crs", [f"EPSG:{ZONE}", "EPSG:4326"])
@pytest.mark.parametrize("pixels", [COLOURS, FOUR], ids=["colours", "infrared"])
def test_control_points_are_warped(tmp_path: Path, crs: str, pixels: np.ndarray) -> None:
    to_crs = Transformer.from_crs(ZONE, crs, always_xy=True)
    points = [
        GroundControlPoint(row, col, *to_crs.transform(X + 2 * col, Y - 2 * row))
        for row in (0, SIDE)
        for col in (0, SIDE)
    ]
    path = tmp_path / "two words_2018.tif"
    tags = TAGGED if len(pixels) > 3 else {}
    with rasterio.open(
        path, "w", driver="GTiff", count=len(pixels), height=SIDE, width=SIDE, dtype="uint8",
        gcps=points, crs=crs, **tags,
    ) as dataset:  # fmt: skip
        dataset.write(pixels)
    found = message(path)
    alpha = " -nosrcalpha" if tags else ""
    names = "'two words_2018.tif' 'two words_2018_utm.tif'"
    assert f"`gdalwarp {UTM} -r bilinear{alpha} {names}`" in found
    assert "control points only" in found


@pytest.mark.parametrize(
    ("changes", "command"),
    [
        (
            {"crs": "EPSG:4326", "origin": (-75, 39), "gsd": 1e-5},
            f"gdalwarp {UTM} -r bilinear a_2018.tif a_2018_utm.tif",
        ),
        (
            {"transform": Affine(1, 0.2, X, 0.2, -1, Y)},
            "gdalwarp -r bilinear a_2018.tif a_2018_north_up.tif",
        ),
        (
            {"transform": Affine(1, 0, X, 0, 1, Y), "pixels": FOUR, **TAGGED},
            "gdalwarp -r bilinear -nosrcalpha a_2018.tif a_2018_north_up.tif",
        ),
        (
            {"pixels": FOUR.astype(np.uint16), "photometric": "minisblack"},
            "gdal_translate -ot Byte -b 1 -b 2 -b 3 -b 4 -scale LOW HIGH 0 255 "
            "a_2018.tif a_2018_8bit.tif",
        ),
        (
            {"pixels": np.zeros((13, 8, 8), np.uint16)},
            "gdal_translate -ot Byte -b 4 -b 3 -b 2 -scale 0 3000 0 255 a_2018.tif a_2018_8bit.tif",
        ),
        (
            {"pixels": COLOURS >> 4, "nbits": 4},
            "gdal_translate -co NBITS=8 -scale 0 15 0 255 a_2018.tif a_2018_8bit.tif",
        ),
    ],
    ids=["degrees", "rotated", "south-up", "16 bits", "Sentinel-2", "4 bits"],
)
def test_the_command_that_helps_is_named(
    tmp_path: Path, changes: dict[str, Any], command: str
) -> None:
    assert f"`{command}`" in message(write_scene(tmp_path / "a_2018.tif", **changes))


def test_a_scale_is_for_all_files() -> None:
    assert "same LOW (black) and HIGH (white)" in scale_command(3, (1, 2, 3))


@pytest.mark.parametrize("gsd", [0.3, 1.0, 30.0])
def test_rounding_is_no_rotation(tmp_path: Path, gsd: float) -> None:
    """And what is read is what the upright scene has."""
    scenes = []
    for skew in (0.0, 1e-12, -1e-8 * gsd):
        transform = Affine(gsd, skew, X, -skew, -gsd, Y)
        path = write_scene(tmp_path / f"a{len(scenes)}_2018.tif", pixels=FOUR, transform=transform)
        header = read_scene_header(path)
        assert header.transform == (gsd, 0, X, 0, -gsd, Y)
        size = min(TILE, 100 * gsd)
        with SceneReader() as reader:
            scenes.append(tiles_of_scene(header, size, reader).drop(columns="href"))
    assert len(scenes[0])
    for other in scenes[1:]:
        pd.testing.assert_frame_equal(other, scenes[0])
    leaning = Affine(gsd, 1e-3 * gsd, X, 0, -gsd, Y)
    assert "rotated" in message(write_scene(tmp_path / "b_2018.tif", transform=leaning))


def test_rounding_is_no_rotation_of_land_cover_and_a_rotated_one_keeps_its_codes(
    tmp_path: Path,
) -> None:
    codes = np.full((40, 40), 41, np.uint8)
    path = tmp_path / "nlcd_2019.tif"
    write_land_cover(path, codes)
    with rasterio.open(path, "r+") as dataset:
        across, _, left, _, down, top = dataset.transform[:6]
        dataset.transform = Affine(across, 1e-12, left, -1e-12, down, top)
    with rasterio.open(path) as dataset:
        check_north_up(dataset, "The land cover")
        middle = shapely.box(*dataset.bounds).centroid.buffer(3 * across)
    [(_, window)] = read_windows(str(path), np.array([middle]))
    assert (window.codes == 41).all()
    with rasterio.open(path, "r+") as dataset:
        dataset.transform = Affine(across, 1, left, 0, down, top)
    remedy = "`gdalwarp -r near nlcd_2019.tif nlcd_2019_north_up.tif`"
    with rasterio.open(path) as dataset, pytest.raises(AerialError, match=re.escape(remedy)):
        check_north_up(dataset, "The land cover")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"origin": (5e8, 5e8)}, "its centre, 500000340"),
        ({"origin": (1e30, 1e30)}, r"its centre, 1e\+30"),
        ({"transform": Affine(1, 0, float("inf"), 0, -1, 0)}, "its centre, inf"),
        ({"transform": Affine(1, 0, float("nan"), 0, -1, 0)}, "its centre, nan"),
        (
            {"crs": "ESRI:54008", "transform": Affine(6e4, 0, -1.9e7, 0, -6e4, 9e6)},
            "a corner, -19000000",
        ),
    ],
)
def test_a_scene_off_the_earth_is_named(
    tmp_path: Path, changes: dict[str, Any], where: str
) -> None:
    path = write_scene(tmp_path / "a_2018.tif", pixels=COLOURS, **changes)
    with pytest.raises(AerialError, match=rf"The scene {path} lies off the earth: {where}"):
        read_scene_header(path)


def test_a_scene_without_a_place_is_not_called_rotated(tmp_path: Path) -> None:
    path = write_scene(tmp_path / "a_2018.tif", pixels=COLOURS, transform=Affine.identity())
    assert "no place in it. Give it one: gdal_edit.py -a_ullr" in message(path)
