"""How much of the ground a map has right: cell by cell, pure and mixed, against one class a tile.

Accuracy on tiles that are mostly of one class flatters, since the others are in no figure. Here
every cell of the test blocks counts whose class is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from aerial_kedro.accuracy.bootstrap import block_bootstrap
from aerial_kedro.accuracy.confusion import confusion_counts, macro_f1
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.accuracy.reliability import expected_calibration_error, reliability_curve
from aerial_kedro.parameters import CheckedModel

Cells = NDArray[np.int64]
_NOTHING = ""
_PURE = 0.995  # share of a cell, known in percent, that makes it pure


class GroundAccuracy(CheckedModel):
    """A map of cells, and the map of tiles, on the ground of test blocks.

    Parameters
    ----------
    accuracy, accuracy_interval
        Share of the ground that the map has right, and its 95 % interval by block bootstrap; None
        with a single block.
    tile_map_accuracy
        Share of the same cells that are right where each is given the class of its tile.
    best_tile_map_accuracy
        Share that would be right if each tile had the class of most of its cells: the best that
        one class a tile can be.
    macro_f1
        Mean F1 over the classes that the reference holds.
    cells, tiles, blocks
        Cells whose class is known, the tiles they lie in, and the spatial blocks.
    pure_accuracy, mixed_accuracy
        Share right among cells of one class only, and among the others; None without such cells.
    tiles_by_cells_pure, tiles_by_cells_mixed
        Share of pure (labelled) and mixed tiles whose likeliest class by their cells is that of
        most of their ground; None without such tiles.
    tiles_by_model_pure, tiles_by_model_mixed
        The same of the class that the map of tiles gives them.
    tile_shares_error, tile_map_shares_error
        Mean over the tiles of the sum of the differences between the shares of classes in a tile
        and their true shares, 0 to 2: by cells, and with one class a tile.
    area_error, tile_map_area_error
        The same for the shares of all this ground together.
    calibration_error
        Expected calibration error of the cells' probabilities.
    unsure_share, sure_accuracy
        Share of the cells that the map leaves open as too little probable, and the share right
        among the others; None without others. All other figures count their likeliest class.
    """

    accuracy: float
    accuracy_interval: Interval | None
    tile_map_accuracy: float
    best_tile_map_accuracy: float
    macro_f1: float
    cells: int
    tiles: int
    blocks: int
    pure_accuracy: float | None
    mixed_accuracy: float | None
    tiles_by_cells_pure: float | None
    tiles_by_cells_mixed: float | None
    tiles_by_model_pure: float | None
    tiles_by_model_mixed: float | None
    tile_shares_error: float
    tile_map_shares_error: float
    area_error: float
    tile_map_area_error: float
    calibration_error: float
    unsure_share: float
    sure_accuracy: float | None


class CellMapSummary(CheckedModel):
    """How much of the ground of test blocks the map of cells has right.

    Parameters
    ----------
    overall
        Agreement with the land cover, of all years together; None where no cell has a label.
    overall_truth
        Accuracy against the truth, of the years where it is known; None where it is of none.
    overall_land_cover
        Accuracy of the land cover itself against that truth.
    unknown_share
        Share of the ground that is in none of the figures of agreement, since the land cover does
        not say what it is.
    agreement, truth, land_cover
        The same by year.
    bytes_a_tile
        Bytes that the embedding of a tile's cells takes.
    """

    overall: GroundAccuracy | None = None
    overall_truth: GroundAccuracy | None = None
    overall_land_cover: GroundAccuracy | None = None
    unknown_share: float
    agreement: dict[str, GroundAccuracy] = Field(default_factory=dict)
    truth: dict[str, GroundAccuracy] = Field(default_factory=dict)
    land_cover: dict[str, GroundAccuracy] = Field(default_factory=dict)
    bytes_a_tile: int


@dataclass(frozen=True)
class GroundSample:
    """Tiles of test blocks with what is known and said of their cells.

    Parameters
    ----------
    reference, predicted
        ``(tiles, cells)``: position in the class names of each cell's class, -1 where the reference
        is not known, or the map says nothing and so is wrong.
    purity
        ``(tiles, cells)``: share of each cell that its reference class covers, 0–1.
    probabilities
        ``(tiles, cells, classes)``.
    unsure
        ``(tiles, cells)``: whether the likeliest class is too little probable to be shown.
    tile_classes, by_cells
        ``(tiles,)``: class of each tile on the map of tiles, and the likeliest by its cells; -1
        where there is none.
    is_pure
        ``(tiles,)``: whether a tile has a label, being mostly of one class.
    blocks
        Spatial block of each tile.
    """

    reference: Cells
    predicted: Cells
    purity: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    unsure: NDArray[np.bool_]
    tile_classes: Cells
    by_cells: Cells
    is_pure: NDArray[np.bool_]
    blocks: Sequence[str]


def evaluate_ground(sample: GroundSample, classes: Sequence[str], seed: int) -> GroundAccuracy:
    """Compare maps with the reference, cell by cell.

    Parameters
    ----------
    sample
        The cells.
    classes
        Class names.
    seed
        Seed of the block bootstrap.

    Raises
    ------
    ValueError
        If no cell's class is known.
    """
    reference, predicted = sample.reference, sample.predicted
    known = reference >= 0
    if not known.any():
        raise ValueError("The class of no cell is known.")
    keep = known.any(axis=1)
    reference, predicted, known = reference[keep], predicted[keep], known[keep]
    shares, mapped = (_shares(each, known, len(classes)) for each in (reference, predicted))
    majority, of_tile = shares.argmax(axis=1), sample.tile_classes[keep]
    one_class = np.eye(len(classes) + 1)[of_tile][:, : len(classes)]
    right = (reference == predicted)[known]
    # Where a map says nothing (-1) it says the last of these, which the reference never does.
    counted = [*classes, _NOTHING]
    names = np.array(counted, dtype=object)
    labels, found = names[reference[known]].tolist(), names[predicted[known]].tolist()
    in_blocks = np.repeat(np.array(sample.blocks, dtype=object)[keep], known.sum(axis=1)).tolist()
    spread = block_bootstrap(labels, found, counted, in_blocks, seed=seed)
    whole = sample.purity[keep][known] >= _PURE
    by_cells, by_model = (each == majority for each in (sample.by_cells[keep], of_tile))
    pure = sample.is_pure[keep]
    weights = known.sum(axis=1)
    unsure = sample.unsure[keep][known]
    bins = reliability_curve(reference[known], sample.probabilities[keep][known])
    return GroundAccuracy(
        accuracy=float(right.mean()),
        accuracy_interval=spread[0] if spread else None,
        tile_map_accuracy=float((reference == of_tile[:, None])[known].mean()),
        best_tile_map_accuracy=float((reference == majority[:, None])[known].mean()),
        macro_f1=macro_f1(confusion_counts(labels, found, counted)),
        cells=int(known.sum()),
        tiles=len(reference),
        blocks=len(set(in_blocks)),
        pure_accuracy=_mean(right[whole]),
        mixed_accuracy=_mean(right[~whole]),
        tiles_by_cells_pure=_mean(by_cells[pure]),
        tiles_by_cells_mixed=_mean(by_cells[~pure]),
        tiles_by_model_pure=_mean(by_model[pure]),
        tiles_by_model_mixed=_mean(by_model[~pure]),
        tile_shares_error=float(np.abs(mapped - shares).sum(axis=1).mean()),
        tile_map_shares_error=float(np.abs(one_class - shares).sum(axis=1).mean()),
        area_error=_area_error(mapped, shares, weights),
        tile_map_area_error=_area_error(one_class, shares, weights),
        calibration_error=expected_calibration_error(bins),
        unsure_share=float(unsure.mean()),
        sure_accuracy=_mean(right[~unsure]),
    )


def _shares(classes: Cells, known: NDArray[np.bool_], count: int) -> NDArray[np.float64]:
    """Share of each class among the known cells of each tile, ``(tiles, classes)``."""
    hits = [((classes == each) & known).sum(axis=1) for each in range(count)]
    return np.asarray(np.stack(hits, axis=1) / known.sum(axis=1, keepdims=True))


def _area_error(mapped: NDArray[np.float64], shares: NDArray[np.float64], weights: Cells) -> float:
    both = (np.average(each, axis=0, weights=weights) for each in (mapped, shares))
    first, second = both
    return float(np.abs(first - second).sum())


def _mean(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None
