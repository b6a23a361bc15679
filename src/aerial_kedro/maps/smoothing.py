"""Smoothing of a map: each tile takes the commonest class of its neighbourhood.

A plurality (majority) filter of 3 by 3 tiles, as is usual after a per-pixel classification; see
Stuckens, J., Coppin, P. R. and Bauer, M. E. (2000), "Integrating contextual information with
per-pixel classification for improved land cover classification", Remote Sensing of Environment
71(3).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def smooth_classes(
    classes: Sequence[str | None] | pd.Series,
    cells: ArrayLike,
    *,
    fixed: ArrayLike | None = None,
    silent: Collection[str] = (),
) -> NDArray[np.object_]:
    """Assign each tile the commonest class among itself and its up to eight neighbours.

    A class must have more votes than every other to replace a tile's own; in a tie the tile keeps
    its class. All tiles are evaluated at once, from the classes before smoothing. A tile at the
    edge of the map counts the neighbours that it has.

    Parameters
    ----------
    classes
        Class of each of the ``n`` tiles; None where there is no prediction. Those tiles neither
        vote nor get a class.
    cells
        Integers of shape ``(n, 3)``: which grid (such as zone and year), row and column. Tiles of
        different grids are no neighbours.
    fixed
        Booleans of shape ``(n,)``: tiles that vote but keep their class.
    silent
        Classes that do not vote; their tiles can be filled by their neighbours.

    Returns
    -------
    numpy.ndarray
        The classes, shape ``(n,)``, in the order given; None where there was none.

    Raises
    ------
    ValueError
        If two tiles lie in one cell, or the lengths differ.

    Examples
    --------
    A shrub among forests goes, the border to the field stays:

    >>> rows = ["FFFfff", "FSFfff", "FFFfff"]
    >>> cells = [(0, row, col) for row in range(3) for col in range(6)]
    >>> found = smooth_classes([name for row in rows for name in row], cells)
    >>> for row in found.reshape(3, 6):
    ...     print("".join(row))
    FFFfff
    FFFfff
    FFFfff
    """
    codes, names = pd.factorize(pd.Series(classes, dtype=object))
    places = np.asarray(cells, dtype=np.int64).reshape(-1, 3)
    if len(places) != len(codes):
        raise ValueError(f"{len(codes)} classes for {len(places)} cells: give one for each tile.")
    if not len(names):
        return np.full(len(codes), None, dtype=object)
    has_class = codes >= 0
    voting = has_class & ~np.isin(codes, [i for i, name in enumerate(names) if name in silent])
    votes = _count_votes(codes, places, voting, len(names))
    most = votes.max(axis=1)
    is_strict = (votes == most[:, None]).sum(axis=1) == 1  # without votes, all classes tie
    changes = has_class & is_strict
    if fixed is not None:
        changes &= ~np.asarray(fixed, dtype=bool)
    labels = np.array([*names, None], dtype=object)  # the code -1 is "no prediction"
    return np.asarray(labels[np.where(changes, votes.argmax(axis=1), codes)])


def _count_votes(
    codes: NDArray[np.int64], places: NDArray[np.int64], voting: NDArray[np.bool_], classes: int
) -> NDArray[np.int8]:
    """Count the votes that each tile's neighbourhood casts: shape ``(n, classes)``."""
    keys, step_of_row = _keys(places)
    order = np.argsort(keys)
    ranked = keys[order]
    if (np.diff(ranked) == 0).any():
        raise ValueError("Two tiles lie in one cell: give each grid a number of its own.")
    votes = np.zeros((len(codes), classes), dtype=np.int8)
    for down, right in product((-1, 0, 1), repeat=2):
        wanted = keys + down * step_of_row + right
        # Looked up in a sorted list, not in an array: scenes may lie far apart on a grid.
        at = np.searchsorted(ranked, wanted).clip(max=len(ranked) - 1)
        neighbour = order[at]
        counted = np.flatnonzero((ranked[at] == wanted) & voting[neighbour])
        votes[counted, codes[neighbour[counted]]] += 1
    return votes


def _keys(places: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return a number for each cell, such that neighbours differ by a fixed step, and a row's step.

    A free row and column on each side keep the ends of rows, and grids, apart.
    """
    low = places.min(axis=0)
    height, width = (places.max(axis=0) - low + 3)[1:]
    grid, row, col = (places - low).T
    return (grid * height + row + 1) * width + col + 1, int(width)
