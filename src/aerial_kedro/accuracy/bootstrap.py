"""Confidence intervals that respect space: whole blocks of tiles are resampled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from aerial_kedro.accuracy.confusion import check_labels, class_codes
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.parameters import Record

RESAMPLES = 500
"""Number of resamples for one interval."""

TAILS = (0.025, 0.975)
"""Quantiles between which a 95 % interval lies."""

_DRAWS_AT_A_TIME = 4_000_000
"""Draws of blocks held in memory at once (32 MB)."""


class BootstrapIntervals(Record):
    """Intervals of an evaluation by block bootstrap.

    Parameters
    ----------
    accuracy, macro_f1
        The intervals; None with a single block, from which no spread can be seen.
    blocks
        Number of blocks.
    """

    accuracy: Interval | None
    macro_f1: Interval | None
    blocks: int


def block_bootstrap(
    labels: Sequence[str],
    predicted: Sequence[str],
    classes: Sequence[str],
    blocks: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> BootstrapIntervals:
    """Percentile intervals of overall accuracy and macro-F1 by resampling blocks.

    Neighbouring tiles share land, light and errors. Resampling them one by one would take each as
    independent and make the interval too narrow; so whole blocks are drawn with replacement.

    Parameters
    ----------
    labels, predicted, blocks
        Reference label, predicted label and spatial block of each tile.
    classes
        Class names.
    seed
        Seed of the draws.
    resamples
        Number of resamples.

    Raises
    ------
    ValueError
        If there is no tile, the lengths differ, a label is none of the classes, or a tile has no
        block.

    Examples
    --------
    With two blocks, one all right and one all wrong, hardly anything is known.

    >>> block_bootstrap(["A"] * 4, ["A", "A", "B", "B"], ["A", "B"], ["n", "n", "s", "s"]).accuracy
    Interval(lower=0.0, upper=1.0, level=0.95)
    """
    counts = _counts_by_block(labels, predicted, classes, blocks)
    number = len(counts)
    if number < 2:  # noqa: PLR2004
        return BootstrapIntervals(accuracy=None, macro_f1=None, blocks=number)
    tables = _resampled_tables(counts, resamples, np.random.default_rng(seed))
    right = np.diagonal(tables, axis1=1, axis2=2)
    accuracy = right.sum(axis=1) / tables.sum(axis=(1, 2))
    return BootstrapIntervals(
        accuracy=_percentile_interval(accuracy),
        macro_f1=_percentile_interval(_macro_f1_of_each(tables)),
        blocks=number,
    )


def _counts_by_block(
    labels: Sequence[str],
    predicted: Sequence[str],
    classes: Sequence[str],
    blocks: Sequence[str],
) -> NDArray[np.int64]:
    """Confusion counts of each block, shape ``(blocks, classes, classes)``."""
    check_labels(labels, predicted)
    if len(blocks) != len(labels):
        raise ValueError(f"{len(blocks)} blocks for {len(labels)} tiles: give one for each tile.")
    block_codes, names = pd.factorize(pd.Series(list(blocks), dtype=object))
    if (block_codes < 0).any():
        raise ValueError(
            f"{int((block_codes < 0).sum())} tiles have no block: evaluate without blocks where "
            "the places of tiles are not known."
        )
    size = len(classes)
    reference = class_codes(labels, classes, "reference")
    guess = class_codes(predicted, classes, "predicted")
    cell = (block_codes.astype(np.int64) * size + reference) * size + guess
    flat = np.bincount(cell, minlength=len(names) * size * size)
    return flat.reshape(len(names), size, size)


def _resampled_tables(
    counts: NDArray[np.int64], resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Confusion counts of each resample, shape ``(resamples, classes, classes)``."""
    number, size, _ = counts.shape
    return resample_sums(counts.reshape(number, -1), resamples, rng).reshape(-1, size, size)


def resample_sums(
    by_block: ArrayLike, resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw blocks with replacement, as many as there are, and add up their values.

    Parameters
    ----------
    by_block
        Values to add up, ``(blocks, k)``.
    resamples
        Number of resamples.
    rng
        Source of random numbers.

    Returns
    -------
    numpy.ndarray
        The sum in each resample, ``(resamples, k)``.
    """
    values = np.asarray(by_block, dtype=np.float64)
    number = len(values)
    even = np.full(number, 1 / number)
    step = max(1, _DRAWS_AT_A_TIME // number)
    parts = [
        rng.multinomial(number, even, size=min(step, resamples - start)) @ values
        for start in range(0, resamples, step)
    ]
    return np.concatenate(parts)


def _macro_f1_of_each(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Macro-F1 of many tables at once, shape ``(resamples,)``; equal to confusion.macro_f1."""
    reference = tables.sum(axis=2)
    predicted = tables.sum(axis=1)
    right = np.diagonal(tables, axis1=1, axis2=2)
    present = reference > 0
    f1 = np.divide(2 * right, reference + predicted, out=np.zeros_like(right), where=present)
    return np.asarray(f1.sum(axis=1) / present.sum(axis=1))


def _percentile_interval(values: NDArray[np.float64]) -> Interval:
    lower, upper = np.quantile(values, TAILS)
    return Interval(lower=float(lower), upper=float(upper))


class PairedComparison(Record):
    """Two classifiers' macro-F1 on the same tiles, and how sure it is which is the better.

    Parameters
    ----------
    difference
        Macro-F1 of the first less that of the second.
    interval
        95 % interval of the difference; None with a single block.
    ahead
        Share of the resamples in which the first is better, 0–1; None with a single block.
    blocks, tiles
        Number of blocks that were resampled, and of tiles in them.
    """

    difference: float
    interval: Interval | None
    ahead: float | None
    blocks: int
    tiles: int


def compare_macro_f1(
    labels: Sequence[str],
    first: Sequence[str],
    second: Sequence[str],
    classes: Sequence[str],
    blocks: Sequence[str],
    *,
    seed: int = 0,
) -> PairedComparison:
    """Compare two classifiers by a paired block bootstrap: both meet the same resampled blocks.

    What the two have in common, such as an easy or a difficult block, cancels in the difference,
    so that its interval is narrower than the classifiers' own intervals suggest.

    Parameters
    ----------
    labels, first, second, blocks
        Reference label, the classifiers' predicted labels and the spatial block of each tile.
    classes
        Class names.
    seed
        Seed of the draws.

    Raises
    ------
    ValueError
        As `block_bootstrap`.

    Examples
    --------
    The first is right wherever the second is, and in one block more:

    >>> found = compare_macro_f1("ABAB", "ABAB", "ABBB", ["A", "B"], ["n", "n", "s", "s"])
    >>> round(found.difference, 3), found.blocks
    (0.267, 2)
    """
    counts = [_counts_by_block(labels, each, classes, blocks) for each in (first, second)]
    number = len(counts[0])
    whole = [
        float(_macro_f1_of_each(each.sum(axis=0, dtype=np.float64)[None])[0]) for each in counts
    ]
    difference, interval, ahead = whole[0] - whole[1], None, None
    if number >= 2:  # noqa: PLR2004
        # The same generator anew for each: the same blocks are drawn.
        apart = np.subtract(
            *[
                _macro_f1_of_each(_resampled_tables(each, RESAMPLES, np.random.default_rng(seed)))
                for each in counts
            ]
        )
        interval, ahead = _percentile_interval(apart), float((apart > 0).mean())
    return PairedComparison(
        difference=difference, interval=interval, ahead=ahead, blocks=number, tiles=len(labels)
    )
