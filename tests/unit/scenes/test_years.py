"""The year of a scene and of land cover: which source counts, and what is asked about."""

import datetime
from pathlib import Path

import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.years import (
    counted_names,
    doubtful_year,
    year_of_land_cover,
    year_of_scene,
)

NOW = datetime.datetime.now(tz=datetime.UTC).year


def tag(year: int) -> dict[str, str]:
    return {"TIFFTAG_DATETIME": f"{year}:07:01 10:00:00"}


class TestOfScenes:
    @pytest.mark.parametrize(
        ("name", "year"),
        [
            ("m_3607801_ne_18_1_20120610.tif", 2012),
            ("m_3607717_sw_18_1_20160620_subset.tif", 2016),
            ("m_3211605_ne_11_060_20200415_20200801.tif", 2020),  # flight, then release
            ("m_3610332_se_13_060_20200903-downsampled.tif", 2020),
            ("/naip/2014/m_3607801_ne_18_h_20160718.tif", 2016),
            ("ortho_1-1_hn_s_md031_2018_1.tif", 2018),
            ("naip_2018_1024.tif", 2018),
            ("NAIP-MA-2018-1024.tif", 2018),
            ("naip2018_2000_4000.tif", 2018),
            ("scene-2012-06-10.tif", 2012),
            ("scene_2012.06.10_1.tif", 2012),
            ("20180610.tif", 2018),
            ("20180610_101010_ssc1d2.tif", 2018),
            ("20180610101010.tif", 2018),
            ("county_20180610_v2.tif", 2018),
            ("chip_2048_1024_20180610.tif", 2018),
        ],
    )
    def test_a_date_or_a_known_place_in_the_name_is_the_year(self, name: str, year: int) -> None:
        assert year_of_scene(name, tag(1999), 1998) == year

    @pytest.mark.parametrize(
        "name",
        [
            "riverside_2018_62.tif",
            "ortho2018.tif",
            "scene_2018_0012.tif",
            "scene_2018_06.tif",
            "m_3607801_ne_18_1_2018.tif",
            "dop10rgbi_32_372_5614_1_nw_2018.tif",  # North Rhine-Westphalia
            "swissimage-dop10_2018_2600-1199.tif",
            "33-2018-0412-6423-LA93-0M20.tif",  # France
        ],
    )
    def test_a_number_that_nothing_contradicts_is_the_year(self, name: str) -> None:
        assert year_of_scene(name, {}) == 2018
        assert year_of_scene(name, tag(2019)) == 2018
        assert year_of_scene(name, tag(2018), 2010) == 2018
        assert not counted_names([name])

    @pytest.mark.parametrize(
        "name",
        [
            "chip_2048_1024.tif",
            "chip_1024_2048.tif",
            "img_2016_1024.tif",
            "img_512_2016.tif",
            "img_2000_1500.tif",
            "x2018y1024.tif",
            "r2018_c17.tif",
            "tile_2018.tif",
            "patch-2018.tif",
            "naip_2048_1024.tif",
            "change_2016_2018.tif",
            f"scene_{NOW + 1}.tif",
            "m_3607801_ne_18_1.tif",
            "naip_3708020_sw_5.tif",
            "scene_20181399.tif",
            "x20189.tif",
            "tile_120180.tif",
        ],
    )
    def test_other_numbers_are_no_years(self, name: str) -> None:
        assert year_of_scene(name, tag(2012)) == 2012
        assert year_of_scene(name, {}, 1955) == 1955
        with pytest.raises(AerialError, match=r"does not say its year.*--params=year"):
            year_of_scene(name, {})

    def test_a_number_far_from_the_date_of_its_file_is_asked_about(self) -> None:
        wanted = r"in doubt: its name holds 2018 and its date tag 2012.*year=2018.*CSV"
        with pytest.raises(AerialError, match=wanted):
            year_of_scene("riverside_2018_62.tif", tag(2012))
        assert year_of_scene("riverside_2018_62.tif", tag(2012), 2013) == 2013

    def test_a_number_comes_before_the_year_that_is_given(self) -> None:
        """Which may be there for the land cover, or for other scenes."""
        assert year_of_scene("riverside_2018_62.tif", {}, 2011) == 2018

    def test_a_number_that_counts_scenes_is_no_year(self) -> None:
        names = [f"/x/plot_{number}_a1.tif" for number in range(1, 3001)]
        counted = counted_names([*names, "/x/county_2018_1.tif", "/x/county_2016_12.tif"])
        assert counted == {f"/x/plot_{number}_a1.tif" for number in range(1930, NOW + 1)}
        assert year_of_scene("/x/plot_1995_a1.tif", {}, 2018, counted=True) == 2018
        assert year_of_scene("/x/plot_1995_a1.tif", tag(2012), counted=True) == 2012
        with pytest.raises(AerialError, match="does not say its year"):
            year_of_scene("/x/plot_1995_a1.tif", {}, counted=True)

    @pytest.mark.parametrize("name", [f"m_3607801_ne_18_1_{NOW + 1}0610.tif", "20991231.tif"])
    def test_a_date_that_is_to_come_is_asked_about(self, name: str) -> None:
        with pytest.raises(AerialError, match="is to come"):
            year_of_scene(name, {})
        assert year_of_scene(name, {}, 2018) == 2018
        with pytest.raises(AerialError, match="is to come"):
            year_of_scene("a.tif", tag(NOW + 1))

    @pytest.mark.parametrize("date", ["0000:00:00 00:00:00", "soon", "", "1066:10:14 09:00:00"])
    def test_is_not_a_tiff_date_that_means_nothing(self, date: str) -> None:
        assert year_of_scene("a.tif", {"TIFFTAG_DATETIME": date}, 1998) == 1998

    @given(
        st.integers(1930, NOW),
        st.integers(1, 12),
        st.integers(1, 31),
        st.sampled_from(["ne", "nw", "se", "sw"]),
        st.sampled_from(["1", "060", "h", "h_n"]),
    )
    def test_is_the_flight_of_every_naip_name(
        self, year: int, month: int, day: int, quarter: str, gsd: str
    ) -> None:
        name = f"m_4112001_{quarter}_10_{gsd}_{year}{month:02}{day:02}_20991231.tif"
        assert year_of_scene(name, tag(1999)) == year

    def test_a_number_that_is_not_taken_can_be_named(self) -> None:
        assert doubtful_year("plot1995.tif") == 1995
        assert doubtful_year("chip_2016_1024.tif") is None
        assert doubtful_year("m_3607801_ne_18_1_20120610.tif") is None

    @pytest.mark.shared_data
    def test_real_names_keep_their_years(self, shared_data: Path) -> None:
        """By their own rules: `<city>_<year>_<site>`, and NAIP's date of flight."""
        cities = sorted((shared_data / "naip" / "california").glob("*.tif"))
        flights = sorted((shared_data / "naip").glob("*/m_*.tif"))
        assert (len(cities), len(flights)) == (160, 11)
        for path in cities + flights:
            known = path.stem.split("_")[-2] if path in cities else path.stem.split("_")[5][:4]
            with rasterio.open(path) as dataset:
                assert year_of_scene(str(path), dataset.tags()) == int(known)


class TestOfLandCover:
    @pytest.mark.parametrize(
        ("name", "year"),
        [
            ("nlcd_2019_land_cover_l48_20210604.tif", 2019),
            ("Annual_NLCD_LndCov_2021_CU_C1V0.tif", 2021),
            ("nlcd_2011_landcover_2011_edition_2014_10_10.img", 2011),
            ("winnf_n38w123_nlcd2011_1arcsec.tif", 2011),
            ("land_cover_1992.tif", 1992),
            ("tile_2016.tif", 2016),
            ("lc_2048_2016.tif", 2016),
            ("20160101.tif", 2016),
        ],
    )
    def test_is_the_number_in_its_name(self, name: str, year: int) -> None:
        assert year_of_land_cover(name, tag(2022), 2018) == year

    def test_is_its_date_or_what_is_given_where_the_name_says_nothing(self) -> None:
        assert year_of_land_cover("a.tif", tag(2016), 2018) == 2016
        assert year_of_land_cover("a.tif", {}, 2018) == 2018
        with pytest.raises(AerialError, match=r"land cover a\.tif does not say its year"):
            year_of_land_cover("a.tif", {})
        with pytest.raises(AerialError, match="2099 is to come"):
            year_of_land_cover("lc_2099.tif", {})
