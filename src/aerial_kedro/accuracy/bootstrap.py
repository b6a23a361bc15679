"""Intervals of evaluations that respect space: whole blocks of tiles are resampled."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aerial_kedro.accuracy.confusion import paired_codes
from aerial_kedro.accuracy.interval import Interval, percentile_interval, resample_sums
from aerial_kedro.parameters import CheckedModel


def block_bootstrap(
    labels: Sequence[str],
    predicted: Sequence[str],
    classes: Sequence[str],
    blocks: Sequence[str],
    *,
    seed: int = 0,
) -> tuple[Interval, Interval] | None:
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

    Returns
    -------
    tuple or None
        The intervals of accuracy and of macro-F1; None with a single block, from which no spread
        can be seen.

    Raises
    ------
    ValueError
        If there is no tile, the lengths differ, a label is none of the classes, or a tile has no
        block.

    Examples
    --------
    With two blocks, one all right and one all wrong, hardly anything is known.

    >>> block_bootstrap(["A"] * 4, ["A", "A", "B", "B"], ["A", "B"], ["n", "n", "s", "s"])[0]
    Interval(lower=0.0, upper=1.0, level=0.95)
    """
    counts = _counts_by_block(labels, predicted, classes, blocks)
    if len(counts) < 2:  # noqa: PLR2004
        return None
    tables = resample_sums(counts, seed)
    right = np.diagonal(tables, axis1=1, axis2=2)
    accuracy = right.sum(axis=1) / tables.sum(axis=(1, 2))
    return percentile_interval(accuracy), percentile_interval(_macro_f1_of_each(tables))


def _counts_by_block(
    labels: Sequence[str],
    predicted: Sequence[str],
    classes: Sequence[str],
    blocks: Sequence[str],
) -> NDArray[np.int64]:
    """Confusion counts of each block, shape ``(blocks, classes, classes)``."""
    reference, guess = paired_codes(labels, predicted, classes)
    if len(blocks) != len(labels):
        raise ValueError(f"{len(blocks)} blocks for {len(labels)} tiles: give one for each tile.")
    block_codes, names = pd.factorize(pd.Series(list(blocks), dtype=object))
    if (block_codes < 0).any():
        raise ValueError(
            f"{int((block_codes < 0).sum())} tiles have no block: evaluate without blocks where "
            "the places of tiles are not known."
        )
    counts = np.zeros((len(names), len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (block_codes, reference, guess), 1)
    return counts


def _macro_f1_of_each(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Macro-F1 of many tables at once, shape ``(resamples,)``; equal to confusion.macro_f1."""
    reference = tables.sum(axis=2)
    predicted = tables.sum(axis=1)
    right = np.diagonal(tables, axis1=1, axis2=2)
    present = reference > 0
    f1 = np.divide(2 * right, reference + predicted, out=np.zeros_like(right), where=present)
    return np.asarray(f1.sum(axis=1) / present.sum(axis=1))


class PairedComparison(CheckedModel):
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

    @property
    def certainty(self) -> str:
        """How sure it is in words that the first is the better.

        Examples
        --------
        >>> spread = Interval(lower=-0.004, upper=0.021)
        >>> PairedComparison(
        ...     difference=0.009, interval=spread, ahead=0.82, blocks=30, tiles=700
        ... ).certainty
        'it is ahead in 82 % of resamples of 30 blocks (difference 95 % interval -0.004 to +0.021)'
        """
        if self.interval is None or self.ahead is None:
            return "how sure that is cannot be said, since all tiles lie in one block"
        spread = f"{self.interval.lower:+.3f} to {self.interval.upper:+.3f}"
        return (
            f"it is ahead in {self.ahead:.0%} of resamples of {self.blocks:,} blocks "
            f"(difference 95 % interval {spread})"
        ).replace("%", " %", 1)


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
    whole = [float(_macro_f1_of_each(each.sum(axis=0, dtype=float)[None])[0]) for each in counts]
    difference, interval, ahead = whole[0] - whole[1], None, None
    number = len(counts[0])
    if number >= 2:  # noqa: PLR2004
        # With the same seed, the same blocks are drawn for both.
        drawn = [_macro_f1_of_each(resample_sums(each, seed)) for each in counts]
        apart = drawn[0] - drawn[1]
        interval, ahead = percentile_interval(apart), float((apart > 0).mean())
    return PairedComparison(
        difference=difference, interval=interval, ahead=ahead, blocks=number, tiles=len(labels)
    )
