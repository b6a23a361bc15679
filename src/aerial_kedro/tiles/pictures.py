"""Small pictures of tiles, for people to look at."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pandas as pd
from PIL import Image

from aerial_kedro.tiles.reading import SceneReader, TileReadError, read_tile

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
        `PICTURE_COLUMNS`; a tile that cannot be read (any more) has no row.
    """
    with SceneReader() as reader:
        for frame in frames:
            rows = []
            for tile in frame.astype(object).where(frame.notna(), None).to_dict("records"):
                try:
                    pixels = read_tile(tile, size, reader)
                except TileReadError:
                    continue
                buffer = io.BytesIO()
                Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY)
                rows.append({"image_id": tile["image_id"], "picture": buffer.getvalue()})
            yield pd.DataFrame(rows, columns=list(PICTURE_COLUMNS))
