"""Which bands of a scene are colour, which is near infrared, and which only masks the others."""

import contextlib
import functools
import math
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.shutil import copy
from rasterio.windows import Window

RGB = (1, 2, 3)
INFRARED = 4
"""Number of the band that is near infrared, where a scene has it."""

# Places of the blocks that are looked at, as shares of height and width: a block may lie in a lake
# or in an empty corner.
_PLACES = ((0.5, 0.5), (0.1, 0.1), (0.1, 0.9), (0.9, 0.1), (0.9, 0.9))
_LONGEST_PX = 512
# A mask is 255 wherever there is image; where it was resampled or compressed, a thin edge is
# something between. Near infrared may be 0 nearly everywhere, over deep water.
_FEWEST_VALUES = 16
_LEAST_SHARE = 0.01


def holds_infrared(dataset: rasterio.DatasetReader) -> bool:
    """Decide by its values whether a scene's fourth band is near infrared, not a mask.

    NAIP's is often tagged as alpha, so tags do not tell. A block of the smallest overview (of the
    scene itself where it has none) is read, and up to four more where that shows no infrared.

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
    if dataset.count < INFRARED:
        return False
    failure = None
    for window, shape in _blocks(dataset):
        try:
            values = dataset.read(INFRARED, window=window, out_shape=shape)
        except rasterio.errors.RasterioIOError as error:
            failure = error
            continue
        if _varies(values[values != dataset.nodata]):
            return True
    if failure is not None and dataset.name.startswith("/vsi"):
        raise failure
    return False


def _blocks(dataset: rasterio.DatasetReader) -> list[tuple[Window, tuple[int, int]]]:
    """Windows of one block each of the smallest overview, and the shapes to read them in."""
    factor = max(dataset.overviews(INFRARED), default=1)
    size = (dataset.height, dataset.width)
    block = dataset.block_shapes[INFRARED - 1]
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


def _varies(values: np.ndarray) -> bool:
    counts = np.bincount(values, minlength=256)
    between = counts[1:255]
    return bool(
        np.count_nonzero(between) >= _FEWEST_VALUES
        and between.sum() > max(counts[255], _LEAST_SHARE * values.size)
    )


def is_masked_by_infrared(scene: rasterio.DatasetReader) -> bool:
    """Return whether GDAL takes the fourth band of a scene, which is infrared, for its mask.

    It does where the band is tagged as alpha, unless there is a mask band or a nodata value.
    """
    return is_tagged_as_alpha(scene) and MaskFlags.alpha in scene.mask_flag_enums[0]


def is_tagged_as_alpha(scene: rasterio.DatasetReader) -> bool:
    """Return whether a scene's fourth band is tagged as alpha."""
    return ColorInterp.alpha in scene.colorinterp[INFRARED - 1 : INFRARED]


def read_validity(
    scene: rasterio.DatasetReader, height: int, width: int, window: Window | None
) -> np.ndarray:
    """Read where a scene with infrared has image by its mask or the nodata values of the colours.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(height, width)``, bool.
    """
    if is_masked_by_infrared(scene):
        return np.ones((height, width), dtype=bool)
    masks = scene.read_masks(RGB, window=window, out_shape=(len(RGB), height, width))
    return np.asarray(masks.any(axis=0))


def open_unmasked(scene: rasterio.DatasetReader) -> rasterio.DatasetReader:
    """Open a scene once more, as a virtual raster whose fourth band is not tagged as alpha.

    For warps, for which GDAL cannot forget the tag: where near infrared is 0, as over deep water,
    they would be black. All else (mask bands, nodata values, overviews) stays as it is.
    """
    with rasterio.MemoryFile(ext=".vrt") as memory:
        copy(scene, memory.name, driver="VRT")
        root = ElementTree.fromstring(memory.read())
    for band in root.iterfind(f"VRTRasterBand[@band='{INFRARED}']"):
        for tag in band.findall("ColorInterp"):
            band.remove(tag)
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
