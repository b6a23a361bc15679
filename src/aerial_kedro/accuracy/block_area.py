"""Areas of classes on a map of cells, adjusted for its errors, from blocks of the ground.

The estimator is that of `aerial_kedro.accuracy.area`. Cells of a block share their errors, so that
its standard error, which takes each as independent, would be far too small: the interval comes from
resampling whole blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from aerial_kedro.accuracy.area import adjusted_areas
from aerial_kedro.accuracy.interval import Interval, percentile_interval, resample_sums
from aerial_kedro.parameters import CheckedModel

_FEWEST_BLOCKS = 2  # of one block alone no spread can be seen


@dataclass(frozen=True)
class BlockErrors:
    """What cells of known class are on the map, block by block.

    Parameters
    ----------
    classes
        Class names.
    by_year
        Year to cells, ``(blocks, classes on the map, classes of the reference)``.
    """

    classes: list[str]
    by_year: dict[str, NDArray[np.int64]]

    def of_year(self, year: str) -> NDArray[np.int64]:
        """Return the counts of a year; where it has none, the blocks of all years."""
        own = self.by_year.get(year)
        if own is not None and own.any():
            return own
        size = len(self.classes)
        return np.concatenate([np.zeros((0, size, size), np.int64), *self.by_year.values()])


class BlockArea(CheckedModel):
    """Area of a class, adjusted for the map's errors, and its 95 % interval.

    The interval is None where too few blocks show how far the errors vary.
    """

    value: float
    interval: Interval | None


def count_errors(
    predicted: NDArray[np.int64],
    reference: NDArray[np.int64],
    blocks: Sequence[str],
    classes: int,
) -> NDArray[np.int64]:
    """Count the cells of each block by class on the map and in the reference.

    Parameters
    ----------
    predicted, reference
        ``(tiles, cells)``: position of each cell's class; cells with -1 in either are left out.
    blocks
        Spatial block of each tile.
    classes
        Number of classes.

    Returns
    -------
    numpy.ndarray
        ``(blocks, classes, classes)``; rows are classes on the map.
    """
    codes, names = pd.factorize(pd.Series(list(blocks), dtype=object))
    of_cells = np.broadcast_to(codes[:, None], reference.shape)
    known = (predicted >= 0) & (reference >= 0)
    counts = np.zeros((len(names), classes, classes), dtype=np.int64)
    np.add.at(counts, (of_cells[known], predicted[known], reference[known]), 1)
    return counts


def adjusted_areas_by_block(
    mapped: Sequence[float], counts: ArrayLike, classes: Sequence[str], *, seed: int
) -> dict[str, BlockArea]:
    """Estimate areas from a map and whole blocks of it where the reference is known.

    Parameters
    ----------
    mapped
        Area of each class on the map.
    counts
        Cells of each block, ``(blocks, classes, classes)``; **rows are map classes**. The blocks
        must be drawn at random.
    classes
        Class names, in the order of both.
    seed
        Seed of the resampling.

    Returns
    -------
    dict
        Class to its area, in the units of ``mapped``. In a resample without any cell of a map class
        that class has the errors that it has in all blocks. A class that takes area from a map
        class with cells in fewer than two blocks has no interval: nothing shows how far the errors
        of that map class vary.

    Raises
    ------
    UnsampledClassError
        If a class with an area on the map has fewer than two cells in the blocks.
    ValueError
        As `aerial_kedro.accuracy.area.adjusted_areas`.

    Examples
    --------
    A tenth of what one block maps as forest is something else, and of the other's nothing:

    >>> counts = [[[90, 10], [0, 100]], [[100, 0], [0, 100]]]
    >>> found = adjusted_areas_by_block([200, 200], counts, ["Forest", "Other"], seed=1)
    >>> round(found["Forest"].value, 3), found["Forest"].interval.upper
    (190.0, 200.0)
    """
    by_block = np.asarray(counts, dtype=np.float64)
    areas = np.asarray(mapped, dtype=np.float64)
    whole = by_block.sum(axis=0)
    found = adjusted_areas(mapped, whole, classes).per_class
    intervals: list[Interval | None] = [None] * len(classes)
    if len(by_block) >= _FEWEST_BLOCKS:
        in_blocks = (by_block.sum(axis=2) > 0).sum(axis=0)
        takes = (areas[:, None] > 0) & (whole > 0)
        unknown = takes[in_blocks < _FEWEST_BLOCKS].any(axis=0)
        drawn = resample_sums(by_block, seed)
        totals = drawn.sum(axis=2, keepdims=True)
        known = whole.sum(axis=1, keepdims=True)
        pooled = np.divide(whole, known, out=np.zeros_like(whole), where=known > 0)
        shares = np.divide(
            drawn, totals, out=np.broadcast_to(pooled, drawn.shape).copy(), where=totals > 0
        )
        spread = np.einsum("m,rmk->rk", areas, shares)
        intervals = [
            None if lacking else percentile_interval(values)
            for values, lacking in zip(spread.T, unknown, strict=True)
        ]
    return {
        name: BlockArea(value=found[name].area.value, interval=interval)
        for name, interval in zip(classes, intervals, strict=True)
    }
