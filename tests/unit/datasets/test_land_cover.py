"""Land cover: folders of rasters, what is refused, what lies beside."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.windows import Window
from shapely import box

from aerial_kedro.datasets.land_cover import LandCoverDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.codes import read_windows
from aerial_kedro.scenes.headers import check_size
from tests.builders import CLASSES, ORIGIN, random_codes, write_land_cover, write_scene
from tests.unit.datasets.refusals import refused


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
        found = LandCoverDataset(path=str(tmp_path)).load()
        assert [replace(each, pixel_m=None) for each in found] == written
        assert found[0].pixel_m == pytest.approx(30, rel=1e-3)

    def test_pixels_in_degrees_are_known_in_metres(self, tmp_path: Path) -> None:
        degrees = {"crs": "EPSG:4326", "origin": (-78.0, 36.0), "gsd": 0.001}
        write_land_cover(tmp_path / "nlcd_2019.tif", random_codes((9, 9)), **degrees)
        (found,) = LandCoverDataset(path=str(tmp_path)).load()
        assert found.pixel_m == pytest.approx(90.2, abs=0.2)

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

    @pytest.mark.parametrize("name", ["nlcd_2011.img", "nlcd_2011.IMG"])
    def test_imagine_files_are_read(self, tmp_path: Path, name: str) -> None:
        """As NLCD was published until 2019: from the header to the codes under a tile."""
        codes = random_codes((20, 20))
        written = write_land_cover(tmp_path / "nlcd_2011.tif", codes, gsd=30.0, year=2011)
        with rasterio.open(tmp_path / "nlcd_2011.tif") as dataset:
            rasterio.shutil.copy(dataset, tmp_path / name, driver="HFA")
        (tmp_path / "nlcd_2011.tif").unlink()
        dataset = LandCoverDataset(path=str(tmp_path))
        (found,) = dataset.load()
        assert (found.year, found.codes, found.bounds) == (2011, written.codes, written.bounds)
        left, bottom, right, top = found.bounds
        [(_, window)] = read_windows(found.href, np.array([box(left, bottom, right, top)]))
        np.testing.assert_array_equal(window.codes, codes)
        assert dataset.preview()

    def test_an_imagine_file_may_have_its_pixels_beside_it(self, tmp_path: Path) -> None:
        """As all of NLCD has, which a header of some kilobytes declares."""
        codes = np.full((64, 64), 41, dtype=np.uint8)
        path = tmp_path / "nlcd_2011.img"
        with rasterio.open(
            path, "w", driver="HFA", count=1, height=40_000, width=40_000, dtype="uint8",
            crs="EPSG:5070", transform=Affine(30, 0, 0, 0, -30, 0), USE_SPILL="YES",
        ) as dataset:  # fmt: skip
            dataset.write(codes, 1, window=Window(0, 0, 64, 64))
        assert (tmp_path / "nlcd_2011.ige").stat().st_size > 1e9
        with rasterio.open(path) as dataset:
            check_size(dataset, str(path), "the land cover")

    def test_what_lies_beside_is_counted(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write_land_cover(tmp_path / "nlcd_2019.tif", random_codes((9, 9)))
        for name in ("nlcd_2011.jp2", "nlcd_2011.zip", "nlcd_2019.tif.aux.xml"):
            (tmp_path / name).touch()
        assert len(LandCoverDataset(path=str(tmp_path)).load()) == 1
        assert "2 file(s) were passed over: 1 .jp2, 1 .zip" in caplog.messages[0]
        assert "gdal_translate IN OUT.tif" in caplog.messages[0]

    def test_an_archive_and_a_web_address_say_what_to_do(self, tmp_path: Path) -> None:
        path = tmp_path / "nlcd.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("nlcd/readme.txt", "")
            archive.writestr("nlcd/nlcd_2011.img", "")
        with refused(rf"gdal_translate /vsizip/{path}/nlcd/nlcd_2011\.img land_cover_YEAR\.tif"):
            LandCoverDataset(path=str(path)).load()
        web = "https://host.example/nlcd.tif"
        with refused(rf"on the web.*gdal_translate -projwin .* /vsicurl/{web} land_cover_YEAR"):
            LandCoverDataset(path=web).load()
        with refused(r"storage that is not read \(s3://\)"):
            LandCoverDataset(path="s3://bucket/nlcd.tif").load()

    def test_the_command_for_an_archive_can_be_typed(self, tmp_path: Path) -> None:
        path = tmp_path / "nlcd 1.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("nlcd_2011.img", "")
        with refused(rf"gdal_translate '/vsizip/{path}/nlcd_2011\.img' land_cover_YEAR\.tif\."):
            LandCoverDataset(path=str(path)).load()

    @pytest.mark.parametrize("name", ["nlcd.7z", "nlcd_2011.tif.gz", "nlcd.tgz", "nlcd.rar"])
    def test_archives_that_gdal_opens_otherwise_are_to_be_unpacked(
        self, tmp_path: Path, name: str
    ) -> None:
        (tmp_path / name).touch()
        with refused(
            rf"{name} is an archive, which is not read\. Unpack it and give the folder\.$"
        ):
            LandCoverDataset(path=str(tmp_path / name)).load()
        with refused(r"on the web.* blob storage\. Download it and unpack it\.$"):
            LandCoverDataset(path=f"https://host.example/{name}").load()

    def test_only_geotiffs_are_opened(self, tmp_path: Path) -> None:
        source = write_scene(tmp_path / "source.tif", pixels=random_codes((9, 9))[None])
        for name, driver in (("virtual_2019.tif", "VRT"), ("picture_2019.tif", "PNG")):
            with rasterio.Env(), rasterio.open(source) as dataset:
                rasterio.shutil.copy(dataset, tmp_path / name, driver=driver)
            with rasterio.open(tmp_path / name) as dataset:
                assert dataset.driver == driver
            with refused(rf"{name} cannot be opened as a GeoTIFF"):
                LandCoverDataset(path=str(tmp_path / name)).load()

    def test_a_raster_cut_short_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "nlcd_2019.tif"
        write_land_cover(path, random_codes((300, 300)))
        path.write_bytes(path.read_bytes()[:40_000])
        with refused(r"nlcd_2019\.tif cannot be opened as a GeoTIFF"):
            LandCoverDataset(path=str(path)).load()

    @pytest.mark.parametrize(
        "transform",
        [
            Affine(30, 5, ORIGIN[0], 5, -30, ORIGIN[1]),
            Affine(-30, 0, ORIGIN[0], 0, -30, ORIGIN[1]),
            Affine(30, 0, ORIGIN[0], 0, 30, ORIGIN[1]),
        ],
    )
    def test_a_raster_that_is_not_north_up_is_refused(
        self, tmp_path: Path, transform: Affine
    ) -> None:
        path = tmp_path / "nlcd_2019.tif"
        write_scene(path, pixels=random_codes((9, 9))[None], transform=transform)
        with refused(r"nlcd_2019\.tif is rotated, mirrored or south-up"):
            LandCoverDataset(path=str(path)).load()

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
