"""Writing whole files or none, and rasters that come back as they were."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

from aerial_kedro.datasets.geotiff import decode_geotiff, encode_geotiff
from aerial_kedro.datasets.rasters import RasterFolderDataset, preview_raster
from aerial_kedro.scenes.raster import Raster
from tests.builders import ORIGIN, north_up


def raster(shape: tuple[int, int, int] = (2, 20, 30), **changes: object) -> Raster:
    pixels = np.random.default_rng(1).integers(0, 200, shape, dtype=np.uint8)
    fields = {
        "pixels": pixels,
        "transform": north_up(ORIGIN, 224),
        "crs": "EPSG:26918",
        "nodata": 0,
        **changes,
    }
    return Raster(**fields)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestGeotiff:
    @pytest.mark.parametrize("shape", [(3, 5, 7), (1, 1, 1), (2, 1100, 1030)])
    @pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
    def test_comes_back_as_it_was(self, shape: tuple[int, int, int], dtype: str) -> None:
        made = raster(shape)
        made = raster(pixels=made.pixels.astype(dtype), tags={"CLASSES": "1 Forest"})
        found = decode_geotiff(encode_geotiff(made))
        assert (found.pixels == made.pixels).all()
        assert found.pixels.dtype == dtype
        assert (found.transform, found.crs, found.nodata) == (made.transform, made.crs, 0)
        assert found.tags["CLASSES"] == "1 Forest"

    def test_holds_names_and_colours_that_other_tools_show(self, tmp_path: Path) -> None:
        table = {1: (0, 100, 0, 255), 2: (255, 187, 34, 255)}
        made = raster(band_names=("land cover", "probability"), colour_table=table)
        (tmp_path / "a.tif").write_bytes(encode_geotiff(made))
        with rasterio.open(tmp_path / "a.tif") as dataset:
            assert dataset.descriptions == ("land cover", "probability")
            assert {value: dataset.colormap(1)[value] for value in table} == table

    def test_of_a_large_raster_is_tiled(self, tmp_path: Path) -> None:
        for side, tiled in ((500, False), (1100, True)):
            (tmp_path / "a.tif").write_bytes(encode_geotiff(raster((1, side, side))))
            with rasterio.open(tmp_path / "a.tif") as dataset:
                assert dataset.is_tiled == tiled

    def test_without_nodata_has_none(self) -> None:
        assert decode_geotiff(encode_geotiff(raster(nodata=None))).nodata is None


class TestFolder:
    def test_rasters_come_back_by_name(self, tmp_path: Path) -> None:
        dataset = RasterFolderDataset(path=str(tmp_path / "maps"))
        assert not dataset.exists()
        made = {"map_2012": raster(), "map_2018": raster((1, 4, 4))}
        dataset.save(made)
        assert dataset.exists()
        found = {name: read() for name, read in dataset.load().items()}
        assert list(found) == ["map_2012", "map_2018"]
        for name, each in made.items():
            assert (found[name].pixels == each.pixels).all()

    def test_functions_are_called_one_at_a_time(self, tmp_path: Path) -> None:
        dataset = RasterFolderDataset(path=str(tmp_path))
        seen = []

        def make() -> Raster:
            seen.append(names_in(tmp_path))
            return raster()

        dataset.save({"a": make, "b": make})
        assert [len([name for name in names if name.endswith(".tif")]) for names in seen] == [0, 1]

    def test_what_was_there_goes_and_other_files_stay(self, tmp_path: Path) -> None:
        dataset = RasterFolderDataset(path=str(tmp_path))
        (tmp_path / "predictions.csv").write_text("filepath\n")
        dataset.save({"map_2012": raster()})
        dataset.save({"map_2018": raster()})
        assert names_in(tmp_path) == ["map_2018.tif", "predictions.csv"]


def test_rasters_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(bands, rows, cols\), not \(4, 4\)"):
        raster(pixels=np.zeros((4, 4)))
    with pytest.raises(ValueError, match="1 band names for 2 bands"):
        raster(band_names=("one",))


def test_a_preview_shows_colours_by_their_tags(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 20, 20), dtype=np.uint8)
    shown = set()
    for order in (["red", "green", "blue"], ["blue", "green", "red"]):
        path = tmp_path / "a.tif"
        with rasterio.open(
            path, "w", driver="GTiff", count=3, height=20, width=20, dtype="uint8",
            photometric="minisblack", transform=north_up(ORIGIN, 1.0),
        ) as dataset:  # fmt: skip
            dataset.colorinterp = [rasterio.enums.ColorInterp[each] for each in order]
            dataset.write(pixels if order[0] == "red" else pixels[::-1])
        shown.add(preview_raster(str(path)))
    assert len(shown) == 1
