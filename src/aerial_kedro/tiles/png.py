"""Plain colour PNG files through GDAL, which inflates them whole: in half of Pillow's time."""

import struct

import numpy as np
import rasterio

from aerial_kedro.scenes.bands import RGB

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB_8_BIT = bytes([8, 2, 0, 0, 0])  # depth, colour, three methods

# How chunks begin in which an orientation may stand.
_ORIENTED = (b"eXIf", b"iTXtXML:com.adobe.xmp", b"tEXtRaw profile", b"zTXtRaw profile")


def plain_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of an 8-bit RGB picture whose file is there to its end.

    GDAL fills what a cut-off file lacks with black, so that such a file is not plain; nor is
    one of any other kind, interlaced pictures and those that may be turned included.

    Parameters
    ----------
    content
        Content of any file.

    Returns
    -------
    tuple of int, or None
        Width and height in pixels; None where `decode_plain` should not be used.
    """
    if content[:8] + content[12:16] != SIGNATURE + b"IHDR" or content[24:29] != _RGB_8_BIT:
        return None
    # From one chunk to the next, up to the last.
    position = len(SIGNATURE)
    while position + 8 <= len(content):
        length, kind = struct.unpack_from(">L4s", content, position)
        if content.startswith(_ORIENTED, position + 4):
            return None
        position += length + 12  # with its length, kind and checksum
        if kind == b"IEND":
            width, height = struct.unpack_from(">2L", content, 16)
            return (width, height) if position <= len(content) else None
    return None


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
    with rasterio.MemoryFile(content) as memory, memory.open(driver="PNG") as dataset:
        pixels = np.empty((height, width, len(RGB)), dtype=np.uint8)
        # GDAL writes each band's values where they belong; no second copy is made.
        dataset.read(list(RGB), out=pixels.transpose(2, 0, 1))
        return pixels
