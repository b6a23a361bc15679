"""Cloud Optimized GeoTIFFs: the layout read byte by byte, without GDAL."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from aerial_kedro.datasets.cog import COG_BLOCK, encode_cog
from aerial_kedro.datasets.geotiff import decode_geotiff, encode_geotiff
from aerial_kedro.datasets.rasters import RasterFolderDataset
from aerial_kedro.maps.drawing import BANDS
from aerial_kedro.scenes.raster import Raster
from tests.builders import ORIGIN, north_up

COLOURS = {1: (0, 100, 0, 255), 2: (255, 187, 34, 255), 3: (74, 74, 85, 255)}
LARGE = (2 * COG_BLOCK + 40, 3 * COG_BLOCK - 7)
# Tags of TIFF 6.0.
WIDTH, LENGTH, EXTRA_SAMPLES = 256, 257, 338
TILE_WIDTH, TILE_OFFSETS, TILE_SIZES = 322, 324, 325
SIZES = {1: "B", 2: "B", 3: "H", 4: "I"}


def land_cover(shape: tuple[int, int], colours: bool = True, bands: int = 2) -> Raster:
    rng = np.random.default_rng(4)
    first = rng.integers(0, 4, shape)
    others = [rng.integers(1, 101, shape) for _ in BANDS[1:bands]]
    pixels = np.stack([first, *others]).astype(np.uint8)
    pixels[1:, pixels[0] == 0] = 0
    return Raster(
        pixels=pixels,
        transform=north_up(ORIGIN, 224),
        crs="EPSG:26918",
        nodata=0,
        band_names=BANDS[:bands],
        colour_table=COLOURS if colours else None,
        tags={"CLASSES": "1 Forest, 2 Field, 3 Unsure"},
    )


def directories(content: bytes) -> list[tuple[int, dict[int, tuple[int, ...]]]]:
    """The file's image directories: where each lies, and its tags of whole numbers."""
    assert content[:4] == b"II*\0"
    found = []
    (at,) = struct.unpack_from("<I", content, 4)
    while at:
        (count,) = struct.unpack_from("<H", content, at)
        tags = {}
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, n = struct.unpack_from("<HHI", content, entry)
            if kind in SIZES:
                code = f"<{n}{SIZES[kind]}"
                inside = struct.calcsize(code) <= 4
                where = entry + 8 if inside else struct.unpack_from("<I", content, entry + 8)[0]
                tags[tag] = struct.unpack_from(code, content, where)
        found.append((at, tags))
        (at,) = struct.unpack_from("<I", content, at + 2 + 12 * count)
    return found


@pytest.fixture(scope="module", params=[2, 4])
def large(request: pytest.FixtureRequest) -> bytes:
    return encode_cog(land_cover(LARGE, bands=request.param))


def test_directories_come_first_and_run_from_the_image_to_its_smallest_overview(
    large: bytes,
) -> None:
    found = directories(large)
    sizes = [(tags[LENGTH][0], tags[WIDTH][0]) for _, tags in found]
    assert sizes[0] == LARGE
    assert len(sizes) >= 3
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes[-1]) <= COG_BLOCK
    places = [at for at, _ in found]
    assert places == sorted(places)
    # GDAL's line about the layout comes before the first directory.
    assert places[0] < 512
    assert b"LAYOUT=IFDS_BEFORE_DATA" in large[: places[0]]
    assert b"KNOWN_INCOMPATIBLE_EDITION=NO" in large[: places[0]]


def test_pixels_lie_in_tiles_after_all_directories_smallest_overview_first(large: bytes) -> None:
    found = directories(large)
    first_tile = []
    for _, tags in found:
        assert tags[TILE_WIDTH] == (COG_BLOCK,)
        first_tile.append(min(offset for offset in tags[TILE_OFFSETS] if offset))
    assert min(first_tile) > max(at for at, _ in found)
    assert first_tile == sorted(first_tile, reverse=True)


def test_the_size_of_each_block_stays_before_it(large: bytes) -> None:
    """As GDAL says of the file, so that a reader needs one request for a block."""
    assert b"BLOCK_LEADER=SIZE_AS_UINT4" in large
    sizes = [
        (struct.unpack_from("<I", large, offset - 4)[0], size)
        for _, tags in directories(large)
        for offset, size in zip(tags[TILE_OFFSETS], tags[TILE_SIZES], strict=True)
    ]
    assert len(sizes) > 10
    assert all(before == size for before, size in sizes)


def test_gdal_knows_the_layout(large: bytes, tmp_path: Path) -> None:
    (tmp_path / "map.tif").write_bytes(large)
    with rasterio.open(tmp_path / "map.tif") as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.overviews(1) == dataset.overviews(2) == [2, 4]


@pytest.mark.parametrize("bands", [2, 4])
@pytest.mark.parametrize("shape", [(1, 1), (20, 30), LARGE])
def test_probabilities_are_not_taken_for_transparency(
    shape: tuple[int, int], bands: int, tmp_path: Path
) -> None:
    content = encode_cog(land_cover(shape, bands=bands))
    others = bands - 1
    assert all(tags[EXTRA_SAMPLES] == (0,) * others for _, tags in directories(content))
    (tmp_path / "map.tif").write_bytes(content)
    with rasterio.open(tmp_path / "map.tif") as dataset:
        assert dataset.colorinterp == (ColorInterp.palette, *[ColorInterp.undefined] * others)
        assert dataset.descriptions == BANDS[:bands]
        colours = {value: dataset.colormap(1)[value] for value in COLOURS}
        smaller = range(len(dataset.overviews(1)))
    assert colours == COLOURS
    for level in smaller:
        with rasterio.open(tmp_path / "map.tif", overview_level=level) as dataset:
            assert dataset.colorinterp == (ColorInterp.palette, *[ColorInterp.undefined] * others)


@pytest.mark.parametrize("bands", [1, 2, 4])
@pytest.mark.parametrize("shape", [(1, 1), (20, 30), LARGE])
def test_the_raster_comes_back_as_it_was(shape: tuple[int, int], bands: int) -> None:
    made = land_cover(shape, bands=bands)
    found = decode_geotiff(encode_cog(made))
    assert (found.pixels == made.pixels).all()
    assert (found.transform, found.crs, found.nodata) == (made.transform, made.crs, 0)
    assert found.band_names == made.band_names
    assert found.tags["CLASSES"] == made.tags["CLASSES"]
    assert found.colour_table is not None
    assert {value: found.colour_table[value] for value in COLOURS} == COLOURS


def test_overviews_show_whole_pixels_class_and_probability_together(
    large: bytes, tmp_path: Path
) -> None:
    (tmp_path / "map.tif").write_bytes(large)
    with rasterio.open(tmp_path / "map.tif", overview_level=0) as dataset:
        found = dataset.read()
    made = land_cover(LARGE, bands=len(found)).pixels
    rows, cols = found.shape[1:]
    around = np.stack(
        [
            np.pad(made, ((0, 0), (0, 1), (0, 1)), mode="edge")[
                :, down : down + 2 * rows : 2, right : right + 2 * cols : 2
            ]
            for down in (0, 1)
            for right in (0, 1)
        ]
    )
    same = (around == found).all(axis=1)
    assert same.any(axis=0).all()


def test_without_colours_nothing_is_changed() -> None:
    content = encode_cog(land_cover((20, 30), colours=False))
    assert (decode_geotiff(content).pixels == land_cover((20, 30)).pixels).all()


def test_a_folder_is_written_in_the_layout_that_it_is_told(tmp_path: Path) -> None:
    layouts = {}
    for driver in ("GTiff", "COG"):
        dataset = RasterFolderDataset(path=str(tmp_path / driver), driver=driver)
        dataset.save({"map_2018": land_cover((20, 30))})
        assert (dataset.load()["map_2018"]().pixels == land_cover((20, 30)).pixels).all()
        assert dataset.preview()
        with rasterio.open(tmp_path / driver / "map_2018.tif") as raster:
            layouts[driver] = raster.tags(ns="IMAGE_STRUCTURE").get("LAYOUT")
    assert layouts == {"GTiff": None, "COG": "COG"}


def test_a_plain_geotiff_of_more_than_two_bands_is_not_written_without_its_colours() -> None:
    """As GDAL would, without a word."""
    with pytest.raises(ValueError, match="no colours of 4 bands"):
        encode_geotiff(land_cover((2, 3), bands=4))


def test_the_preview_shows_the_classes_whatever_the_number_of_bands(tmp_path: Path) -> None:
    shown = set()
    for bands in (2, 4):
        dataset = RasterFolderDataset(path=str(tmp_path), driver="COG")
        dataset.save({"map_2018": land_cover((20, 30), bands=bands)})
        shown.add(str(dataset.preview()))
    assert len(shown) == 1


def test_another_layout_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'PNG'.*GTiff or COG"):
        RasterFolderDataset(path="maps", driver="PNG")
