"""The grid of cells in a tile, and how values of cells lie in the tile's row of a table.

A tile has 7 by 7 cells, as many as the last maps of most networks have positions: at 224 m they
are squares of 32 m. Row 0 is the northernmost, column 0 the westernmost.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SIDE = 7
"""Cells a side of a tile."""

COUNT = SIDE * SIDE
"""Cells of a tile."""


def pack(cells: np.ndarray) -> list[bytes]:
    """Put the values of each tile's cells into bytes, for a binary column.

    Parameters
    ----------
    cells
        Array of shape ``(tiles, 7, 7)`` or ``(tiles, 7, 7, channels)``, int8 or uint8.

    Raises
    ------
    ValueError
        If the values are not of one byte, or the shape is another.

    Examples
    --------
    >>> len(pack(np.zeros((2, 7, 7, 64), dtype=np.int8))[0])
    3136
    """
    if cells.dtype.itemsize != 1 or cells.shape[1:3] != (SIDE, SIDE):
        raise ValueError(f"cells of one byte a value are packed, not {cells.dtype}{cells.shape}")
    return [each.tobytes() for each in np.ascontiguousarray(cells)]


def unpack(column: Sequence[bytes], kind: npt.DTypeLike = np.uint8) -> np.ndarray:
    """Take the values of cells out of a binary column, as `pack` put them in.

    Parameters
    ----------
    column
        One value a tile, all of the same length.
    kind
        ``uint8`` or ``int8``.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(tiles, 7, 7, channels)``; of one channel ``(tiles, 7, 7)``.

    Raises
    ------
    ValueError
        If the tiles have different numbers of channels, or none.

    Examples
    --------
    >>> unpack(pack(np.full((3, 7, 7), 5, dtype=np.uint8))).shape
    (3, 7, 7)
    """
    lengths = {len(each) for each in column}
    if len(lengths) > 1 or any(length == 0 or length % COUNT for length in lengths):
        raise ValueError(f"tiles have cells of {sorted(lengths)} bytes: give those of one kind")
    channels = next(iter(lengths), COUNT) // COUNT
    values = np.frombuffer(b"".join(column), dtype=kind)
    shape = (len(column), SIDE, SIDE)
    return values.reshape(shape if channels == 1 else (*shape, channels))
