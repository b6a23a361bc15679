"""Small JPEG pictures of tiles, for pages."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pandas as pd
from PIL import Image

from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.reading import read_tiles

PICTURE_COLUMNS: dict[str, str] = {"image_id": "string", "picture": "binary"}
_QUALITY = 85


def picture_tiles(frames: Iterator[pd.DataFrame], size: int) -> Iterator[pd.DataFrame]:
    """Encode tiles as JPEG pictures (``mapInPandas``).

    Parameters
    ----------
    frames
        Tiles with `aerial_kedro.tiles.reading.SOURCE_COLUMNS`.
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
    Image.fromarray(pixels).resize((side, side)).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
