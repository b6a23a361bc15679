"""Reading the pixels of a tile, straight from its scene or from its own image file.

Pages show them as small JPEG pictures.
"""

import contextlib
import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from rasterio.windows import Window

from aerial_kedro.scenes.addresses import read_bytes
from aerial_kedro.scenes.bands import RGB
from aerial_kedro.scenes.reader import SceneReader, TileReadError
from aerial_kedro.tiles.decoding import decode_image

# Part of every feature_key: raise it when the pixels that reach the network change.
READING_VERSION = "3"

# Columns of the catalog that reading a tile needs.
SOURCE_COLUMNS = [
    "image_id", "source_version", "href", "kind",
    "row_off", "col_off", "height", "width", "epsg", "xmin", "ymin", "xmax", "ymax",
    "has_infrared",
]  # fmt: skip

PICTURE_COLUMNS: dict[str, str] = {"image_id": "string", "picture": "binary"}

Tile = Mapping[Any, Any]
"""A row of the catalog with `SOURCE_COLUMNS`."""

_JPEG_QUALITY = 85


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
    colours = np.empty((size, size, len(RGB)), dtype=np.uint8)
    found = read_tile_into(colours, tile, reader, infrared=infrared)
    return colours if found is None else np.dstack([colours, found])


def read_tile_into(
    colours: np.ndarray, tile: Tile, reader: SceneReader, *, infrared: bool = False
) -> np.ndarray | None:
    """Read the pixels of one tile into an array that is there.

    Parameters
    ----------
    colours
        Takes red, green and blue: ``(size, size, 3)``, uint8. What is in it after an error is
        worth nothing.
    tile, reader, infrared
        As of `read_tile`.

    Returns
    -------
    numpy.ndarray or None
        Near infrared, ``(size, size)``, uint8; None unless it is asked for and there.

    Raises
    ------
    TileReadError
        With the reason, if the pixels cannot be read.
    """
    size = len(colours)
    if tile["kind"] == "file":
        colours[:] = read_image_file(tile["href"], size)
        return None
    options = {"has_infrared": bool(tile.get("has_infrared")), "infrared": infrared}
    if tile["row_off"] is None:
        bounds = (tile["xmin"], tile["ymin"], tile["xmax"], tile["ymax"])
        planes = reader.read_warped(tile["href"], bounds, int(tile["epsg"]), size, **options)
    else:
        window = Window(tile["col_off"], tile["row_off"], tile["width"], tile["height"])
        planes = reader.read_window(tile["href"], window, size, **options)
    # Band by band: numpy, left to itself, goes three values at a time.
    for band in range(len(RGB)):
        colours[..., band] = planes[band]
    return planes[len(RGB)] if len(planes) > len(RGB) else None


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
        Address of the file, of any kind that `decode_image` takes, whatever its name.
    size
        Side of the result in pixels.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(size, size, 3)``, uint8, red, green and blue.

    Raises
    ------
    TileReadError
        If the file cannot be read or decoded.
    """
    try:
        content = read_bytes(href)
    except OSError as error:
        raise TileReadError(f"the file cannot be read: {error}") from error
    return decode_image(content, size)
