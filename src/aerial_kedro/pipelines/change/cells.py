"""Nodes of change by cells."""

import itertools
import logging
from functools import partial

import geopandas as gpd
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cells.grid import COUNT
from aerial_kedro.change.assessment import PATCH_TRUTH_COLUMNS, assess_cells
from aerial_kedro.change.cells import (
    CELL_CHANGE_COLUMNS,
    DRAWN_COLUMNS,
    PAIR_COLUMNS,
    CellTransitions,
    draw_pairs,
    estimate_shares,
    shares_of_tiles,
)
from aerial_kedro.change.cells import compare_cells as compare_frames
from aerial_kedro.change.patches import find_patches, summarise_cells
from aerial_kedro.change.reference import find_true_cells
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.maps.patches import PatchRules
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.tiles.catalog import ddl

LOGGER = logging.getLogger(__name__)
# Pairs of cells that the shares of the pairs of classes are estimated from: of a class that one
# cell in a thousand turned into, two hundred.
_SAMPLED = 200_000
_PLACE = [name for name in PAIR_COLUMNS if not name.startswith("chances")]


def estimate_transitions(
    cell_predictions: DataFrame, classes: LandCoverClasses, model: TrainedModel, seed: int
) -> CellTransitions:
    """Estimate what became of what between each year and the next, from a sample of cells.

    Parameters
    ----------
    cell_predictions
        `aerial_kedro.schemas.CELL_PREDICTION_COLUMNS`.
    classes
        The class table.
    model
        The classifier of cells.
    seed
        Seed of the draw of cells.
    """
    names = classes.on_map(model.card.classes)
    known = model.card.classes
    found = []
    for before, after in _consecutive_years(cell_predictions):
        pairs = _pairs(cell_predictions, before, after)
        cells = COUNT * pairs.count()
        if not cells:
            LOGGER.warning("No cell was seen in both %d and %d", before, after)
            continue
        draw = partial(draw_pairs, share=_SAMPLED / cells, seed=seed)
        drawn = pairs.mapInPandas(draw, ddl(DRAWN_COLUMNS)).toPandas()
        estimate = estimate_shares(
            drawn, len(known), before=before, after=after, cells=cells, seed=seed
        )
        LOGGER.info(
            "%d to %d: %.1f %% of %s cells changed (estimate)",
            before, after, 100 * estimate.rate, f"{cells:,}",
        )  # fmt: skip
        found.append(estimate)
    values = [1 + names.index(name) for name in known]
    return CellTransitions(classes=names, values=values, colours=classes.colours, pairs=found)


def compare_cells(cell_predictions: DataFrame, transitions: CellTransitions) -> pd.DataFrame:
    """Work out the probability of change of every cell between each year and the next.

    Workers do it; what comes to the driver are three bytes a cell.

    Returns
    -------
    pandas.DataFrame
        `CELL_CHANGE_COLUMNS`, a row for each tile and pair of years; empty with one year only.
    """
    parts = []
    for each in transitions.pairs:
        compare = partial(compare_frames, transitions=each, values=transitions.values)
        pairs = _pairs(cell_predictions, each.before, each.after)
        found = pairs.mapInPandas(compare, ddl(CELL_CHANGE_COLUMNS)).toPandas()
        parts.append(found.sort_values("tile_id", ignore_index=True))
    if not parts:
        return pd.DataFrame(columns=list(CELL_CHANGE_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def find_change_patches(
    cell_change: pd.DataFrame, transitions: CellTransitions, rules: PatchRules
) -> gpd.GeoDataFrame:
    """Find the patches of change between each year and the next."""
    patches = find_patches(cell_change, transitions.classes, rules)
    for (before, after), found in patches.groupby(["year_before", "year_after"]):
        LOGGER.info(
            "%d to %d: %s patches of change, %.0f ha",
            before, after, f"{len(found):,}", found["area_ha"].sum(),
        )  # fmt: skip
    return patches


def add_changed_shares(
    change: pd.DataFrame, cell_change: pd.DataFrame, transitions: CellTransitions
) -> pd.DataFrame:
    """Add to the tiles of `compare_years` what their cells say; null where a tile has none."""
    shares = shares_of_tiles(cell_change, transitions.classes)
    return change.merge(shares, on=["tile_id", "year_before", "year_after"], how="left")


def tabulate_shares(cell_change: pd.DataFrame, transitions: CellTransitions) -> pd.DataFrame:
    """List for each tile what its cells say of change, where no classifier of tiles is."""
    places = cell_change[["tile_id", "year_before", "year_after", "lon", "lat", "expected_share"]]
    shares = shares_of_tiles(cell_change, transitions.classes)
    return places.merge(shares, on=["tile_id", "year_before", "year_after"])


def evaluate_cell_change(
    tile_change: ChangeSummary,
    cell_change: pd.DataFrame,
    transitions: CellTransitions,
    patches: gpd.GeoDataFrame,
    tile_catalog: DataFrame,
    reference_maps: list[LandCoverRaster],
    classes: LandCoverClasses,
    rules: PatchRules,
    seed: int,
) -> tuple[ChangeSummary, pd.DataFrame]:
    """Add change by cells to the summary, and how good it is where reference maps hold the truth.

    Returns
    -------
    tuple
        The summary, and the truth of the patches, `PATCH_TRUTH_COLUMNS`.
    """
    nothing = pd.DataFrame(columns=PATCH_TRUTH_COLUMNS)
    summary = summarise_cells(cell_change, patches, transitions, rules)
    if summary is None:
        return tile_change, nothing
    names = transitions.classes
    truth = find_true_cells(cell_change, tile_catalog, reference_maps, classes, names)
    if not len(truth):
        return tile_change.model_copy(update={"cells": summary}), nothing
    assessment, of_patches = assess_cells(cell_change, truth, names, rules, seed)
    right = assessment.detection.precision
    LOGGER.info(
        "%d of %d patches of change truly changed; %.0f ha truly changed, %.0f ha were expected",
        right.hits, right.cases, assessment.true_area_ha, assessment.expected_area_ha,
    )  # fmt: skip
    found = summary.model_copy(update={"assessment": assessment})
    return tile_change.model_copy(update={"cells": found}), of_patches


def _consecutive_years(cell_predictions: DataFrame) -> list[tuple[int, int]]:
    rows = cell_predictions.select("year").distinct().filter("year is not null").collect()
    return list(itertools.pairwise(sorted(int(row["year"]) for row in rows)))


def _pairs(cell_predictions: DataFrame, before: int, after: int) -> DataFrame:
    """Join the tiles of two years: `PAIR_COLUMNS`."""
    first, second = (cell_predictions.filter(F.col("year") == year) for year in (before, after))
    return first.select(*_PLACE, F.col("cell_probabilities").alias("chances_before")).join(
        second.select("tile_id", F.col("cell_probabilities").alias("chances_after")), "tile_id"
    )
