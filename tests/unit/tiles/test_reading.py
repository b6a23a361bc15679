"""Reading tiles: from files of every kind, and from scenes."""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rasterio.enums import Resampling
from rasterio.windows import Window

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.reader import SceneReader, TileReadError
from aerial_kedro.tiles.reading import read_image_file, read_tile
from tests.builders import ORIGIN, TILE, ZONE, north_up, paint_ground, write_scene

SIZE = 32
COLOUR = paint_ground(ORIGIN, 4.0, (SIZE, SIZE)).transpose(1, 2, 0)
GREY = COLOUR[..., 0]


def encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def encode_tiff(pixels: np.ndarray, **profile: Any) -> bytes:
    colours = profile.pop("colours", None)
    with rasterio.MemoryFile() as memory:
        count, height, width = pixels.shape
        with memory.open(
            driver="GTiff", count=count, height=height, width=width, dtype=pixels.dtype,
            crs=f"EPSG:{ZONE}", transform=north_up(ORIGIN, 4.0), **profile,
        ) as dataset:  # fmt: skip
            dataset.write(pixels)
            if colours:
                dataset.write_colormap(1, colours)
        return bytes(memory.read())


PNG = encode(Image.fromarray(COLOUR), "PNG")
JPEG = encode(Image.fromarray(COLOUR), "JPEG", quality=95)
TIFF = encode_tiff(COLOUR.transpose(2, 0, 1))
PALETTE = Image.fromarray(COLOUR).quantize(16)
PALETTE_COLOURS = {
    value: (*PALETTE.getpalette()[3 * value : 3 * value + 3], 255) for value in range(16)
}


def png_chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def encode_png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """Write a PNG by hand, for what Pillow does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


class TestFiles:
    @pytest.fixture
    def read(self, tmp_path: Path) -> Callable[..., np.ndarray]:
        def write_and_read(content: bytes, name: str, size: int = SIZE) -> np.ndarray:
            path = tmp_path / name
            path.write_bytes(content)
            pixels = read_image_file(str(path), size)
            assert pixels.shape == (size, size, 3)
            assert pixels.dtype == np.uint8
            return pixels

        return write_and_read

    @pytest.mark.parametrize(
        ("content", "name", "tolerance"),
        [(PNG, "a.png", 0), (TIFF, "a.tif", 0), (TIFF, "a.TIFF", 0), (JPEG, "a.jpg", 25)],
    )
    def test_colour_is_kept(
        self, read: Callable, content: bytes, name: str, tolerance: int
    ) -> None:
        assert np.abs(read(content, name).astype(int) - COLOUR).max() <= tolerance

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (encode(Image.fromarray(GREY), "PNG"), "a.png"),
            (encode(Image.fromarray(GREY).convert("LA"), "PNG"), "a.png"),
            (encode_tiff(GREY[None]), "a.tif"),
            (encode(Image.fromarray(GREY), "TIFF", tiffinfo={262: 0}), "a.tif"),  # white is 0
            (encode_tiff(np.stack([GREY, GREY // 2]), photometric="minisblack"), "a.tif"),
        ],
    )
    def test_grey_is_in_all_three_channels(self, read: Callable, content: bytes, name: str) -> None:
        assert (read(content, name) == GREY[..., None]).all()

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (encode(PALETTE, "PNG"), "a.png"),
            (encode_tiff(np.asarray(PALETTE)[None], colours=PALETTE_COLOURS), "a.tif"),
        ],
    )
    def test_palettes_become_colours(self, read: Callable, content: bytes, name: str) -> None:
        assert (read(content, name) == np.asarray(PALETTE.convert("RGB"))).all()

    @pytest.mark.parametrize("name", ["a.png", "a.tif", "a"])
    @pytest.mark.parametrize("content", [PNG, JPEG, TIFF], ids=["PNG", "JPEG", "TIFF"])
    def test_a_name_says_nothing_of_the_content(
        self, read: Callable, content: bytes, name: str
    ) -> None:
        assert np.abs(read(content, name).astype(int) - COLOUR).mean() < 2

    def test_cmyk_of_a_tiff_becomes_colour(self, read: Callable) -> None:
        content = encode(Image.fromarray(COLOUR).convert("CMYK"), "TIFF")
        assert np.abs(read(content, "a.tif").astype(int) - COLOUR).max() <= 2

    @pytest.mark.parametrize("name", ["a.png", "a.tif"])
    def test_alpha_is_dropped_and_the_colour_under_it_kept(self, read: Callable, name: str) -> None:
        alpha = np.linspace(0, 255, SIZE * SIZE).astype(np.uint8).reshape(SIZE, SIZE, 1)
        pixels = np.concatenate([COLOUR, alpha], axis=2)
        content = {
            "a.png": encode(Image.fromarray(pixels), "PNG"),
            "a.tif": encode_tiff(pixels.transpose(2, 0, 1), photometric="rgb", alpha="yes"),
        }[name]
        assert (read(content, name) == COLOUR).all()

    @pytest.mark.parametrize(
        ("content", "name"), [(PNG, "a.png"), (JPEG, "a.jpg"), (TIFF, "a.tif")]
    )
    @pytest.mark.parametrize("size", [8, 96])
    def test_other_sizes_are_resampled_over_the_whole_tile(
        self, read: Callable, content: bytes, name: str, size: int
    ) -> None:
        expected = Image.fromarray(COLOUR).resize((size, size), Image.Resampling.BILINEAR)
        difference = read(content, name, size).astype(int) - np.asarray(expected)
        assert np.abs(difference).mean() < 3

    def test_tiles_that_are_not_square_are_squeezed(self, read: Callable) -> None:
        content = encode(Image.fromarray(COLOUR[: SIZE // 2]), "PNG")
        assert (read(content, "a.png")[0] == COLOUR[0]).all()

    @pytest.mark.parametrize(
        ("content", "name", "reason"),
        [
            (b"", "a.png", r"empty \(0 bytes\)"),
            (b"", "a.tif", r"empty \(0 bytes\)"),
            (PNG[: len(PNG) // 2], "a.png", "broken: .*truncated"),
            (JPEG[: len(JPEG) // 2], "a.jpg", "broken: .*(T|t)runcated"),
            (TIFF[: len(TIFF) // 2], "a.tif", r"broken: .*(IReadBlock|directory)"),
            (b"Tiles are in the other folder.", "a.png", r"no image that is read \(PNG, JPEG"),
            (b"Tiles are in the other folder.", "a.tif", r"no image that is read \(PNG, JPEG"),
            (encode(Image.fromarray(COLOUR), "PPM"), "a.png", r"no image that is read"),
            (encode(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"), "a.jpg", "mode CMYK"),
            (encode(Image.fromarray(GREY.astype(np.uint16) * 200), "PNG"), "a.png", "16-bit"),
            (encode_png(1, 1, 16, 2, bytes(7)), "a.png", "16-bit"),
            (encode_tiff(GREY.astype(np.uint16)[None]), "a.tif", "uint16"),
            (encode_tiff(COLOUR.transpose(2, 0, 1).astype(np.float32)), "a.tif", "float32"),
            (encode_png(60_000, 60_000, 8, 2, b""), "a.png", "60000 × 60000 pixels"),
            (encode_png(60_000, 60_000, 8, 0, b""), "a.png", "3600000000 pixels"),
            (encode_png(9000, 9000, 8, 2, b""), "a.png", "9000 × 9000 pixels"),
            (
                encode_tiff(np.zeros((1, 9000, 9000), np.uint8), sparse_ok=True, compress="lzw"),
                "a.tif",
                "9000 × 9000 pixels",
            ),
        ],
    )  # fmt: skip
    def test_what_is_no_tile_is_refused_with_a_reason(
        self, read: Callable, content: bytes, name: str, reason: str
    ) -> None:
        with pytest.raises(TileReadError, match=reason):
            read(content, name)

    def test_a_missing_file_is_refused_with_a_reason(self, tmp_path: Path) -> None:
        with pytest.raises(TileReadError, match=r"cannot be read: .*No such file"):
            read_image_file(str(tmp_path / "a.png"), SIZE)

    def test_a_forbidden_address_is_an_error_of_the_run(self) -> None:
        with pytest.raises(AerialError, match="climbs out"):
            read_image_file("/data/../a.png", SIZE)

    @given(
        content=st.sampled_from([(PNG, "a.png"), (JPEG, "a.jpg"), (TIFF, "a.tif")]),
        cut=st.floats(0, 1),
        changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255))),
    )
    def test_damage_never_does_worse_than_a_refusal(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        content: tuple[bytes, str],
        cut: float,
        changes: list[tuple[float, int]],
    ) -> None:
        data = bytearray(content[0])
        for position, value in changes:
            data[int(position * len(data))] = value
        path = tmp_path_factory.getbasetemp() / f"damaged-{content[1]}"
        path.write_bytes(data if cut < 0.5 else data[: int(cut * len(data))])
        with contextlib.suppress(TileReadError):
            assert read_image_file(str(path), SIZE).shape == (SIZE, SIZE, 3)


def noise(side: int) -> np.ndarray:
    """Three bands that hardly compress."""
    rng = np.random.default_rng(0)
    return rng.integers(1, 256, (3, side, side)).astype(np.uint8)


class TestScenes:
    def test_only_four_scenes_are_open_at_once(self, tmp_path: Path) -> None:
        paths = [write_scene(tmp_path / f"{i}.tif") for i in range(6)]
        with SceneReader() as reader:
            opened = [reader.scene(str(path)) for path in paths]
            assert [dataset.closed for dataset in opened] == [True] * 2 + [False] * 4
            assert reader.scene(str(paths[5])) is opened[5]
        assert all(dataset.closed for dataset in opened)

    def test_the_scene_used_last_is_closed_last(self, tmp_path: Path) -> None:
        paths = [write_scene(tmp_path / f"{i}.tif") for i in range(5)]
        with SceneReader() as reader:
            first = reader.scene(str(paths[0]))
            others = [reader.scene(str(path)) for path in paths[1:4]]
            reader.scene(str(paths[0]))
            reader.scene(str(paths[4]))
            assert not first.closed
            assert others[0].closed

    def test_windows_and_warps_read_red_green_blue(self, tmp_path: Path) -> None:
        pixels = np.stack([np.full((120, 120), value, np.uint8) for value in (10, 20, 30, 40)])
        path = str(write_scene(tmp_path / "a.tif", pixels=pixels))
        bounds = (ORIGIN[0], ORIGIN[1] - TILE, ORIGIN[0] + TILE, ORIGIN[1])
        with SceneReader() as reader:
            for found in (
                reader.read_window(path, Window(0, 0, 112, 112), SIZE),
                reader.read_warped(path, bounds, ZONE, SIZE),
            ):
                assert found.shape == (3, SIZE, SIZE)
                assert found.dtype == np.uint8
                assert (found == np.array([10, 20, 30])[:, None, None]).all()

    @pytest.mark.parametrize("size", [112, 150, 224])
    def test_bands_read_one_by_one_are_those_read_pixel_by_pixel(
        self, tmp_path: Path, size: int
    ) -> None:
        """GDAL resamples into either order alike, with overviews and without."""
        scene = write_scene(tmp_path / "a.tif", pixels=noise(600), gsd=1.0)
        cog = tmp_path / "b.tif"
        rasterio.shutil.copy(scene, cog, driver="COG", blocksize=128, compress="deflate")
        for path in (scene, cog):
            for col, row in ((0.0, 0.0), (17.3, 150.6)):
                tile = {
                    "kind": "window", "href": str(path), "row_off": row, "col_off": col,
                    "height": 224.0, "width": 224.0, "has_infrared": False,
                }  # fmt: skip
                expected = np.empty((size, size, 3), np.uint8)
                with SceneReader() as reader:
                    pixels = read_tile(tile, size, reader)
                    reader.scene(str(path)).read(
                        [1, 2, 3], out=expected.transpose(2, 0, 1),
                        window=Window(col, row, 224.0, 224.0), resampling=Resampling.bilinear,
                    )  # fmt: skip
                assert pixels.flags.c_contiguous
                np.testing.assert_array_equal(pixels, expected)

    @pytest.mark.parametrize("row_off", [300.0, None])
    def test_damaged_and_missing_scenes_are_refused_with_a_reason(
        self, tmp_path: Path, row_off: float | None
    ) -> None:
        tile = {
            "kind": "window", "row_off": row_off, "col_off": 0.0, "height": 30.0, "width": 30.0,
            "epsg": ZONE, "xmin": ORIGIN[0], "xmax": ORIGIN[0] + 60,
            "ymin": ORIGIN[1] - 660, "ymax": ORIGIN[1] - 600,
        }  # fmt: skip
        path = write_scene(tmp_path / "a.tif")
        with SceneReader() as reader:
            assert read_tile({**tile, "href": str(path)}, SIZE, reader).any()
        path.write_bytes(path.read_bytes()[:200_000])
        with SceneReader() as reader:
            with pytest.raises(TileReadError, match=r"scene unreadable: .*IReadBlock"):
                read_tile({**tile, "href": str(path)}, SIZE, reader)
            with pytest.raises(TileReadError, match=r"scene unreadable: .*No such file"):
                read_tile({**tile, "href": str(tmp_path / "b.tif")}, SIZE, reader)

    def test_a_truncated_cog_loses_the_tiles_that_are_missing(self, tmp_path: Path) -> None:
        """Header and overviews come first in such a file, the last pixels last."""
        whole = write_scene(tmp_path / "whole.tif", pixels=noise(600))
        path = tmp_path / "a.tif"
        rasterio.shutil.copy(whole, path, driver="COG", blocksize=128, compress="deflate")
        path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
        with SceneReader() as reader:
            assert reader.scene(str(path)).overviews(1)
            assert reader.read_window(str(path), Window(0, 0, 112, 112), 112).any()
            with pytest.raises(TileReadError, match="scene unreadable"):
                reader.read_window(str(path), Window(480, 480, 112, 112), 112)
            # The rest goes on: one block that is missing does not close the scene.
            assert reader.read_window(str(path), Window(112, 112, 112, 112), 112).any()

    def test_only_geotiffs_are_opened(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tif"
        path.write_text('<VRTDataset rasterXSize="9" rasterYSize="9"></VRTDataset>')
        with (
            SceneReader() as reader,
            pytest.raises(TileReadError, match="scene unreadable"),
        ):
            reader.read_window(str(path), Window(0, 0, 9, 9), SIZE)


def test_tiles_of_files_need_no_scene(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    with SceneReader() as reader:
        pixels = read_tile({"kind": "file", "href": str(path), "row_off": None}, SIZE, reader)
    assert (pixels == COLOUR).all()


@pytest.mark.parametrize("alpha", [False, True])
def test_a_coarser_tile_is_read_from_the_scenes_overview(alpha: bool, tmp_path: Path) -> None:
    """The overview is painted otherwise than the scene: what comes out says which was read."""
    bands = 4 if alpha else 3
    noise = np.random.default_rng(1).integers(0, 100, (bands, 256, 256), dtype=np.uint8)
    tags = {"photometric": "rgb", "alpha": "yes"} if alpha else {}
    path = write_scene(tmp_path / "m_2018.tif", gsd=1.0, pixels=noise, **tags)
    with rasterio.open(path, "r+") as scene:
        scene.build_overviews([2], rasterio.enums.Resampling.average)
    with rasterio.open(path, "r+", overview_level=0) as overview:
        overview.write(np.full((bands, 128, 128), 200, np.uint8))
    tile = {"kind": "window", "href": str(path), "has_infrared": alpha}
    tile |= {"row_off": 16.0, "col_off": 16.0, "height": 224.0, "width": 224.0}
    with SceneReader() as reader:
        fine, coarse = (read_tile(tile, size, reader, infrared=True) for size in (224, 112))
    assert np.array_equal(fine, noise[:, 16:240, 16:240].transpose(1, 2, 0))
    assert (coarse == 200).all()
