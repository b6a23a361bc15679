"""Cloud Optimized GeoTIFFs, with colours for the values of their first band."""

import struct
from collections.abc import Iterator, Mapping

import rasterio
from rasterio.shutil import copy

from aerial_kedro.datasets.geotiff import encode_bands
from aerial_kedro.scenes.raster import Raster

COG_BLOCK = 256
"""Side of a block, pixels; a raster that is larger gets overviews."""
# TIFF 6.0: tags, types and their sizes in bytes.
_PHOTOMETRIC, _SAMPLES, _COLOUR_MAP, _TILE_OFFSETS, _EXTRA_SAMPLES = 262, 277, 320, 324, 338
_SHORT, _PALETTE = 3, 3
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 11: 4, 12: 8}
_FIELD = 12
# GDAL puts the size of a block before it.
_LEADER = 4

Directory = dict[int, tuple[int, int, bytes]]
"""Tag to type, count and values."""


def encode_cog(raster: Raster) -> bytes:
    """Write a raster as a Cloud Optimized GeoTIFF in memory.

    Overviews take the nearest pixel in every band: classes cannot be averaged, and a cell of an
    overview so shows one pixel's class with that pixel's probability.

    Parameters
    ----------
    raster
        The raster. If its first band has colours, no other band is transparency.

    Returns
    -------
    bytes
        Content of the file; below 4 GB.
    """
    with rasterio.MemoryFile(encode_bands(raster)) as memory, rasterio.MemoryFile() as made:
        with memory.open(driver="GTiff") as source:
            copy(
                source,
                made.name,
                driver="COG",
                compress="deflate",
                predictor="standard",
                level=9,
                blocksize=COG_BLOCK,
                overview_resampling="nearest",
                bigtiff="no",
            )
        content = bytes(made.read())
    table = raster.colour_table
    return _coloured(content, table, raster.pixels.itemsize) if table else content


def _coloured(content: bytes, table: Mapping[int, tuple[int, ...]], size: int) -> bytes:
    """Give the first band colours, and mark the others as of no special kind.

    GDAL reads colours of a file of any number of bands, but writes those of two at most, and marks
    the second as alpha: QGIS would paint a probability as transparency. To correct it through GDAL
    would move the directory to the end of the file and spoil the layout, so the directories, of the
    image and of its overviews, are written anew in their place, and the blocks moved behind them.

    Parameters
    ----------
    content
        The file as GDAL writes it.
    table
        Value to its colour.
    size
        Bytes of a value.
    """
    order = "<" if content[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", content, 4)
    directories = list(_read_directories(content, first, order))
    values = 256**size
    colours = [
        257 * table.get(each, (0, 0, 0))[band] for band in range(3) for each in range(values)
    ]
    for directory in directories:
        (samples,) = struct.unpack(f"{order}H", directory[_SAMPLES][2])
        for tag, found in (
            (_PHOTOMETRIC, [_PALETTE]),
            (_COLOUR_MAP, colours),
            (_EXTRA_SAMPLES, [0] * (samples - 1)),
        ):
            if found:
                packed = struct.pack(f"{order}{len(found)}H", *found)
                directory[tag] = (_SHORT, len(found), packed)
    old = min(min(each) for each in (_offsets(each, order) for each in directories) if each)
    start = first + sum(map(_size, directories))
    parts, at = [content[:first]], first
    for number, directory in enumerate(directories):
        _move_blocks(directory, start + _LEADER - old, order)
        parts.append(_packed(directory, at, order, is_last=number + 1 == len(directories)))
        at += _size(directory)
    return b"".join([*parts, content[old - _LEADER :]])


def _read_directories(content: bytes, at: int, order: str) -> Iterator[Directory]:
    while at:
        (count,) = struct.unpack_from(f"{order}H", content, at)
        directory = {}
        end = at + 2 + _FIELD * count
        for field in range(at + 2, end, _FIELD):
            tag, kind, number = struct.unpack_from(f"{order}HHI", content, field)
            length, where = _BYTES[kind] * number, field + 8
            if length > 4:  # noqa: PLR2004  # a value of four bytes lies in the field itself
                (where,) = struct.unpack_from(f"{order}I", content, where)
            directory[tag] = (kind, number, content[where : where + length])
        yield directory
        (at,) = struct.unpack_from(f"{order}I", content, end)


def _offsets(directory: Directory, order: str) -> list[int]:
    """Where blocks lie; those without data lie nowhere."""
    _, count, packed = directory[_TILE_OFFSETS]
    return [each for each in struct.unpack(f"{order}{count}I", packed) if each]


def _move_blocks(directory: Directory, distance: int, order: str) -> None:
    kind, count, packed = directory[_TILE_OFFSETS]
    moved = [each and each + distance for each in struct.unpack(f"{order}{count}I", packed)]
    directory[_TILE_OFFSETS] = (kind, count, struct.pack(f"{order}{count}I", *moved))


def _outside(packed: bytes) -> int:
    """Bytes that values take outside of their field, which begin at even places."""
    return len(packed) + len(packed) % 2 if len(packed) > 4 else 0  # noqa: PLR2004


def _size(directory: Directory) -> int:
    fields = 2 + _FIELD * len(directory) + 4
    return fields + sum(_outside(packed) for *_, packed in directory.values())


def _packed(directory: Directory, at: int, order: str, *, is_last: bool) -> bytes:
    """Write a directory that begins at a place, its values behind it, and then the next one."""
    where, values = at + 2 + _FIELD * len(directory) + 4, b""
    fields = struct.pack(f"{order}H", len(directory))
    for tag, (kind, count, packed) in sorted(directory.items()):
        fields += struct.pack(f"{order}HHI", tag, kind, count)
        if room := _outside(packed):
            fields += struct.pack(f"{order}I", where + len(values))
            values += packed.ljust(room, b"\0")
        else:
            fields += packed.ljust(4, b"\0")
    following = 0 if is_last else at + _size(directory)
    return fields + struct.pack(f"{order}I", following) + values
