"""Drawing the cells that a classifier learns from, and those that it is evaluated on."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from pydantic import Field

from aerial_kedro.cells.grid import COUNT, unpack
from aerial_kedro.parameters import CheckedModel

_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)


class CellRules(CheckedModel):
    """Which cells teach, and which speak for the ground.

    Parameters
    ----------
    min_purity
        Share of a cell that its largest class must cover for the cell to teach that class.
    max_per_class
        Most training cells of a class, drawn over all blocks.
    max_evaluated
        Most cells of each split that a classifier is evaluated on, drawn over all its ground,
        pure and mixed.
    """

    min_purity: float = Field(gt=0, le=1)
    max_per_class: int = Field(gt=0)
    max_evaluated: int = Field(gt=0)


class Quotas(CheckedModel):
    """How large a share of the cells is drawn, and what the drawn ones stand for.

    Parameters
    ----------
    teaching
        Class, as its position in the class table counted from 1, to the threshold below which a
        training cell's number makes it teach.
    weights
        Class to the number of training cells that each drawn one stands for.
    evaluated
        Split to the threshold below which a cell is evaluated.
    """

    teaching: dict[int, float]
    weights: dict[int, float]
    evaluated: dict[str, float]


def numbers_of_cells(image_ids: Sequence[str], seed: int) -> np.ndarray:
    """Draw a number for each cell of each tile, the same whenever it is asked for.

    Parameters
    ----------
    image_ids
        Of the tiles.
    seed
        Seed of the draw.

    Returns
    -------
    numpy.ndarray
        ``(tiles, 49)``, float64, even over 0 to 1.
    """
    tiles = pd.util.hash_array(np.asarray(image_ids, dtype=object))
    # The finalizer of SplitMix64 (Steele et al. 2014), on a counter of cells.
    counter = np.arange(1, COUNT + 1, dtype=np.uint64) + np.uint64(seed) * np.uint64(COUNT)
    with np.errstate(over="ignore"):
        value = tiles[:, None] + counter[None] * _STEP
        value = (value ^ (value >> np.uint64(30))) * _MIX_1
        value = (value ^ (value >> np.uint64(27))) * _MIX_2
    value ^= value >> np.uint64(31)
    return np.asarray(value / 2.0**64)


def candidate_cells(
    frames: Iterator[pd.DataFrame], rules: CellRules, seed: int
) -> Iterator[pd.DataFrame]:
    """Count the cells that could be drawn, and list the smallest numbers (``mapInPandas``).

    Parameters
    ----------
    frames
        ``image_id, cell_split, cell_labels, cell_purity`` of tiles in a split.
    rules
        Which cells teach.
    seed
        Seed of the draw.

    Yields
    ------
    pandas.DataFrame
        ``kind, cells, numbers``: ``kind`` is a training class, ``class 3``, or a split, ``split
        test``; ``numbers`` are as many of the cells' as can be needed, smallest first.
    """
    for frame in frames:
        labels, teaches = _labels_and_teaching(frame, rules)
        drawn = numbers_of_cells(frame["image_id"].tolist(), seed)
        split = np.repeat(frame["cell_split"].to_numpy()[:, None], COUNT, axis=1)
        kinds = [
            (f"class {code}", teaches & (split == "train") & (labels == code), rules.max_per_class)
            for code in np.unique(labels[labels > 0])
        ]
        kinds += [
            (f"split {name}", (labels > 0) & (split == name), rules.max_evaluated)
            for name in np.unique(split.astype(str))
        ]
        yield pd.DataFrame(
            [
                (kind, int(chosen.sum()), np.sort(drawn[chosen])[: most + 1].tolist())
                for kind, chosen, most in kinds
                if chosen.any()
            ],
            columns=["kind", "cells", "numbers"],
        )


def set_quotas(candidates: pd.DataFrame, rules: CellRules) -> Quotas:
    """Find the thresholds that draw as many cells as the rules allow.

    Parameters
    ----------
    candidates
        All that `candidate_cells` listed.
    rules
        The numbers allowed.
    """
    totals = candidates.groupby("kind")["cells"].sum()
    counts = {str(kind): int(cells) for kind, cells in totals.items()}
    thresholds = {}
    for kind, rows in candidates.groupby("kind"):
        most = rules.max_per_class if str(kind).startswith("class") else rules.max_evaluated
        smallest = np.sort(np.concatenate(rows["numbers"].tolist()))
        thresholds[str(kind)] = float(smallest[most]) if len(smallest) > most else 1.0
    of_class = {int(kind.split()[1]): kind for kind in thresholds if kind.startswith("class")}
    return Quotas(
        teaching={code: thresholds[kind] for code, kind in of_class.items()},
        weights={
            code: counts[kind] / min(counts[kind], rules.max_per_class)
            for code, kind in of_class.items()
        },
        evaluated={
            kind.removeprefix("split "): threshold
            for kind, threshold in thresholds.items()
            if kind.startswith("split")
        },
    )


def draw_cells(
    tiles: pd.DataFrame, rules: CellRules, quotas: Quotas, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the cells that are drawn.

    Parameters
    ----------
    tiles
        ``image_id, cell_split, cell_labels, cell_purity``.
    rules, quotas, seed
        The rules, and what `set_quotas` made of them with the same seed.

    Returns
    -------
    teaches, evaluated
        Bool, ``(tiles, 49)`` each. Cells of validation blocks teach where they would in training
        ones: out of fold they do.
    """
    labels, pure = _labels_and_teaching(tiles, rules)
    drawn = numbers_of_cells(tiles["image_id"].tolist(), seed)
    below = np.array([quotas.teaching.get(code, 0.0) for code in range(256)])
    split = tiles["cell_split"].to_numpy(dtype=object)
    may_teach = np.isin(split.astype(str), ("train", "validation"))
    teaches = pure & (drawn < below[labels]) & may_teach[:, None]
    limits = np.array([quotas.evaluated.get(str(each), 0.0) for each in split])
    return teaches, (labels > 0) & (drawn < limits[:, None])


def _labels_and_teaching(tiles: pd.DataFrame, rules: CellRules) -> tuple[np.ndarray, np.ndarray]:
    """Labels ``(tiles, 49)``, and whether each cell is pure enough to teach its own."""
    labels = unpack(tiles["cell_labels"].tolist()).reshape(len(tiles), COUNT)
    purity = unpack(tiles["cell_purity"].tolist()).reshape(len(tiles), COUNT)
    return labels, (labels > 0) & (purity >= round(100 * rules.min_purity))
