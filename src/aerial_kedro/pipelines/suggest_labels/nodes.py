"""Nodes that choose the cells to label and draw the page."""

import logging
from functools import partial

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cells.candidates import (
    CANDIDATE_COLUMNS,
    COUNT_COLUMNS,
    CandidateShares,
    count_cells,
    describe_candidates,
)
from aerial_kedro.cells.describe import CellInputs
from aerial_kedro.cells.drawing import CellRules
from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.labelling.content import LabelPage
from aerial_kedro.labelling.page import render_label_page
from aerial_kedro.labelling.suggestions import SuggestRules, suggest
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.models.neighbourhoods import PLACE_COLUMNS, map_neighbourhoods
from aerial_kedro.pipelines.label_pictures import draw_tasks
from aerial_kedro.report.colours import class_colours
from aerial_kedro.tiles.catalog import ddl

LOGGER = logging.getLogger(__name__)
# Of labelled cells no more are learned from: land cover labels all there are.
_MOST_LABELLED = 5_000


def describe_cells_to_label(
    tile_features: DataFrame,
    tile_catalog: DataFrame,
    source: FeatureSource,
    inputs: CellInputs,
    rules: SuggestRules,
    drawn: CellRules,
    seed: int,
) -> pd.DataFrame:
    """Draw cells over all tiles and describe them, and the labelled ones with them.

    Returns
    -------
    pandas.DataFrame
        `CANDIDATE_COLUMNS`.
    """
    columns = ("tile_id", "block_id", "cell_labels", "cell_purity", *PLACE_COLUMNS)
    features = tile_features.filter(F.col("feature_key") == source.key).select(
        "image_id", "source_version", "cells", "cell_statistics"
    )
    tiles = (
        tile_catalog.select("image_id", "source_version", *columns)
        .join(features, ["image_id", "source_version"])
        .drop("source_version")
    )
    counted = (
        tiles.select("cell_labels", "cell_purity")
        .mapInPandas(partial(count_cells, min_purity=drawn.min_purity), ddl(COUNT_COLUMNS))
        .agg(F.sum("cells").alias("cells"), F.sum("labelled").alias("labelled"))
        .collect()[0]
    )
    labelled = counted["labelled"] or 0
    unlabelled = (counted["cells"] or 0) - labelled
    shares = CandidateShares(
        unlabelled=min(1.0, rules.candidates / max(unlabelled, 1)),
        labelled=min(1.0, _MOST_LABELLED / max(labelled, 1)),
        min_purity=drawn.min_purity,
    )
    describe = partial(describe_candidates, inputs=inputs, shares=shares, seed=seed)
    return map_neighbourhoods(tiles, describe, ddl(CANDIDATE_COLUMNS)).toPandas()


def choose_cells_to_label(
    candidates: pd.DataFrame, rules: SuggestRules, classes: LandCoverClasses, seed: int
) -> pd.DataFrame:
    """Choose the cells that the page asks for, as `suggest` does.

    Raises
    ------
    AerialError
        If there is no cell to ask for.
    """
    chosen = suggest(candidates, rules, classes.names, seed)
    if chosen.empty:
        raise AerialError(
            "There is no cell to label: the scenes have no tile with an image that is not labelled "
            "yet. Give scenes of more ground with --params=scenes_root=DIR."
        )
    if len(chosen) < rules.cells:
        LOGGER.warning(
            "The page asks for %d cells, not for %d (`suggest.cells`): no two of them touch, and "
            "there are no more",
            len(chosen),
            rules.cells,
        )
    return chosen


def draw_label_page(
    chosen: pd.DataFrame,
    candidates: pd.DataFrame,
    tile_catalog: DataFrame,
    rules: SuggestRules,
    classes: LandCoverClasses,
) -> str:
    """Draw the page: a whole HTML document that works without a network."""
    positions = sorted({int(each) for each in candidates["label"]} - {0})
    names = [*(classes.names[each - 1] for each in positions), *rules.classes]
    tasks = draw_tasks(tile_catalog, chosen.assign(sample_id=chosen["cell_id"]))
    page = LabelPage(
        title=f"{len(tasks)} cells to label",
        kind="labels",
        classes=class_colours(names, classes.colours),
        tasks=tasks,
    )
    LOGGER.info("The labelling page asks for %d cells", len(tasks))
    return render_label_page(page)
