"""Headers of scenes: the year, the ground sample distance, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.headers import read_header, year_of_scene
from tests.builders import ORIGIN, ZONE, north_up, paint_ground, read_scene_header, write_scene


class TestYear:
    @pytest.mark.parametrize(
        ("name", "year"),
        [
            ("m_3607801_ne_18_1_20120610.tif", 2012),
            ("m_3607717_sw_18_1_20160620_subset.tif", 2016),
            ("m_3211605_ne_11_060_20200415_20200801.tif", 2020),  # flight, then release
            ("m_3610332_se_13_060_20200903-downsampled.tif", 2020),
            ("/naip/2014/m_3607801_ne_18_h_20160718.tif", 2016),
            ("riverside_2018_62.tif", 2018),
            ("ortho_1-1_hn_s_md031_2018_1.tif", 2018),
            ("scene-2012-06-10.tif", 2012),
            ("20180610.tif", 2018),
            ("county_20180610_v2.tif", 2018),
            ("nlcd_2019_land_cover_l48_20210604.tif", 2019),
            ("Annual_NLCD_LndCov_2021_CU_C1V0.tif", 2021),
        ],
    )
    def test_is_read_off_the_name(self, name: str, year: int) -> None:
        assert year_of_scene(name, {"TIFFTAG_DATETIME": "1999:01:01 00:00:00"}, 1998) == year

    @pytest.mark.parametrize(
        "name", ["m_3607801_ne_18_1.tif", "scene_20181399.tif", "x20189.tif", "tile_120180.tif"]
    )
    def test_is_not_taken_from_other_digits(self, name: str) -> None:
        assert year_of_scene(name, {}, default=1955) == 1955

    def test_is_the_tiff_date_where_the_name_says_nothing(self) -> None:
        assert year_of_scene("a.tif", {"TIFFTAG_DATETIME": "2020:07:01 10:00:00"}, 1998) == 2020

    @pytest.mark.parametrize("date", ["0000:00:00 00:00:00", "soon", "", "1066:10:14 09:00:00"])
    def test_is_not_a_tiff_date_that_means_nothing(self, date: str) -> None:
        assert year_of_scene("a.tif", {"TIFFTAG_DATETIME": date}, 1998) == 1998

    def test_is_demanded_where_nothing_tells_it(self) -> None:
        with pytest.raises(AerialError, match=r"a\.tif does not say its year.*--params=year"):
            year_of_scene("a.tif", {})

    @given(
        st.integers(1900, 2099),
        st.integers(1, 12),
        st.integers(1, 31),
        st.sampled_from(["ne", "nw", "se", "sw"]),
        st.sampled_from(["1", "060", "h", "h_n"]),
    )
    def test_is_the_flight_of_every_naip_name(
        self, year: int, month: int, day: int, quarter: str, gsd: str
    ) -> None:
        name = f"m_4112001_{quarter}_10_{gsd}_{year}{month:02}{day:02}_20991231.tif"
        assert year_of_scene(name, {}) == year


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
