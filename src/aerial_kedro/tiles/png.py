"""Plain colour PNG files through GDAL, which inflates them whole: in half of Pillow's time."""

from __future__ import annotations

import struct

import numpy as np
import rasterio

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">4s2L5B")  # IHDR: width, height, depth, colour, three methods
_HEADER_AT = 12
_RGB_8_BIT = (8, 2)
_CHUNK = struct.Struct(">L4s")
_CHECKSUM_BYTES = 4


def plain_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of an 8-bit RGB picture whose file is there to its end.

    GDAL fills what a cut-off file lacks with black, so that such a file is not plain; nor is
    one of any other kind, interlaced pictures included.

    Parameters
    ----------
    content
        Content of any file.

    Returns
    -------
    tuple of int, or None
        Width and height in pixels; None where `decode_plain` should not be used.
    """
    if not content.startswith(SIGNATURE) or len(content) < _HEADER_AT + _HEADER.size:
        return None
    kind, width, height, depth, colour, *methods = _HEADER.unpack_from(content, _HEADER_AT)
    if kind != b"IHDR" or (depth, colour) != _RGB_8_BIT or any(methods):
        return None
    return (width, height) if _ends(content) else None


def _ends(content: bytes) -> bool:
    """Follow the chunks from one to the next, up to the last."""
    position = len(SIGNATURE)
    while position + _CHUNK.size <= len(content):
        length, kind = _CHUNK.unpack_from(content, position)
        position += _CHUNK.size + int(length) + _CHECKSUM_BYTES
        if kind == b"IEND":
            return position <= len(content)
    return False


def decode_plain(content: bytes, width: int, height: int) -> np.ndarray:
    """Decode a picture that has a `plain_size`.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(height, width, 3)``, uint8.

    Raises
    ------
    rasterio.errors.RasterioError
        If the file is damaged.
    """
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    with rasterio.MemoryFile(content) as memory, memory.open(driver="PNG") as dataset:
        # Written in place, rather than band by band and transposed afterwards.
        dataset.read([1, 2, 3], out=pixels.transpose(2, 0, 1))
    return pixels
