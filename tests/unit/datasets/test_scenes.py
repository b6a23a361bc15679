"""Scene and land-cover folders, as far as they need no Spark."""

from pathlib import Path

import numpy as np
import pytest

from aerial_kedro.datasets.scenes import LandCoverDataset, SceneFolderDataset
from aerial_kedro.errors import AerialError
from tests.builders import CLASSES, random_codes, write_land_cover, write_scene
from tests.unit.datasets.refusals import refused


class TestScenes:
    def test_a_missing_folder_says_how_to_draw_the_sample(self, tmp_path: Path) -> None:
        with refused(r"scenes_root=.*gone does not exist.*sample_data"):
            SceneFolderDataset(path=str(tmp_path / "gone")).load()

    def test_a_folder_without_scenes_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "readme.txt").write_text("nothing here")
        with refused(r"holds no GeoTIFF.*from_folders"):
            SceneFolderDataset(path=str(tmp_path)).load()

    def test_one_bad_scene_is_named(self, tmp_path: Path) -> None:
        write_scene(tmp_path / "a_2018.tif")
        (tmp_path / "b_2018.tif").write_text("no scene")
        with refused(r"b_2018\.tif cannot be opened as a GeoTIFF"):
            SceneFolderDataset(path=str(tmp_path)).load()


class TestLandCover:
    def test_pieces_and_years_are_listed_with_their_codes(self, tmp_path: Path) -> None:
        written = [
            write_land_cover(tmp_path / "nlcd_2011.tif", random_codes((9, 9)), year=2011),
            write_land_cover(
                tmp_path / "nlcd_2019_land_cover_l48_20210604.tif",
                np.full((5, 5), 41, dtype=np.uint8),
                crs="EPSG:5070",
            ),
        ]
        assert LandCoverDataset(path=str(tmp_path)).load() == written

    @pytest.mark.parametrize(
        ("dtype", "nodata", "empty"),
        [("float32", -3.4e38, -3.4e38), ("float32", None, np.nan), ("uint8", 255, 255)],
    )
    def test_empty_cells_are_no_codes(
        self, tmp_path: Path, dtype: str, nodata: float | None, empty: float
    ) -> None:
        codes = random_codes((9, 9)).astype(dtype)
        codes[:4] = empty
        write_land_cover(tmp_path / "nlcd_2011.tif", codes, nodata=nodata)
        (found,) = LandCoverDataset(path=str(tmp_path / "nlcd_2011.tif")).load()
        assert set(found.codes) == set(np.unique(codes[4:]))

    def test_the_year_may_be_given(self, tmp_path: Path) -> None:
        write_land_cover(tmp_path / "nlcd.tif", random_codes((9, 9)))
        (found,) = LandCoverDataset(path=str(tmp_path), year=2016).load()
        assert found.year == 2016
        with refused(r"nlcd\.tif does not say its year"):
            LandCoverDataset(path=str(tmp_path)).load()

    @pytest.mark.parametrize("name", ["nlcd_2019.tif", "gone.tif"])
    def test_what_is_no_raster_is_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "nlcd_2019.tif").write_text("no raster")
        with refused(name):
            LandCoverDataset(path=str(tmp_path / name)).load()

    def test_a_raster_without_a_place_is_refused(self, tmp_path: Path) -> None:
        write_scene(tmp_path / "nlcd_2019.tif", crs=None, pixels=random_codes((9, 9))[None])
        with refused("no coordinate reference system"):
            LandCoverDataset(path=str(tmp_path)).load()


@pytest.mark.shared_data
class TestRealLandCover:
    def test_a_recoded_raster_is_refused(self, shared_data: Path) -> None:
        path = str(shared_data / "nlcd" / "spDataLarge_nlcd.tif")
        (raster,) = LandCoverDataset(path=path, year=2011).load()
        with pytest.raises(AerialError, match="codes 1, 2, 3, 4, 5, 6, 7, 8"):
            CLASSES.check_codes(raster.codes, raster.href)

    @pytest.mark.parametrize(
        "name",
        ["spDataLarge_nlcd2011", "mhweber_NLCD", "jhollist_pc_nlcd", "conus2011_100m_tile41"],
    )
    def test_nlcd_as_published_is_known_by_its_codes(self, shared_data: Path, name: str) -> None:
        path = str(shared_data / "nlcd" / f"{name}.tif")
        (raster,) = LandCoverDataset(path=path, year=2011).load()
        nlcd = {0, 11, 12, 21, 22, 23, 24, 31, 41, 42, 43, 51, 52, 71, 72, 73, 74, 81, 82, 90, 95}
        assert set(raster.codes) <= nlcd
        assert len(raster.codes) > 5
