"""Patches of change between years: what somebody goes to look at, and how much of it is real."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aerial_kedro.accuracy.interval import Proportion
from aerial_kedro.accuracy.reliability import ReliabilityBin
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.change.cells import CellTransitions
from aerial_kedro.change.comparison import last_comparison
from aerial_kedro.maps.patches import PATCH_COLUMNS, PatchRules, patches_of_change
from aerial_kedro.parameters import CheckedModel

_M2_PER_HA = 1e4


class PatchDetection(CheckedModel):
    """Patches of change, evaluated.

    Parameters
    ----------
    expected
        Number of right patches to expect: the sum of their mean probabilities.
    precision
        Patches of which most cells truly changed.
    same_classes
        Of those, patches of which most cells have both classes right.
    area_ha, true_area_ha
        Area of the patches, and how much of it truly changed.
    """

    expected: float
    precision: Proportion
    same_classes: Proportion
    area_ha: float
    true_area_ha: float


class CellChangeAssessment(CheckedModel):
    """Change by cells against the truth.

    Parameters
    ----------
    known_area_ha
        Area whose truth is known in both years: what the rest is of.
    true_area_ha, expected_area_ha
        How much of it truly changed, and how much was to be expected by the probabilities.
    detection
        The patches.
    unseen
        Those of them that took no part in training or in choosing the model; None without one.
    recall
        Share of the truly changed area that lies in patches; None where nothing changed.
    true_patches
        Patches of true change, as wide as `PatchRules` asks, of which most cells lie in patches.
    bins
        Cells by their probability of change, and the share that truly changed.
    calibration_error, likely_calibration_error
        Mean distance of the two over all cells, and over those of 50 % and more, since most cells
        are sure not to have changed; None without such cells.
    """

    known_area_ha: float
    true_area_ha: float
    expected_area_ha: float
    detection: PatchDetection
    unseen: PatchDetection | None
    recall: float | None
    true_patches: Proportion
    bins: list[ReliabilityBin]
    calibration_error: float
    likely_calibration_error: float | None


class CellChangeSummary(CheckedModel):
    """Change by cells between the last two years.

    Parameters
    ----------
    before, after
        The years.
    cells, area_ha
        Cells compared, and their area.
    changed_share, changed_area_ha
        Estimate of how much changed, from the shares of the pairs of classes.
    classes, transitions_ha
        Estimated area by class before (rows) and after (columns), in hectares.
    rules
        Which cells make a patch.
    patches, patch_area_ha
        Number of patches, and their area.
    expected_patches, expected_patch_area_ha
        How many of them, and how much of that area, to expect to have truly changed.
    assessment
        The same against known truth; None where there is none.
    """

    before: int
    after: int
    cells: int
    area_ha: float
    changed_share: float
    changed_area_ha: float
    classes: list[str]
    transitions_ha: list[list[float]]
    rules: PatchRules
    patches: int
    patch_area_ha: float
    expected_patches: float
    expected_patch_area_ha: float
    assessment: CellChangeAssessment | None = None


def find_patches(
    cell_change: pd.DataFrame, classes: Sequence[str], rules: PatchRules
) -> gpd.GeoDataFrame:
    """Find the patches of change between each year and the next.

    Parameters
    ----------
    cell_change
        `aerial_kedro.change.cells.CELL_CHANGE_COLUMNS`.
    classes
        Class names by value.
    rules
        Which cells make a patch.

    Returns
    -------
    geopandas.GeoDataFrame
        ``year_before, year_after`` and `PATCH_COLUMNS`; ranks count from 1 in each pair of years.
    """
    parts = []
    for (before, after), tiles in cell_change.groupby(["year_before", "year_after"]):
        found, _ = patches_of_change(tiles.reset_index(drop=True), classes, rules)
        parts.append(found.assign(year_before=before, year_after=after))
    columns = ["year_before", "year_after", *PATCH_COLUMNS]
    if not parts:
        return gpd.GeoDataFrame(columns=columns, geometry="geometry", crs="OGC:CRS84")
    filled = [part for part in parts if len(part)] or parts[:1]
    return gpd.GeoDataFrame(pd.concat(filled, ignore_index=True))[columns]


def summarise_cells(
    cell_change: pd.DataFrame,
    patches: gpd.GeoDataFrame,
    transitions: CellTransitions,
    rules: PatchRules,
) -> CellChangeSummary | None:
    """Sum up change by cells between the last two years; None where there is one year only.

    Parameters
    ----------
    cell_change
        `aerial_kedro.change.cells.CELL_CHANGE_COLUMNS`.
    patches
        Their patches, from `find_patches`.
    transitions
        The shares of the pairs of classes.
    rules
        Which cells make a patch.
    """
    if not transitions.pairs:
        return None
    found = max(transitions.pairs, key=lambda pair: pair.after)
    area = COUNT * float(cell_areas(last_comparison(cell_change)).sum())
    last = patches[patches["year_after"] == found.after]
    return CellChangeSummary(
        before=found.before,
        after=found.after,
        cells=found.cells,
        area_ha=area,
        changed_share=found.rate,
        changed_area_ha=found.rate * area,
        classes=transitions.known_classes,
        transitions_ha=(area * np.array(found.shares)).tolist(),
        rules=rules,
        patches=len(last),
        patch_area_ha=float(last["area_ha"].sum()),
        expected_patches=float(last["mean_probability"].sum()),
        expected_patch_area_ha=float(last["expected_area_ha"].sum()),
    )


def cell_areas(tiles: pd.DataFrame) -> NDArray[np.float64]:
    """Area of a cell of each tile (``xmin, ymin, xmax, ymax``), in hectares, ``(n,)``."""
    squares = (tiles["xmax"] - tiles["xmin"]) * (tiles["ymax"] - tiles["ymin"])
    return squares.to_numpy(dtype=float) / COUNT / _M2_PER_HA
