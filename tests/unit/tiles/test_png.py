"""Plain PNG files: told from all others, and decoded as Pillow does."""

import contextlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp
from PIL import ExifTags, Image

from aerial_kedro.tiles import png

COLOUR = np.random.default_rng(0).integers(0, 256, (9, 14, 3), dtype=np.uint8)


def encode(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return buffer.getvalue()


PLAIN = encode(COLOUR)
TURNED = Image.Exif()
TURNED[ExifTags.Base.Orientation] = 6


def with_header(*values: int) -> bytes:
    """Change what a file says of itself, with the checksum to match."""
    body = b"IHDR" + struct.pack(">LL5B", *values)
    return PLAIN[:12] + body + struct.pack(">L", zlib.crc32(body)) + PLAIN[33:]


@given(stnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
def test_pixels_come_back(pixels: np.ndarray) -> None:
    content = encode(pixels)
    assert png.plain_size(content) == (pixels.shape[1], pixels.shape[0])
    assert (png.decode_plain(content, pixels.shape[1], pixels.shape[0]) == pixels).all()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + bytes(99),
        PLAIN[:20],
        encode(COLOUR[..., 0]),
        encode(np.dstack([COLOUR, COLOUR[..., 0]])),
        with_header(14, 9, 16, 2, 0, 0, 0),
        with_header(14, 9, 8, 2, 0, 0, 1),
        encode(COLOUR, exif=TURNED),
    ],
    ids=["empty", "GIF", "cut in the header", "grey", "RGBA", "16-bit", "interlaced", "turned"],
)
def test_other_files_are_not_plain(content: bytes) -> None:
    assert png.plain_size(content) is None


@pytest.mark.parametrize("cut", range(1, len(PLAIN)))
def test_a_file_cut_off_anywhere_is_not_plain(cut: int) -> None:
    assert png.plain_size(PLAIN[:cut]) is None


def test_damaged_pixels_are_refused() -> None:
    middle = len(PLAIN) // 2
    with pytest.raises(rasterio.errors.RasterioError):
        png.decode_plain(PLAIN[:middle] + bytes(9) + PLAIN[middle + 9 :], 14, 9)


@given(st.integers(0, len(PLAIN) - 1), st.integers(1, 255))
def test_damage_anywhere_never_gives_other_pixels(position: int, change: int) -> None:
    content = bytearray(PLAIN)
    content[position] ^= change
    with contextlib.suppress(rasterio.errors.RasterioError):
        if png.plain_size(bytes(content)) == (14, 9):
            assert (png.decode_plain(bytes(content), 14, 9) == COLOUR).all()
