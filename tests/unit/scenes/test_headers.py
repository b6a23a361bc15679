"""Headers of scenes: the ground sample distance, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.headers import read_header
from tests.builders import ORIGIN, ZONE, north_up, paint_ground, read_scene_header, write_scene


def test_header_holds_what_the_file_says(tmp_path: Path) -> None:
    path = write_scene(
        tmp_path / "a_2018.tif", gsd=0.6, tags={"TIFFTAG_IMAGEDESCRIPTION": "made up"}
    )
    header = read_header(str(path), "abfss://naip@account/a_2018.tif", "17-v3")
    assert header.href == "abfss://naip@account/a_2018.tif"
    assert header.source_version == "17-v3"
    assert (header.epsg, header.width, header.height, header.year) == (ZONE, 340, 340, 2018)
    assert header.affine == north_up(ORIGIN, 0.6)
    assert header.description == "made up"
    assert (header.lon, header.lat) == pytest.approx((-74.9992, 36.5048), abs=1e-3)


@pytest.mark.parametrize(
    ("crs", "gsd", "metres"),
    [
        ("EPSG:26918", 0.6, 0.6),
        ("EPSG:3857", 1.0, 0.953),  # the cosine of 17.7 degrees
        ("EPSG:2263", 1.0, 0.3048),  # New York in feet
    ],
)
def test_ground_sample_distance_is_in_metres_on_the_ground(
    tmp_path: Path, crs: str, gsd: float, metres: float
) -> None:
    origins = {"EPSG:2263": (1_000_000, 200_000), "EPSG:3857": (-8_500_000, 2_000_000)}
    path = write_scene(tmp_path / "a.tif", crs=crs, gsd=gsd, origin=origins.get(crs, ORIGIN))
    assert read_scene_header(path).gsd_m == pytest.approx(metres, rel=0.01)


PIXELS = paint_ground(ORIGIN, 2.0, (16, 16))


class TestRefused:
    def refuse(self, path: Path, match: str) -> None:
        with pytest.raises(AerialError, match=match) as refusal:
            read_scene_header(path)
        assert str(path) in str(refusal.value)

    @pytest.mark.parametrize(
        ("match", "changes"),
        [
            ("no coordinate reference system", {"crs": None}),
            ("in degrees", {"crs": "EPSG:4326", "origin": (-75, 39), "gsd": 1e-5}),
            ("no map projection", {"crs": 'LOCAL_CS["site",UNIT["metre",1]]'}),
            ("rotated", {"transform": Affine(1, 0.2, ORIGIN[0], 0.2, -1, ORIGIN[1])}),
            ("mirrored", {"transform": Affine(-1, 0, ORIGIN[0], 0, -1, ORIGIN[1])}),
            ("mirrored", {"transform": Affine(1, 0, ORIGIN[0], 0, 1, ORIGIN[1])}),
            ("1 band", {"pixels": PIXELS[:1]}),
            ("uint16", {"pixels": PIXELS.astype(np.uint16)}),
            ("float32", {"pixels": PIXELS.astype(np.float32)}),
        ],
    )
    def test_scenes_that_cannot_be_read_right(
        self, tmp_path: Path, match: str, changes: dict[str, Any]
    ) -> None:
        self.refuse(write_scene(tmp_path / "a.tif", **{"pixels": PIXELS, **changes}), match)

    def test_a_file_that_is_no_tiff(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tif"
        path.write_text("Scenes are in the other folder.")
        self.refuse(path, "cannot be opened as a GeoTIFF")

    def test_a_file_cut_short(self, tmp_path: Path) -> None:
        path = write_scene(tmp_path / "a.tif")
        path.write_bytes(path.read_bytes()[:200])
        self.refuse(path, "cannot be opened as a GeoTIFF")

    def test_a_virtual_raster_in_a_tiffs_clothes(self, tmp_path: Path) -> None:
        scene = write_scene(tmp_path / "scene.tif", pixels=PIXELS)
        path = tmp_path / "a.tif"
        path.write_text(
            f"""<VRTDataset rasterXSize="16" rasterYSize="16"><SRS>EPSG:{ZONE}</SRS>
            <GeoTransform>{ORIGIN[0]}, 1, 0, {ORIGIN[1]}, 0, -1</GeoTransform>
            """
            + "".join(
                f"""<VRTRasterBand dataType="Byte" band="{band}"><SimpleSource>
                <SourceFilename>{scene}</SourceFilename><SourceBand>{band}</SourceBand>
                </SimpleSource></VRTRasterBand>"""
                for band in (1, 2, 3)
            )
            + "</VRTDataset>"
        )
        self.refuse(path, "cannot be opened as a GeoTIFF")

    def test_a_missing_file(self, tmp_path: Path) -> None:
        self.refuse(tmp_path / "a.tif", "cannot be opened as a GeoTIFF")


def test_a_fourth_band_is_no_obstacle(tmp_path: Path) -> None:
    pixels = np.concatenate([PIXELS, PIXELS[:1]])
    assert read_scene_header(write_scene(tmp_path / "a.tif", pixels=pixels)).width == 16
