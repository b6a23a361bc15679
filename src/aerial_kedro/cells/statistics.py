"""Plain statistics of the cells of a tile: what a picture says of them without a network.

On trees against grass they do as well as a network's maps, where the scene has near infrared.
"""

import numpy as np

from aerial_kedro.cells.grid import SIDE

BANDS = ("red", "green", "blue")
INFRARED_BANDS = (*BANDS, "near infrared", "NDVI")
"""Bands that statistics are of, without and with near infrared."""

# An eighth of a cell's thousand pixels is enough for means and deviations.
_ROW_STEP, _COLUMN_STEP = 4, 2
# A byte holds a mean of 0 to 255, a deviation in halves; of the index, -1 to 1, and its deviation.
_DEVIATION_SCALE = 2.0
_INDEX_SCALE = 127.5
_INDEX_DEVIATION_SCALE = 255.0


def thin_pixels(pixels: np.ndarray) -> np.ndarray:
    """Take those pixels of tiles that `cell_statistics` are of.

    Parameters
    ----------
    pixels
        ``(…, size, size, bands)``.

    Returns
    -------
    numpy.ndarray
        A view, ``(…, bands, rows, columns)``.
    """
    return np.moveaxis(pixels[..., ::_ROW_STEP, ::_COLUMN_STEP, :], -1, -3)


def cell_statistics(thinned: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of each band in each cell.

    Parameters
    ----------
    thinned
        Tiles, as of `thin_pixels`: ``(n, bands, rows, columns)``, uint8, red, green and blue,
        perhaps near infrared.

    Returns
    -------
    numpy.ndarray
        ``(n, 7, 7, 6)``, with near infrared ``(n, 7, 7, 10)``; uint8, see `decode_statistics`. The
        means of `BANDS` or `INFRARED_BANDS`, then their deviations.
    """
    bands = np.ascontiguousarray(thinned).astype(np.float32)
    with_index = bands.shape[1] > len(BANDS)
    if with_index:
        bands = np.concatenate([bands, _index(bands)[:, None]], axis=1)
    mean = _mean_of_cells(bands)
    spread = np.sqrt(np.maximum(_mean_of_cells(bands * bands) - mean * mean, 0))
    mean, spread = (np.moveaxis(each, 1, -1) for each in (mean, spread))
    spread = spread * _DEVIATION_SCALE
    if with_index:
        mean[..., -1] = (mean[..., -1] + 1) * _INDEX_SCALE
        spread[..., -1] *= _INDEX_DEVIATION_SCALE / _DEVIATION_SCALE
    found = np.concatenate([mean, spread], axis=-1).round()
    return np.asarray(found.clip(0, 255).astype(np.uint8))


def decode_statistics(stored: np.ndarray) -> np.ndarray:
    """Turn stored statistics into the bands' own units.

    Parameters
    ----------
    stored
        As `cell_statistics` returns them, ``(…, 6)`` or ``(…, 10)``.

    Returns
    -------
    numpy.ndarray
        Float32 of the same shape: 0 to 255 of bands, -1 to 1 of the index.
    """
    found = stored.astype(np.float32)
    bands = stored.shape[-1] // 2
    found[..., bands:] /= _DEVIATION_SCALE
    if bands > len(BANDS):
        found[..., bands - 1] = found[..., bands - 1] / _INDEX_SCALE - 1
        found[..., -1] *= _DEVIATION_SCALE / _INDEX_DEVIATION_SCALE
    return found


def keep_visible(stored: np.ndarray) -> np.ndarray:
    """Leave out what statistics with near infrared, ``(…, 10)``, say of it: ``(…, 6)``."""
    half = stored.shape[-1] // 2
    means, spreads = stored[..., :half], stored[..., half:]
    visible = len(BANDS)
    return np.concatenate([means[..., :visible], spreads[..., :visible]], axis=-1)


def _index(bands: np.ndarray) -> np.ndarray:
    """Compute the normalised difference vegetation index (Rouse et al. 1974), -1 to 1.

    One is added to the sum, so that black pixels have an index of 0.
    """
    red, infrared = bands[:, 0], bands[:, len(BANDS)]
    return np.asarray((infrared - red) / (infrared + red + 1))


def _mean_of_cells(bands: np.ndarray) -> np.ndarray:
    """Average ``(n, bands, rows, columns)`` over cells of whole pixels, as even as can be."""
    rows, columns = bands.shape[2:]
    if rows % SIDE == 0 and columns % SIDE == 0:
        high, wide = rows // SIDE, columns // SIDE
        strips = bands.reshape(*bands.shape[:2], SIDE, high, columns).sum(axis=3)
        squares = strips.reshape(*bands.shape[:2], SIDE, SIDE, wide).sum(axis=4)
        return np.asarray(squares / (high * wide))
    down, across = (np.linspace(0, size, SIDE + 1).round().astype(int) for size in (rows, columns))
    sums = np.add.reduceat(np.add.reduceat(bands, down[:-1], axis=2), across[:-1], axis=3)
    return np.asarray(sums / (np.diff(down)[:, None] * np.diff(across)[None]))
