"""Pixels of a few tiles, read by Spark's workers for the driver."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from aerial_kedro.scenes.reader import SceneReader, TileReadError
from aerial_kedro.tiles.reading import read_tile

PIXEL_COLUMNS: dict[str, str] = {"image_id": "string", "pixels": "binary"}


def read_pixels(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Read tiles as the backbone takes them (the form that Spark's ``mapInArrow`` takes).

    Parameters
    ----------
    batches
        Tiles with `aerial_kedro.tiles.reading.SOURCE_COLUMNS`.
    size
        Side of the backbone's input in pixels.

    Yields
    ------
    pyarrow.RecordBatch
        `PIXEL_COLUMNS`. Tiles that cannot be read are left out: the quarantine lists them.
    """
    with SceneReader() as reader:
        for batch in batches:
            ids, pixels = [], []
            for tile in batch.to_pylist():
                try:
                    content = read_tile(tile, size, reader).tobytes()
                except TileReadError:
                    continue
                ids.append(tile["image_id"])
                pixels.append(content)
            yield pa.RecordBatch.from_arrays(
                [pa.array(ids, pa.string()), pa.array(pixels, pa.binary())],
                names=list(PIXEL_COLUMNS),
            )


def stack_pixels(contents: list[bytes], size: int) -> np.ndarray:
    """Lay tiles of `read_pixels` one on the other: uint8, ``(n, size, size, 3)``."""
    flat = np.frombuffer(b"".join(contents), dtype=np.uint8)
    return flat.reshape(len(contents), size, size, 3)
