"""Reading the pixels of a tile, straight from its scene or from its own image file."""

from __future__ import annotations

import io
import warnings
from collections import OrderedDict
from types import TracebackType

import numpy as np
import rasterio
from affine import Affine
from PIL import Image, ImageFile, UnidentifiedImageError
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from aerial_kedro.tiles.storage import gdal_path, read_bytes

# Part of every feature_key: raise it when the pixels that reach the network change.
READING_VERSION = "1"

# What reading a tile needs to know of it.
SOURCE_COLUMNS = [
    "image_id", "source_version", "href", "kind",
    "row_off", "col_off", "height", "width", "epsg", "xmin", "ymin", "xmax", "ymax",
]  # fmt: skip

# A damaged scene read through a warp raises GDAL's own error, which rasterio keeps to itself.
SCENE_ERRORS = (rasterio.errors.RasterioError, CPLE_BaseError)

_OPEN_SCENES = 4
# A tile's own image is a tile, not a scene: one that claims more pixels is broken, or a trap.
_MAX_IMAGE_PIXELS = 64_000_000
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH = 24  # where a PNG says how many bits a value has
_TIFF_SUFFIXES = (".tif", ".tiff")
_RGB = [1, 2, 3]

ImageFile.LOAD_TRUNCATED_IMAGES = False


class TileReadError(Exception):
    """A tile's pixels could not be had; the message is the reason kept in the quarantine."""


class SceneReader:
    """Reads tiles from scenes and keeps the last few scenes open.

    Opening a scene costs as much as reading a dozen tiles, so tiles should come scene by scene.
    Use it as a context manager: it closes what it opened.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[str, rasterio.DatasetReader] = OrderedDict()

    def __enter__(self) -> SceneReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._open:
            self._open.popitem()[1].close()

    def scene(self, href: str) -> rasterio.DatasetReader:
        """Return the scene, opened as GeoTIFF and nothing else."""
        if href not in self._open:
            while len(self._open) >= _OPEN_SCENES:
                self._open.popitem(last=False)[1].close()
            self._open[href] = rasterio.open(gdal_path(href), driver="GTiff")
        self._open.move_to_end(href)
        return self._open[href]

    def read_window(self, href: str, window: Window, size: int) -> np.ndarray:
        """Read a window of a scene, resampled (bilinear) to a square.

        Returns
        -------
        numpy.ndarray
            Array of shape ``(size, size, 3)``, uint8, red, green and blue.

        Raises
        ------
        TileReadError
            If the scene cannot be read there.
        """
        try:
            pixels = self.scene(href).read(
                _RGB, window=window, out_shape=(3, size, size), resampling=Resampling.bilinear
            )
        except SCENE_ERRORS as error:
            raise TileReadError(f"scene unreadable: {_cause(error)}") from error
        return np.ascontiguousarray(pixels.transpose(1, 2, 0))

    def read_warped(
        self, href: str, bounds: tuple[float, float, float, float], epsg: int, size: int
    ) -> np.ndarray:
        """Read a place of a scene that lies in another CRS, through a warp.

        Parameters
        ----------
        href
            The scene.
        bounds
            ``(xmin, ymin, xmax, ymax)`` in the units of ``epsg``.
        epsg
            CRS of the tile.
        size
            Side of the result in pixels.

        Returns
        -------
        numpy.ndarray
            Array of shape ``(size, size, 3)``, uint8.
        """
        xmin, ymin, xmax, ymax = bounds
        transform = Affine((xmax - xmin) / size, 0, xmin, 0, (ymin - ymax) / size, ymax)
        try:
            with warped(self.scene(href), epsg, transform, size, size) as view:
                pixels = view.read(_RGB)
        except SCENE_ERRORS as error:
            raise TileReadError(f"scene unreadable: {_cause(error)}") from error
        return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def warped(
    scene: rasterio.DatasetReader, epsg: int, transform: Affine, width: int, height: int
) -> WarpedVRT:
    """View a scene on another CRS's pixel grid; what it does not cover counts as nodata."""
    has_alpha = ColorInterp.alpha in scene.colorinterp
    return WarpedVRT(
        scene,
        crs=f"EPSG:{epsg}",
        transform=transform,
        width=width,
        height=height,
        resampling=Resampling.bilinear,
        add_alpha=scene.nodata is None and not has_alpha,
    )


def read_tile(tile: dict, size: int, reader: SceneReader) -> np.ndarray:  # type: ignore[type-arg]
    """Read the pixels of one tile of the catalog.

    Parameters
    ----------
    tile
        A row with `SOURCE_COLUMNS`.
    size
        Side of the result in pixels.
    reader
        Keeps scenes open between tiles.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(size, size, 3)``, uint8.

    Raises
    ------
    TileReadError
        With the reason, if the pixels cannot be had.
    """
    if tile["kind"] == "file":
        return read_image_file(tile["href"], size)
    if tile["row_off"] is None:
        bounds = (tile["xmin"], tile["ymin"], tile["xmax"], tile["ymax"])
        return reader.read_warped(tile["href"], bounds, int(tile["epsg"]), size)
    window = Window(tile["col_off"], tile["row_off"], tile["width"], tile["height"])
    return reader.read_window(tile["href"], window, size)


def read_image_file(href: str, size: int) -> np.ndarray:
    """Read a tile's own image file, resampled (bilinear) to a square.

    Parameters
    ----------
    href
        A PNG, JPEG or TIFF file.
    size
        Side of the result in pixels.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(size, size, 3)``, uint8, red, green and blue.

    Raises
    ------
    TileReadError
        If the file is empty, broken, no image, or holds something other than 8-bit colour
        or grey.
    """
    try:
        content = read_bytes(href)
    except OSError as error:
        raise TileReadError(f"the file cannot be read: {error}") from error
    if not content:
        raise TileReadError("the file is empty (0 bytes)")
    if href.lower().endswith(_TIFF_SUFFIXES):
        return _decode_tiff(content, size)
    return _decode_picture(content, size)


def _decode_picture(content: bytes, size: int) -> np.ndarray:
    if content.startswith(_PNG_SIGNATURE) and content[_PNG_DEPTH : _PNG_DEPTH + 1] == b"\x10":
        # Pillow would cut 16-bit colour down to 8 without a word.
        raise TileReadError("the image holds 16-bit values; 8-bit RGB or grey is needed")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            _check_size(*image.size)
            if image.mode not in {"RGB", "RGBA", "L", "LA", "P"}:
                raise TileReadError(
                    f"the image is of mode {image.mode}; 8-bit RGB or grey is needed"
                )
            # Lets a JPEG be decoded at a half, quarter or eighth, never below the size needed.
            image.draft("RGB", (size, size))
            picture = image.convert("RGB")
    except UnidentifiedImageError as error:
        raise TileReadError("the file is not a PNG or JPEG image") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise TileReadError(f"the image is broken: {error}") from error
    return _resized(picture, size)


def _decode_tiff(content: bytes, size: int) -> np.ndarray:
    try:
        with (
            warnings.catch_warnings(),
            rasterio.MemoryFile(content) as memory,
        ):
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with memory.open(driver="GTiff") as dataset:
                return _read_tiff(dataset, size)
    except rasterio.errors.RasterioError as error:
        raise TileReadError(f"the image is broken or not a TIFF: {_cause(error)}") from error


def _read_tiff(dataset: rasterio.DatasetReader, size: int) -> np.ndarray:
    _check_size(dataset.width, dataset.height)
    if dataset.dtypes[0] != "uint8":
        raise TileReadError(
            f"the image holds {dataset.dtypes[0]} values; 8-bit RGB or grey is needed"
        )
    if dataset.colorinterp[0] == ColorInterp.cyan:
        raise TileReadError("the image is CMYK; 8-bit RGB or grey is needed")
    if dataset.colorinterp[0] == ColorInterp.palette:
        colours = np.zeros((256, 3), dtype=np.uint8)
        for value, (red, green, blue, _) in dataset.colormap(1).items():
            colours[value] = red, green, blue
        return _resized(Image.fromarray(colours[dataset.read(1)]), size)
    bands = _RGB if dataset.count >= len(_RGB) else [1, 1, 1]
    pixels = dataset.read(bands, out_shape=(3, size, size), resampling=Resampling.bilinear)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def _check_size(width: int, height: int) -> None:
    if width * height > _MAX_IMAGE_PIXELS:
        raise TileReadError(
            f"the image claims {width} × {height} pixels; a tile has at most "
            f"{_MAX_IMAGE_PIXELS // 1_000_000} million"
        )


def _resized(picture: Image.Image, size: int) -> np.ndarray:
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture)


def _cause(error: Exception) -> BaseException:
    """Find what GDAL said; rasterio's own message often only points to it."""
    return error.__cause__ or error
