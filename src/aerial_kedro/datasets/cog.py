"""GeoTIFFs as Cloud Optimized GeoTIFFs: tiled, with overviews, readable in parts over HTTP."""

from __future__ import annotations

import struct

import rasterio
from rasterio.shutil import copy

BLOCK = 256
"""Side of a block, pixels; a raster that is larger gets overviews."""

_EXTRA_SAMPLES = 338  # TIFF 6.0, section 18
_UNSPECIFIED = 0


def to_cog(geotiff: bytes) -> bytes:
    """Lay a GeoTIFF out as a Cloud Optimized GeoTIFF.

    Overviews take the nearest pixel in every band: classes cannot be averaged, and a cell of an
    overview so shows one pixel's class with that pixel's probability.

    Parameters
    ----------
    geotiff
        Content of the file. If its first band has colours, no other band is transparency.

    Returns
    -------
    bytes
        Content of the new file; below 4 GB.
    """
    with rasterio.MemoryFile(geotiff) as memory, rasterio.MemoryFile() as made:
        with memory.open(driver="GTiff") as source:
            copy(
                source,
                made.name,
                driver="COG",
                compress="deflate",
                predictor="standard",
                level=9,
                blocksize=BLOCK,
                overview_resampling="nearest",
                bigtiff="no",
            )
            has_colours = source.colorinterp[0] == rasterio.enums.ColorInterp.palette
        content = bytes(made.read())
    return _without_alpha(content) if has_colours else content


def _without_alpha(content: bytes) -> bytes:
    """Mark the bands beyond the coloured one as of no special kind.

    GDAL's copies, of its COG and its GTiff driver, mark the second band of a file with a colour
    table as alpha, whatever the source and the option ALPHA say, and QGIS would paint a probability
    as transparency. To correct it through GDAL would move the directory to the end of the file and
    spoil the layout, so the value is set in its place, in the directories of the image and of its
    overviews.
    """
    changed = bytearray(content)
    order = "<" if content[:2] == b"II" else ">"
    (offset,) = struct.unpack_from(f"{order}I", changed, 4)
    while offset:
        (entries,) = struct.unpack_from(f"{order}H", changed, offset)
        for position in range(offset + 2, offset + 2 + 12 * entries, 12):
            tag, _, count = struct.unpack_from(f"{order}HHI", changed, position)
            if tag == _EXTRA_SAMPLES and count <= 2:  # noqa: PLR2004  # two shorts lie in the entry
                struct.pack_into(f"{order}{count}H", changed, position + 8, *[_UNSPECIFIED] * count)
        (offset,) = struct.unpack_from(f"{order}I", changed, offset + 2 + 12 * entries)
    return bytes(changed)
