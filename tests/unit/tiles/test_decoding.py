"""Decoding image files: the same picture is the same tile, whatever kind of file holds it."""

import contextlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
from rasterio.enums import ColorInterp

from aerial_kedro.scenes.reader import TileReadError
from aerial_kedro.tiles.decoding import decode_image
from tests.builders import ORIGIN, paint_ground
from tests.unit.tiles.test_reading import PALETTE, encode, encode_png, encode_tiff

WIDTH, HEIGHT = 40, 26
COLOUR = paint_ground(ORIGIN, 4.0, (HEIGHT, WIDTH)).transpose(1, 2, 0)
GREY = COLOUR[..., 0]
BANDS = COLOUR.transpose(2, 0, 1)
# Values as infrared and as no mask has them, a lake among them.
INFRARED = np.random.default_rng(0).integers(0, 200, (HEIGHT, WIDTH)).astype(np.uint8)
INFRARED[5:20, 5:30] = 0
MASK = np.where(INFRARED > 0, 255, 0).astype(np.uint8)
ORIENTATION = 274
SIZES = (16, 26, 64)


def picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels)


def resampled(pixels: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(picture(pixels).resize((size, size), Image.Resampling.BILINEAR))


def four(fourth: np.ndarray) -> np.ndarray:
    return np.concatenate([BANDS, fourth[None]])


TEXT = PngImagePlugin.PngInfo()
TEXT.add_text("Software", "none")
LOSSLESS = {
    "PNG": encode(picture(COLOUR), "PNG"),
    "PNG with a text": encode(picture(COLOUR), "PNG", pnginfo=TEXT),
    "PNG with alpha": encode(picture(np.dstack([COLOUR, MASK])), "PNG"),
    "BMP": encode(picture(COLOUR), "BMP"),
    "WEBP": encode(picture(COLOUR), "WEBP", lossless=True),
    "WEBP with alpha": encode(
        picture(np.dstack([COLOUR, MASK])), "WEBP", lossless=True, exact=True
    ),
    "JPEG 2000": encode(picture(COLOUR), "JPEG2000"),
    "stream of JPEG 2000": encode(picture(COLOUR), "JPEG2000", no_jp2=True),
    "JPEG 2000 with alpha": encode(picture(np.dstack([COLOUR, MASK])), "JPEG2000"),
    "TIFF": encode_tiff(BANDS),
    "BigTIFF": encode_tiff(BANDS, bigtiff="yes"),
    "TIFF with a nodata value": encode_tiff(BANDS, nodata=int(GREY[3, 3])),
    "TIFF, alpha a mask": encode_tiff(four(MASK), photometric="rgb", alpha="yes"),
    "TIFF, infrared tagged alpha": encode_tiff(four(INFRARED), photometric="rgb", alpha="yes"),
    "TIFF, infrared untagged": encode_tiff(four(INFRARED), photometric="rgb", alpha="unspecified"),
    "TIFF, nothing tagged": encode_tiff(four(INFRARED), photometric="minisblack"),
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", LOSSLESS)
def test_a_picture_is_the_same_in_every_kind_of_file(kind: str, size: int) -> None:
    """Whatever alpha or a fourth band say, at any size."""
    np.testing.assert_array_equal(decode_image(LOSSLESS[kind], size), resampled(COLOUR, size))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 95}), ("JPEG", {"progressive": True}), ("GIF", {}), ("WEBP", {})],
)
def test_what_loses_something_is_nearly_the_same(kind: str, options: dict[str, Any]) -> None:
    found = decode_image(encode(picture(COLOUR), kind, **options), 26)
    assert np.abs(found.astype(int) - resampled(COLOUR, 26)).mean() < 6


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_the_first_picture_of_an_animation_counts(kind: str) -> None:
    frames = [picture(np.full((9, 9, 3), value, np.uint8)) for value in (200, 20, 90)]
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert (np.abs(decode_image(content, 9).astype(int) - 200) < 4).all()


@pytest.mark.parametrize("order", [("blue", "green", "red"), ("alpha", "red", "green", "blue"),
                                   ("nir", "green", "blue", "red")])  # fmt: skip
def test_bands_of_a_tiff_are_read_by_their_tags(order: tuple[str, ...]) -> None:
    parts = dict(zip(("red", "green", "blue"), BANDS, strict=True)) | {"alpha": MASK}
    pixels = np.stack([parts.get(each, INFRARED) for each in order])
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=len(order), height=HEIGHT, width=WIDTH, dtype="uint8",
            photometric="minisblack",
        ) as dataset:  # fmt: skip
            dataset.colorinterp = [ColorInterp[each] for each in order]
            dataset.write(pixels)
        content = bytes(memory.read())
    np.testing.assert_array_equal(decode_image(content, 30), resampled(COLOUR, 30))


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 8])
def test_fewer_than_eight_bits_go_from_black_to_white(bits: int) -> None:
    values = GREY >> (8 - bits)
    grey = np.rint(values * 255.0 / (2**bits - 1)).astype(np.uint8)
    expected = np.dstack([grey] * 3)
    options = {} if bits == 8 else {"nbits": bits}
    for found, wanted in (
        (encode_tiff(values[None], **options), expected),
        (encode_tiff(np.stack([values] * 3), photometric="rgb", **options), expected),
        (encode_tiff(values[None], photometric="miniswhite", **options), 255 - expected),
    ):
        np.testing.assert_array_equal(decode_image(found, 30), resampled(wanted, 30))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_so_do_they_in_a_png_and_a_jpeg_2000(bits: int) -> None:
    values = GREY >> (8 - bits)
    expected = np.dstack([np.rint(values * 255.0 / (2**bits - 1)).astype(np.uint8)] * 3)
    rows = b"".join(
        b"\0" + np.packbits(np.unpackbits(row[:, None], axis=1)[:, 8 - bits :]).tobytes()
        for row in values
    )
    png = encode_png(WIDTH, HEIGHT, bits, 0, rows)
    np.testing.assert_array_equal(decode_image(png, 30), resampled(expected, 30))
    with rasterio.MemoryFile() as memory, rasterio.MemoryFile(
        encode_tiff(values[None], nbits=bits)
    ) as tiff, tiff.open() as source:  # fmt: skip
        rasterio.shutil.copy(
            source, memory.name, driver="JP2OpenJPEG", nbits=bits, quality=100, reversible=True
        )
        jpeg = bytes(memory.read())
    np.testing.assert_array_equal(decode_image(jpeg, 30), resampled(expected, 30))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("JPEG", {"quality": 100, "subsampling": 0}), ("TIFF", {}),
     ("TIFF", {"big_tiff": True}), ("TIFF", {"compression": "jpeg", "quality": 100}),
     ("WEBP", {"lossless": True})],
)  # fmt: skip
def test_pictures_stand_upright(orientation: int, kind: str, options: dict[str, Any]) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    turned = picture(COLOUR)
    turned.getexif()[ORIENTATION] = orientation
    expected = resampled(np.asarray(ImageOps.exif_transpose(turned)), 26)
    found = decode_image(encode(picture(COLOUR), kind, exif=exif, **options), 26)
    assert np.abs(found.astype(int) - expected).mean() < 1


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nothing", b"Exif\0\0"]
)
def test_broken_notes_in_a_whole_picture_cost_nothing(exif: bytes) -> None:
    found = decode_image(encode(picture(COLOUR), "JPEG", quality=95, exif=exif), 26)
    assert np.abs(found.astype(int) - resampled(COLOUR, 26)).mean() < 3


def without_chunk(png: bytes, name: bytes) -> bytes:
    at = png.index(name) - 4
    (length,) = struct.unpack_from(">I", png, at)
    return png[:at] + png[at + length + 12 :]


def without_tag(tiff: bytes, tag: int) -> bytes:
    """Rename a tag of a little-endian TIFF to one that nobody reads."""
    content = bytearray(tiff)
    (directory,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry) == (tag,):
            struct.pack_into("<H", content, entry, 65_000)
    return bytes(content)


LAB = ImageCms.profileToProfile(
    picture(COLOUR), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
)
PALETTE_TIFF = encode_tiff(np.asarray(PALETTE)[None], colours={0: (1, 2, 3, 255)})
DEEP = np.zeros((13, 8, 8), np.uint16)
REFUSED: dict[str, tuple[bytes, str]] = {
    "palette PNG": (without_chunk(encode(PALETTE, "PNG"), b"PLTE"), "no palette"),
    "palette TIFF": (without_tag(PALETTE_TIFF, 320), "broken: NULL color table"),
    "PNG without pixels": (without_chunk(LOSSLESS["PNG"], b"IDAT"), "broken: "),
    "CMYK and turned": (
        encode(picture(COLOUR).convert("CMYK"), "TIFF", tiffinfo={ORIENTATION: 6}),
        "CMYK and to be turned",
    ),
    "13 bands": (
        encode_tiff(DEEP),
        r"uint16 .* in 13 band.*`gdal_translate -ot Byte -b 4 -b 3 -b 2 -scale 0 3000 0 255 IN",
    ),
    "16 bits": (
        encode_tiff(DEEP[:4], photometric="minisblack"),
        r"-ot Byte -b 1 -b 2 -b 3 -scale LOW HIGH 0 255 IN.tif OUT.tif`, with the same LOW",
    ),
    "16 bits of grey": (encode_png(1, 1, 16, 0, bytes(3)), r"Byte -b 1 -scale LOW .* IN.png"),
    "16 bits of colour": (encode_png(1, 1, 16, 6, bytes(9)), r"Byte -b 1 -b 2 -b 3 -scale .*png"),
    **{
        f"half a {kind}": (LOSSLESS[kind][: len(LOSSLESS[kind]) // 2], "^the image is broken: .")
        for kind in ("PNG", "BMP", "WEBP", "JPEG 2000", "TIFF")
    },
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_decoded_is_refused_with_a_reason(kind: str) -> None:
    content, reason = REFUSED[kind]
    with pytest.raises(TileReadError, match=reason):
        decode_image(content, 26)


def test_the_same_fault_has_the_same_reason() -> None:
    """GDAL calls each file in memory something else; reasons are counted."""
    half = LOSSLESS["TIFF"][: len(LOSSLESS["TIFF"]) // 2]
    reasons = set()
    for _ in range(2):
        with pytest.raises(TileReadError) as caught:
            decode_image(half, 26)
        reasons.add(str(caught.value))
    assert len(reasons) == 1


def test_a_jpeg_2000_whose_boxes_have_no_length_does_not_hang() -> None:
    """GDAL would look for its structure without end."""
    content = LOSSLESS["JPEG 2000"].replace(b"\0\0\0\x0fcolr", b"\0\0\0\0colr")
    assert content != LOSSLESS["JPEG 2000"]
    assert decode_image(content, 26).shape == (26, 26, 3)


@given(
    kind=st.sampled_from([*LOSSLESS, *REFUSED]),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    cut=st.floats(0.3, 1),
)
def test_nothing_that_a_decoder_raises_ends_a_run(
    kind: str, changes: list[tuple[int, int]], cut: float
) -> None:
    content = bytearray(LOSSLESS.get(kind) or REFUSED[kind][0])
    for position, value in changes:
        content[position % len(content)] = value
    with contextlib.suppress(TileReadError):
        assert decode_image(bytes(content[: int(cut * len(content))]), 26).shape == (26, 26, 3)


@pytest.mark.shared_data
def test_real_naip_has_its_colours_whatever_its_fourth_band_is_tagged_as(shared_data: Path) -> None:
    tagged = 0
    for path in sorted((shared_data / "naip").rglob("*.tif")):
        with rasterio.open(path) as dataset:
            tagged += ColorInterp.alpha in dataset.colorinterp
            colours = dataset.read((1, 2, 3)).transpose(1, 2, 0)
        found = decode_image(path.read_bytes(), 224)
        np.testing.assert_array_equal(found, resampled(np.ascontiguousarray(colours), 224))
    assert tagged > 100


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_cielab_is_what_it_was_made_of(orientation: int) -> None:
    """Eight bits of it hold colours to about a level; saturated blues to some more."""
    found = decode_image(encode(LAB, "TIFF", tiffinfo={ORIENTATION: orientation}), 26)
    turned = picture(COLOUR)
    turned.getexif()[ORIENTATION] = orientation
    expected = resampled(np.asarray(ImageOps.exif_transpose(turned)), 26)
    assert np.abs(found.astype(int) - expected).mean() < 2
