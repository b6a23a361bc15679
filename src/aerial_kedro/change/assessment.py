"""Change by cells, and its patches, against the truth.

A patch is right where most of its cells truly changed. Of true change, the patches count that are
as wide as the reported ones must be, and the whole area, single cells and all.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aerial_kedro.accuracy.interval import Proportion, proportion
from aerial_kedro.accuracy.reliability import ReliabilityBin, expected_calibration_error
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.change.comparison import last_comparison
from aerial_kedro.change.patches import CellChangeAssessment, PatchDetection, cell_areas
from aerial_kedro.maps.fine import cells_of_column
from aerial_kedro.maps.patches import PatchRules, patches_of_change

TRUE_CELL_COLUMNS = ["tile_id", "block_id", "unseen", "true_before", "true_after"]
"""True classes of a tile's cells: 49 bytes, 1 + position in the class names, 0 where not known."""

PATCH_TRUTH_COLUMNS = ["rank", "known_cells", "changed_cells", "true_before", "true_after"]
"""What the truth says of a patch: its cells, and the commonest true classes among them."""

_CERTAIN = bytes([100]) * COUNT
_BINS = 10
_LIKELY = 0.5  # an edge of the bins
_MOST = 0.5


def assess_cells(
    cell_change: pd.DataFrame,
    true_cells: pd.DataFrame,
    classes: Sequence[str],
    rules: PatchRules,
    seed: int,
) -> tuple[CellChangeAssessment, pd.DataFrame]:
    """Evaluate change by cells, and its patches, between the last two years.

    Parameters
    ----------
    cell_change
        `aerial_kedro.change.cells.CELL_CHANGE_COLUMNS`.
    true_cells
        `TRUE_CELL_COLUMNS` of some of the tiles.
    classes
        Class names by value.
    rules
        Which cells make a patch.
    seed
        Seed of the intervals' draws.

    Returns
    -------
    assessment : CellChangeAssessment
        The evaluation.
    patch_truth : pandas.DataFrame
        `PATCH_TRUTH_COLUMNS` of the patches of which something is known.

    Raises
    ------
    ValueError
        If no cell's truth is known in both years.
    """
    tiles = last_comparison(cell_change).merge(true_cells, on="tile_id", how="left")
    true_before, true_after, percent = (
        cells_of_column(tiles[name]) for name in ("true_before", "true_after", "change_probability")
    )
    known = (true_before > 0) & (true_after > 0)
    if not known.any():
        raise ValueError("The true classes of no cell are known: nothing can be evaluated.")
    changed = known & (true_before != true_after)
    areas = cell_areas(tiles)
    _, ranks = patches_of_change(tiles, classes, rules)
    cells = _cells_in_patches(tiles, ranks, changed, known)
    true_area = float(areas @ changed.sum(axis=(1, 2)))
    unseen = cells[cells.groupby("rank")["unseen"].transform("all")]
    bins = _bins(percent[known], changed[known])
    likely = [each for each in bins if each.confidence >= _LIKELY]
    assessment = CellChangeAssessment(
        known_area_ha=float(areas @ known.sum(axis=(1, 2))),
        true_area_ha=true_area,
        # Of a tile that is known in part, that part of what is to be expected in it.
        expected_area_ha=float((areas * tiles["expected_share"]) @ known.sum(axis=(1, 2))),
        detection=_detect(cells, seed),
        unseen=_detect(unseen, seed) if len(unseen) else None,
        recall=float(cells.loc[cells["changed"], "area"].sum()) / true_area if true_area else None,
        true_patches=_find_true_patches(tiles, ranks > 0, classes, rules, seed),
        bins=bins,
        calibration_error=expected_calibration_error(bins),
        likely_calibration_error=expected_calibration_error(likely) if likely else None,
    )
    return assessment, _truth_of_patches(cells, classes)


def _cells_in_patches(
    tiles: pd.DataFrame,
    ranks: NDArray[np.int32],
    changed: NDArray[np.bool_],
    known: NDArray[np.bool_],
) -> pd.DataFrame:
    """Table the cells in patches whose truth is known, a row each."""
    at = np.nonzero(known & (ranks > 0))
    values = {
        name: cells_of_column(tiles[name])[at]
        for name in (
            "class_before", "class_after", "true_before", "true_after", "change_probability"
        )
    }  # fmt: skip
    found = pd.DataFrame(
        {
            **values,
            "rank": ranks[at],
            "changed": changed[at],
            "area": cell_areas(tiles)[at[0]],
            "block_id": tiles["block_id"].to_numpy(dtype=object)[at[0]],
            "unseen": tiles["unseen"].to_numpy(dtype=object)[at[0]].astype(bool),
        }
    )
    same = (found["true_before"] == found["class_before"]) & (
        found["true_after"] == found["class_after"]
    )
    return found.assign(same=same)


def _detect(cells: pd.DataFrame, seed: int) -> PatchDetection:
    patches = cells.groupby("rank").agg(
        changed=("changed", "mean"),
        same=("same", "mean"),
        percent=("change_probability", "mean"),
        block_id=("block_id", "first"),
    )
    right = patches[patches["changed"] > _MOST]
    return PatchDetection(
        expected=float(patches["percent"].sum()) / 100,
        precision=proportion(patches["changed"] > _MOST, patches["block_id"].tolist(), seed=seed),
        same_classes=proportion(right["same"] > _MOST, right["block_id"].tolist(), seed=seed),
        area_ha=float(cells["area"].sum()),
        true_area_ha=float(cells.loc[cells["changed"], "area"].sum()),
    )


def _find_true_patches(
    tiles: pd.DataFrame,
    reported: NDArray[np.bool_],
    classes: Sequence[str],
    rules: PatchRules,
    seed: int,
) -> Proportion:
    """Count the patches of true change, and those of which most cells are reported."""
    true = tiles.assign(
        class_before=tiles["true_before"],
        class_after=tiles["true_after"],
        change_probability=[_CERTAIN] * len(tiles),
    )
    _, ranks = patches_of_change(true, classes, rules)
    at = np.nonzero(ranks)
    cells = pd.DataFrame(
        {
            "rank": ranks[at],
            "reported": reported[at],
            "block_id": tiles["block_id"].to_numpy(dtype=object)[at[0]],
        }
    )
    patches = cells.groupby("rank").agg(reported=("reported", "mean"), block=("block_id", "first"))
    return proportion(patches["reported"] > _MOST, patches["block"].tolist(), seed=seed)


def _truth_of_patches(cells: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    names = np.array([*classes], dtype=object)
    pairs = cells.groupby(["rank", "true_before", "true_after"]).size().rename("n").reset_index()
    most = pairs.sort_values(["rank", "n"], ascending=[True, False], kind="stable")
    commonest = most.drop_duplicates("rank").set_index("rank")
    counts = cells.groupby("rank")["changed"].agg(known_cells="size", changed_cells="sum")
    found = counts.assign(
        true_before=names[commonest["true_before"].reindex(counts.index).to_numpy(int) - 1],
        true_after=names[commonest["true_after"].reindex(counts.index).to_numpy(int) - 1],
    )
    return pd.DataFrame(found.reset_index()[PATCH_TRUTH_COLUMNS])


def _bins(percent: NDArray[np.uint8], changed: NDArray[np.bool_]) -> list[ReliabilityBin]:
    """Share of truly changed cells by tenths of the probability."""
    place = np.minimum(percent // _BINS, _BINS - 1)
    counts = np.bincount(place, minlength=_BINS)
    sums = np.bincount(place, weights=percent / 100, minlength=_BINS)
    true = np.bincount(place, weights=changed, minlength=_BINS)
    return [
        ReliabilityBin(
            confidence=sums[i] / counts[i], accuracy=true[i] / counts[i], count=counts[i]
        )
        for i in np.flatnonzero(counts)
    ]
