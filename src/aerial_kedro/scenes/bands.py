"""Which bands of a scene are colour, which is near infrared, and which only masks the others."""

from xml.etree import ElementTree

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.shutil import copy
from rasterio.windows import Window

RGB = (1, 2, 3)
INFRARED = 4
"""Number of the band that is near infrared, where a scene has it."""

# Places of the blocks that are looked at, as shares of height and width: a block may lie in a lake
# or in an empty corner.
_PLACES = ((0.5, 0.5), (0.2, 0.2), (0.2, 0.8), (0.8, 0.2), (0.8, 0.8))
_LONGEST_PX = 512
# A mask is 255 wherever there is image; where it was resampled or compressed, a thin edge is
# something between. Near infrared may be 0 nearly everywhere, over deep water.
_FEWEST_VALUES = 16
_LEAST_SHARE = 0.01
# A virtual raster with a nodata value that its file has not resamples what it reads itself; else
# it leaves that to the file, which heeds its alpha. No byte has this value.
_IMPOSSIBLE = "-1"


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
        if _varies(values):
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
    counts = np.bincount(values.ravel(), minlength=256)
    between = counts[1:255]
    return bool(
        np.count_nonzero(between) >= _FEWEST_VALUES
        and between.sum() > max(counts[255], _LEAST_SHARE * values.size)
    )


def masks_by_infrared(scene: rasterio.DatasetReader) -> bool:
    """Return whether GDAL takes the fourth band of a scene, which is infrared, for alpha."""
    return bool(scene.colorinterp[INFRARED - 1] == ColorInterp.alpha)


def open_unmasked(scene: rasterio.DatasetReader) -> rasterio.DatasetReader:
    """Open a scene once more, as a virtual raster whose fourth band masks nothing.

    GDAL cannot forget that a band is tagged as alpha: where near infrared is 0, as over deep
    water, it reads black, or the colours of the shore. All else (mask bands, nodata values of
    the colours) stays as it is.

    Parameters
    ----------
    scene
        The scene, opened. As long as it stays so, GDAL has its header in memory and does not
        request it a second time.
    """
    with rasterio.MemoryFile(ext=".vrt") as memory:
        copy(scene, memory.name, driver="VRT")
        root = ElementTree.fromstring(memory.read())
    for number, band in enumerate(root.iterfind("VRTRasterBand"), start=1):
        if number == INFRARED:
            for tag in [tag for tag in band if tag.tag in ("ColorInterp", "NoDataValue")]:
                band.remove(tag)
        if band.find("NoDataValue") is None:
            ElementTree.SubElement(band, "NoDataValue").text = _IMPOSSIBLE
    return rasterio.open(ElementTree.tostring(root, encoding="unicode"), driver="VRT")
