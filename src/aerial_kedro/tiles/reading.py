"""Reading the pixels of a tile, straight from its scene or from its own image file.

Pages show them as small JPEG pictures.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import rasterio
from PIL import Image, ImageFile, UnidentifiedImageError
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from aerial_kedro.imagery.remote import cause
from aerial_kedro.scenes.addresses import read_bytes
from aerial_kedro.scenes.bands import RGB
from aerial_kedro.scenes.reader import SceneReader, TileReadError, read_bands
from aerial_kedro.tiles import png

# Part of every feature_key: raise it when the pixels that reach the network change.
READING_VERSION = "2"

# Columns of the catalog that reading a tile needs.
SOURCE_COLUMNS = [
    "image_id", "source_version", "href", "kind",
    "row_off", "col_off", "height", "width", "epsg", "xmin", "ymin", "xmax", "ymax",
    "has_infrared",
]  # fmt: skip

PICTURE_COLUMNS: dict[str, str] = {"image_id": "string", "picture": "binary"}

Tile = Mapping[Any, Any]
"""A row of the catalog with `SOURCE_COLUMNS`."""

# A tile's own image is a tile, not a scene: one that declares more pixels is broken or malicious.
_MAX_IMAGE_PIXELS = 64_000_000
_PNG_DEPTH = 24  # where a PNG holds the number of bits of a value
_TIFF_SUFFIXES = (".tif", ".tiff")
# Either byte order, classic and BigTIFF.
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_QUALITY = 85

ImageFile.LOAD_TRUNCATED_IMAGES = False


def read_tile(tile: Tile, size: int, reader: SceneReader, *, infrared: bool = False) -> np.ndarray:
    """Read the pixels of one tile of the catalog.

    Parameters
    ----------
    tile
        A row with `SOURCE_COLUMNS`.
    size
        Side of the result in pixels.
    reader
        Keeps scenes open between tiles.
    infrared
        Whether to read near infrared as well, of tiles that have it.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(size, size, 3)``, uint8, red, green and blue; ``(size, size, 4)`` with
        near infrared.

    Raises
    ------
    TileReadError
        With the reason, if the pixels cannot be read.
    """
    if tile["kind"] == "file":
        return read_image_file(tile["href"], size)
    options = {"has_infrared": bool(tile.get("has_infrared")), "infrared": infrared}
    if tile["row_off"] is None:
        bounds = (tile["xmin"], tile["ymin"], tile["xmax"], tile["ymax"])
        return reader.read_warped(tile["href"], bounds, int(tile["epsg"]), size, **options)
    window = Window(tile["col_off"], tile["row_off"], tile["width"], tile["height"])
    return reader.read_window(tile["href"], window, size, **options)


def read_tiles(
    frame: pd.DataFrame, size: int, reader: SceneReader
) -> Iterator[tuple[Tile, np.ndarray]]:
    """Read the tiles of a frame with `SOURCE_COLUMNS` one by one, except those that fail.

    Parameters
    ----------
    frame
        Rows of the catalog.
    size
        Side of the results in pixels.
    reader
        Keeps scenes open between tiles.

    Yields
    ------
    tuple
        A tile and its pixels, ``(size, size, 3)``, uint8.
    """
    for tile in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        with contextlib.suppress(TileReadError):
            yield tile, read_tile(tile, size, reader)


def picture_tiles(frames: Iterator[pd.DataFrame], size: int) -> Iterator[pd.DataFrame]:
    """Encode tiles as JPEG pictures (``mapInPandas``).

    Parameters
    ----------
    frames
        Tiles with `SOURCE_COLUMNS`.
    size
        Side of a picture in pixels.

    Yields
    ------
    pandas.DataFrame
        `PICTURE_COLUMNS`; a tile that can no longer be read has no row.
    """
    with SceneReader() as reader:
        for frame in frames:
            rows = [
                (tile["image_id"], encode_jpeg(pixels, size))
                for tile, pixels in read_tiles(frame, size, reader)
            ]
            yield pd.DataFrame(rows, columns=list(PICTURE_COLUMNS))


def encode_jpeg(pixels: np.ndarray, side: int) -> bytes:
    """Encode pixels ``(rows, cols, 3)``, uint8, as a square JPEG picture of ``side`` pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((side, side)).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def read_image_file(href: str, size: int) -> np.ndarray:
    """Read a tile's own image file, resampled (bilinear) to a square.

    Parameters
    ----------
    href
        Address of a PNG, JPEG or TIFF file.
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
    return _decode(content, size, is_tiff=href.lower().endswith(_TIFF_SUFFIXES))


def decode_image(content: bytes, size: int) -> np.ndarray:
    """Decode an image that has no name, as `read_image_file` does those that have one.

    Parameters
    ----------
    content
        Content of a PNG, JPEG or TIFF file, which is recognised by its first bytes.
    size
        Side of the result in pixels.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(size, size, 3)``, uint8, red, green and blue.

    Raises
    ------
    TileReadError
        See `read_image_file`.
    """
    return _decode(content, size, is_tiff=content.startswith(_TIFF_SIGNATURES))


def _decode(content: bytes, size: int, *, is_tiff: bool) -> np.ndarray:
    if not content:
        raise TileReadError("the file is empty (0 bytes)")
    if is_tiff:
        return _decode_tiff(content, size)
    plain = png.plain_size(content)
    if plain is None:
        return _decode_by_pillow(content, size)
    _check_size(*plain)
    try:
        with _quiet():
            pixels = png.decode_plain(content, *plain)
    except rasterio.errors.RasterioError:
        return _decode_by_pillow(content, size)  # its message is clearer
    return pixels if plain == (size, size) else _resized(Image.fromarray(pixels), size)


def _decode_by_pillow(content: bytes, size: int) -> np.ndarray:
    if content.startswith(png.SIGNATURE) and content[_PNG_DEPTH : _PNG_DEPTH + 1] == b"\x10":
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
            _quiet(),
            rasterio.MemoryFile(content) as memory,
            memory.open(driver="GTiff") as dataset,
        ):
            return _read_tiff(dataset, size)
    except rasterio.errors.RasterioError as error:
        raise TileReadError(f"the image is broken or not a TIFF: {cause(error)}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let GDAL open images without coordinates without a warning for each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        yield


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
    return read_bands(dataset, size, size, bands=RGB if dataset.count >= len(RGB) else (1, 1, 1))


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
