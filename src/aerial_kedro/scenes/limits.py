"""Limits to the size that a raster declares: what would fill memory or disk is refused unread."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Interleaving

from aerial_kedro.errors import AerialError

# The conterminous United States at 30 m are 17,000 million cells, a large county at 0.6 m as many.
_MOST_PIXELS = 200_000_000_000
# A block is decoded as a whole, however little of it is needed.
_MOST_BLOCK_BYTES = 512 * 2**20
# Deflate makes a thousandth of a single colour at best; what claims more has no pixels at all.
_MOST_COMPRESSION = 5_000
# Below this, an empty raster does no harm.
_HARMLESS_BYTES = 2**30


def check_size(dataset: rasterio.DatasetReader, path: str, name: str) -> None:
    """Refuse a raster that declares more than it can hold, or than can be read in parts.

    Parameters
    ----------
    dataset
        The raster, opened; only its header is read.
    path
        Path at which it was opened; only a local file's own size is checked.
    name
        Name of the raster in the message, as in ``the scene a.tif``.

    Raises
    ------
    AerialError
        If it has too many pixels, blocks too large to be decoded one by one, or hardly any file
        behind them.
    """
    pixels = dataset.width * dataset.height
    size = f"{dataset.width:,} × {dataset.height:,} pixels"
    if pixels > _MOST_PIXELS:
        raise AerialError(
            f"{name} declares {size}, more than are read. Cut it into pieces (gdal_retile.py), or "
            "take it out if it should be smaller: it is broken, or malicious."
        )
    item = max(np.dtype(each).itemsize for each in dataset.dtypes)
    together = dataset.count if dataset.interleaving == Interleaving.pixel else 1
    block = math.prod(dataset.block_shapes[0]) * item * together
    if dataset.compression is not None and block > _MOST_BLOCK_BYTES:
        raise AerialError(
            f"{name} ({size}) is compressed in blocks of {block / 2**20:,.0f} MiB, each of which "
            "must be decoded whole. Write it in tiles (gdal_translate -of COG) first."
        )
    claimed = pixels * item * dataset.count
    held = Path(path).stat().st_size if Path(path).is_file() else claimed
    if claimed > _HARMLESS_BYTES and claimed > _MOST_COMPRESSION * held:
        raise AerialError(
            f"{name} declares {size} in a file of {held:,} bytes: it is empty, broken or "
            "malicious. Give the whole file, or take it out of the folder."
        )
