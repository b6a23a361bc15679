"""Maps and imagery made small enough for a page."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aerial_kedro.report.pictures import NO_DATA, ImageryPicture, MapImage
from aerial_kedro.scenes.raster import Raster

_WHITE = 255
_RGB = 3


def thin_map(map_image: MapImage, longest_px: int = 1500) -> MapImage:
    """Make a map of few enough pixels: each shows the commonest class of a square of cells.

    Parameters
    ----------
    map_image
        The map. One that is small enough is returned as it is.
    longest_px
        The most rows and columns that are wanted.

    Returns
    -------
    MapImage
        Cells without data count like a class, so that edges stay where they are; the confidence,
        and what is known of where the model holds, are of a cell in the middle of the square.
        Where the squares reach beyond the map, so does its extent.
    """
    index = map_image.class_index
    factor = math.ceil(max(index.shape) / longest_px)
    if factor <= 1:
        return map_image
    rows, cols = (-(-side // factor) for side in index.shape)
    room = ((0, rows * factor - index.shape[0]), (0, cols * factor - index.shape[1]))
    padded = np.pad(index, room, constant_values=NO_DATA)
    middle = slice(factor // 2, None, factor)
    of_cells = {
        name: np.pad(values, room, constant_values=nothing)[middle, middle]
        for name, values, nothing in (
            ("confidence", map_image.confidence, np.nan),
            ("expected", map_image.expected, np.nan),
            ("outside", map_image.outside, False),
        )
        if values is not None
    }
    xmin, ymin, xmax, ymax = map_image.extent
    width, height = (xmax - xmin) / index.shape[1], (ymax - ymin) / index.shape[0]
    return MapImage(
        class_index=_commonest(padded, factor, len(map_image.classes)),
        classes=map_image.classes,
        extent=(xmin, ymax - rows * factor * height, xmin + cols * factor * width, ymax),
        crs=map_image.crs,
        **of_cells,
        colours=map_image.colours,
    )


def _commonest(index: NDArray[np.uint8], factor: int, classes: int) -> NDArray[np.uint8]:
    """Find the commonest value of each square; of several, no data, then the first class."""
    shape = (index.shape[0] // factor, factor, index.shape[1] // factor, factor)
    best = np.full(shape[::2], NO_DATA, dtype=np.uint8)
    most = np.zeros(shape[::2], dtype=np.int64)
    for value in (NO_DATA, *range(classes)):
        count = (index == value).reshape(shape).sum(axis=(1, 3))
        best[count > most] = value
        most = np.maximum(most, count)
    return best


def thin_imagery(raster: Raster, longest_px: int = 800) -> ImageryPicture:
    """Make a picture of imagery for a page, white where there is none.

    Parameters
    ----------
    raster
        Red, green, blue; nodata is 0 in the first band (`maps.imagery.imagery_of_tiles`).
    longest_px
        The most rows and columns that are wanted: each pixel is the mean of a square.
    """
    red, *_ = raster.pixels
    pixels = np.where(red == raster.nodata, _WHITE, raster.pixels[:_RGB]).astype(np.uint8)
    rows, cols = red.shape
    left, top = raster.transform @ (0, 0)
    right, bottom = raster.transform @ (cols, rows)
    factor = math.ceil(max(rows, cols) / longest_px)
    if factor > 1:
        # The last row and column would be of fewer pixels and stretched.
        room = ((0, 0), (0, -rows % factor), (0, -cols % factor))
        pixels = np.pad(pixels, room, constant_values=_WHITE)
        right, bottom = raster.transform @ (pixels.shape[2], pixels.shape[1])
    picture = np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
    if factor > 1:
        picture = np.asarray(Image.fromarray(picture).reduce(factor))
    return ImageryPicture(pixels=picture, extent=(left, bottom, right, top))
