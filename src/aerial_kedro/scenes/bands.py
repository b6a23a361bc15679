"""Which bands of a raster are colour, which is near infrared, and which only masks the others."""

import contextlib
import functools
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.shutil import copy
from rasterio.windows import Window

RGB = (1, 2, 3)
"""Numbers of red, green and blue in files of our own."""

# What a band is called in its description, where that says it.
_NAMES = {
    "red": ("red", "r"),
    "green": ("green", "g"),
    "blue": ("blue", "b"),
    "nir": ("nir", "n", "infrared", "near infrared"),
}
_COLOURS = ("red", "green", "blue")
_NAIP = re.compile(r"^m_\d{7}_[ns][ew]_\d{1,2}_|(?<![a-z])naip(?![a-z])", re.IGNORECASE)
_NAIP_TEXT = re.compile("national agriculture imagery program|\\bnaip\\b", re.IGNORECASE)

# Places of the blocks that are looked at, as shares of height and width: a block may lie in a lake
# or in an empty corner.
_PLACES = ((0.5, 0.5), (0.1, 0.1), (0.1, 0.9), (0.9, 0.1), (0.9, 0.9))
_LONGEST_PX = 512
# A mask is 255 wherever there is image; where it was resampled or compressed, a thin edge is
# something between. Near infrared may be 0 nearly everywhere, over deep water.
_FEWEST_VALUES = 16
_LEAST_SHARE = 0.01
_NEARLY_FULL = 240


def bands_of(dataset: rasterio.DatasetReader) -> tuple[int, ...]:
    """Find which bands are red, green and blue, and which is near infrared or a mask.

    Bands are known by their descriptions (``red``, ``R``), else by their tags (GDAL's colour
    interpretation), where these name all three colours; else by their order, in which a band that
    is tagged as alpha is passed over.

    Parameters
    ----------
    dataset
        The raster, opened.

    Returns
    -------
    tuple of int
        Numbers of red, green and blue, all the same for a grey image; then, where there are more
        bands, of the one that is near infrared if `holds_infrared` says so.
    """
    tags = [tag.name for tag in tags_of(dataset)]
    opaque = [number for number, tag in enumerate(tags, 1) if tag != "alpha"] or [1]
    if dataset.count < len(RGB):
        return (opaque[0],) * len(RGB)
    named = _named(dataset.descriptions) or _named(tags)
    in_order = opaque if len(opaque) >= len(RGB) else dataset.indexes
    colours = tuple(named[each] for each in _COLOURS) if named else tuple(in_order[: len(RGB)])
    rest = [number for number in dataset.indexes if number not in colours]
    return (*colours, *([named["nir"]] if "nir" in named else rest)[:1])


def tags_of(dataset: rasterio.DatasetReader) -> tuple[ColorInterp, ...]:
    """Return what the bands of a raster are tagged as.

    After a read that has failed rasterio raises that error here once more.
    """
    with contextlib.suppress(CPLE_BaseError):
        return tuple(dataset.colorinterp)
    return tuple(dataset.colorinterp)


def _named(texts: Sequence[str | None]) -> dict[str, int]:
    """Numbers of the bands by what they are called; empty unless each colour is there once."""
    called = [_plain(text) for text in texts]
    found = {
        meaning: [number for number, text in enumerate(called, 1) if text in names]
        for meaning, names in _NAMES.items()
    }
    if any(len(found[colour]) != 1 for colour in _COLOURS):
        return {}
    return {meaning: numbers[0] for meaning, numbers in found.items() if numbers}


def _plain(text: str | None) -> str:
    return (text or "").strip().lower()


def infrared_of(dataset: rasterio.DatasetReader) -> int | None:
    """Return the number of the band that may be near infrared; None where all are colours."""
    return next(iter(bands_of(dataset)[len(RGB) :]), None)


def holds_infrared(dataset: rasterio.DatasetReader) -> bool:
    """Decide by its values whether a scene's band beside the colours is near infrared, not a mask.

    A band described or tagged as infrared is it, whatever it holds. NAIP's is often tagged as
    alpha, so that tag does not tell. A block of the smallest overview (of
    the scene itself where it has none) is read, and up to four more where that shows no infrared.
    A mask has few values, nearly all of them 0 or 255; so has near infrared over deep water, which
    is known as such in NAIP's own files.

    Parameters
    ----------
    dataset
        The scene, opened.

    Raises
    ------
    rasterio.errors.RasterioIOError
        If no block shows infrared and one, of a scene that is not on this machine, cannot be
        read: storage may have failed. Damaged blocks of a local file are passed over.
    """
    number = infrared_of(dataset)
    if number is None:
        return False
    if tags_of(dataset)[number - 1] == ColorInterp.nir:
        return True
    if _plain(dataset.descriptions[number - 1]) in _NAMES["nir"]:
        return True
    failure = None
    seen = np.zeros(256, dtype=np.int64)
    for window, shape in _blocks(dataset, number):
        try:
            values = dataset.read(number, window=window, out_shape=shape)
        except rasterio.errors.RasterioIOError as error:
            failure = error
            continue
        counts = np.bincount(values[values != dataset.nodata], minlength=256)
        if _varies(counts):
            return True
        seen += counts
    if failure is not None and dataset.name.startswith("/vsi"):
        raise failure
    bright = seen[_NEARLY_FULL:].sum()
    return bool(_is_naip(dataset) and seen.any() and bright <= seen[1:_NEARLY_FULL].sum())


def _is_naip(dataset: rasterio.DatasetReader) -> bool:
    """Whether a file says by its name or description that it is NAIP, which has no alpha."""
    description = dataset.tags().get("TIFFTAG_IMAGEDESCRIPTION", "")
    name = PurePosixPath(dataset.name.partition("?")[0]).name
    return bool(_NAIP.search(name) or _NAIP_TEXT.search(description))


def _blocks(dataset: rasterio.DatasetReader, number: int) -> list[tuple[Window, tuple[int, int]]]:
    """Windows of one block each of a band's smallest overview, and the shapes to read them in."""
    factor = max(dataset.overviews(number), default=1)
    size = (dataset.height, dataset.width)
    block = dataset.block_shapes[number - 1]
    sides = [min(each * factor, whole) for each, whole in zip(block, size, strict=True)]
    shape = tuple(min(max(1, round(side / factor)), _LONGEST_PX) for side in sides)
    corners = {
        tuple(
            int(place * whole) // side * side
            for place, whole, side in zip(at, size, sides, strict=True)
        ): None
        for at in _PLACES
    }
    return [
        (Window(left, top, min(sides[1], size[1] - left), min(sides[0], size[0] - top)), shape)
        for top, left in corners
    ]


def _varies(counts: np.ndarray) -> bool:
    between = counts[1:255]
    return bool(
        np.count_nonzero(between) >= _FEWEST_VALUES
        and between.sum() > max(counts[255], _LEAST_SHARE * counts.sum())
    )


def is_masked_by_infrared(scene: rasterio.DatasetReader) -> bool:
    """Return whether GDAL takes the band of a scene that is infrared for its mask.

    It does where the band is tagged as alpha, unless there is a mask band or a nodata value.
    """
    red = bands_of(scene)[0]
    return is_tagged_as_alpha(scene) and MaskFlags.alpha in scene.mask_flag_enums[red - 1]


def is_tagged_as_alpha(scene: rasterio.DatasetReader) -> bool:
    """Return whether a colour of a scene, or the band that may be infrared, is tagged as alpha.

    Programs tag the last of four bands so, which is blue where infrared comes first.
    """
    tags = tags_of(scene)
    bands = bands_of(scene)
    return len(bands) > len(RGB) and any(tags[number - 1] == ColorInterp.alpha for number in bands)


def read_validity(
    scene: rasterio.DatasetReader,
    height: int,
    width: int,
    window: Window | None,
    *,
    has_infrared: bool,
) -> np.ndarray:
    """Read where a scene has image by its mask, alpha or the nodata values of the colours.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(height, width)``, bool.
    """
    if has_infrared and is_masked_by_infrared(scene):
        return np.ones((height, width), dtype=bool)
    colours = list(bands_of(scene)[: len(RGB)])
    masks = scene.read_masks(colours, window=window, out_shape=(len(RGB), height, width))
    valid = masks.any(axis=0)
    if not has_infrared and tags_of(scene)[0] == ColorInterp.alpha:
        # GDAL takes an alpha for the mask only where it is the last band.
        valid &= scene.read(1, window=window, out_shape=(height, width)) != 0
    return np.asarray(valid)


def open_unmasked(scene: rasterio.DatasetReader) -> rasterio.DatasetReader:
    """Open a scene once more, as a virtual raster in which infrared is not tagged as alpha.

    For warps, for which GDAL cannot forget the tag: where near infrared is 0, as over deep water,
    they would be black. All else (mask bands, nodata values, overviews) stays as it is.
    """
    with rasterio.MemoryFile(ext=".vrt") as memory:
        copy(scene, memory.name, driver="VRT")
        root = ElementTree.fromstring(memory.read())
    # Without the tag the order of bands may say something else: the colours are named.
    for number, name in zip(bands_of(scene), ("Red", "Green", "Blue", "Undefined"), strict=True):
        for band in root.iterfind(f"VRTRasterBand[@band='{number}']"):
            for tag in band.findall("ColorInterp"):
                band.remove(tag)
            ElementTree.SubElement(band, "ColorInterp").text = name
    return rasterio.open(ElementTree.tostring(root, encoding="unicode"), driver="VRT")


@contextlib.contextmanager
def cut_out(
    scene: rasterio.DatasetReader, bands: Sequence[int], window: Window, size: int
) -> Iterator[tuple[rasterio.DatasetReader, Window]]:
    """Copy a window's pixels into memory, where no alpha keeps GDAL from resampling them.

    Parameters
    ----------
    scene
        The scene.
    bands
        Numbers of the bands.
    window
        Window in pixels of the scene.
    size
        Side to which it is to be resampled, which decides the overview that is read.

    Yields
    ------
    tuple
        A raster in memory of these bands, somewhat larger than the window, and the window in it.
    """
    whole = np.array([scene.height, scene.width])
    shape = np.array(_shape_read(scene, min(window.width, window.height) / size))
    scale = whole / shape
    start = np.array([window.row_off, window.col_off]) / scale
    side = np.array([window.height, window.width]) / scale
    margin = math.ceil(side.max() / size) + 1  # what bilinear resampling looks at beyond an edge
    first = np.maximum(np.floor(start).astype(int) - margin, 0)
    rows, cols = np.minimum(np.ceil(start + side).astype(int) + margin, shape) - first
    (top, left), (height, width) = first * scale, (rows, cols) * scale
    pixels = scene.read(
        bands, window=Window(left, top, width, height), out_shape=(len(bands), rows, cols)
    )
    with rasterio.MemoryFile() as memory:
        # GDAL's driver MEM would leave out the part of a pixel at which a window begins.
        layout = {"driver": "GTiff", "interleave": "band", "photometric": "minisblack"}
        with memory.open(
            count=len(bands), height=rows, width=cols, dtype=pixels.dtype, blockysize=rows,
            transform=scene.transform, **layout,
        ) as copied:  # fmt: skip
            copied.write(pixels)
            row, col = start - first
            yield copied, Window(col, row, side[1], side[0])


def _shape_read(scene: rasterio.DatasetReader, shrinkage: float) -> tuple[int, int]:
    """Rows and columns of the overview that GDAL resamples (bilinear), or of the scene itself."""
    levels = [level for level, each in enumerate(scene.overviews(1)) if each <= shrinkage]
    if not levels:
        return scene.height, scene.width
    return _shape_of_overview(scene.name, levels[-1], scene.shape)


@functools.lru_cache(maxsize=64)
def _shape_of_overview(path: str, level: int, _whole: tuple[int, int]) -> tuple[int, int]:
    """Open an overview for its shape: some programs round odd sides up, others down."""
    with rasterio.open(path, driver="GTiff", overview_level=level) as overview:
        return overview.height, overview.width
