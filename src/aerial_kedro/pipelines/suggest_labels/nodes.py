"""Nodes that choose the cells to label and draw the page."""

import logging
from functools import partial

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.sampling import SampleDesign
from aerial_kedro.cells.candidates import (
    CANDIDATE_COLUMNS,
    COUNT_COLUMNS,
    CandidateShares,
    count_cells,
    describe_candidates,
)
from aerial_kedro.cells.describe import CellInputs
from aerial_kedro.cells.drawing import CellRules
from aerial_kedro.cells.places import centres_of_cells, name_cells_of_tiles
from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.labelling.content import CarriedLabel, LabelPage
from aerial_kedro.labelling.page import render_label_page
from aerial_kedro.labelling.suggestions import SuggestRules, suggest
from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.models.neighbourhoods import PLACE_COLUMNS, map_neighbourhoods
from aerial_kedro.pipelines.label_pictures import draw_tasks
from aerial_kedro.report.colours import class_colours
from aerial_kedro.tiles.catalog import ddl

LOGGER = logging.getLogger(__name__)
# Of labelled cells no more are learned from: land cover labels all there are.
_MOST_LABELLED = 5_000
# Rows of the page's file besides its own: two megabytes of the page.
_MOST_CARRIED = 20_000


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
    candidates: pd.DataFrame,
    rules: SuggestRules,
    classes: LandCoverClasses,
    design: SampleDesign | None,
    seed: int,
) -> pd.DataFrame:
    """Choose the cells that the page asks for, as `suggest` does.

    Those of a reference sample are left out: whoever labels one teaches what is to be evaluated.

    Raises
    ------
    AerialError
        If there is no cell to ask for.
    """
    sampled = set() if design is None else design.cell_ids
    asked = candidates[~candidates["cell_id"].isin(sampled)]
    chosen = suggest(asked, rules, classes.names, seed)
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


def list_labelled_cells(
    placed_labels: pd.DataFrame, tile_catalog: DataFrame, classes: LandCoverClasses
) -> pd.DataFrame:
    """List the cells that labels of one's own label, which the page's file is to hold as well.

    Parameters
    ----------
    placed_labels
        `aerial_kedro.labels.placing.PLACED_COLUMNS`. Not the catalog's labels of cells: where a
        land cover lies beside, most of those are not the user's.
    tile_catalog
        Where their tiles lie.
    classes
        The class table.

    Returns
    -------
    pandas.DataFrame
        ``cell_id, year, lon, lat, class_name``, a row a cell and year.
    """
    own = placed_labels.loc[placed_labels["label"] > 0, ["tile_id", "year", "cell", "label"]]
    edges = ("epsg", "xmin", "ymin", "xmax", "ymax")
    tiles = tile_catalog.filter("cell_labels is not null").select("tile_id", *edges)
    own = own.merge(tiles.dropDuplicates(["tile_id"]).toPandas(), on="tile_id")
    own = own.sort_values(["tile_id", "cell", "year"], ignore_index=True)
    numbers = own["cell"].to_numpy(int)
    lon, lat = centres_of_cells(own, numbers)
    return pd.DataFrame(
        {
            "cell_id": name_cells_of_tiles(own["tile_id"].to_numpy(), numbers),
            "year": own["year"].astype(int),
            "lon": lon,
            "lat": lat,
            "class_name": [classes.names[each - 1] for each in own["label"]],
        }
    )


def draw_label_page(
    chosen: pd.DataFrame,
    candidates: pd.DataFrame,
    tile_catalog: DataFrame,
    rules: SuggestRules,
    classes: LandCoverClasses,
    labelled: pd.DataFrame | None = None,
) -> str:
    """Draw the page: a whole HTML document that works without a network.

    Parameters
    ----------
    chosen, candidates
        The cells that it asks for, and those that they were chosen of.
    tile_catalog
        Where the pictures are.
    rules, classes
        Classes that it begins with: those of the rules, and those that are labelled.
    labelled
        What `list_labelled_cells` lists; None without labels of one's own.
    """
    positions = sorted({int(each) for each in candidates["label"]} - {0})
    names = [*(classes.names[each - 1] for each in positions), *rules.classes]
    labels = () if labelled is None else tuple(labelled.to_dict("records"))
    too_many = len(labels) > _MOST_CARRIED
    if too_many:
        LOGGER.warning(
            "%d cells are labelled, too many for the page to carry (%d at most): its file will "
            "hold its own answers alone. Add them to your file of labels",
            len(labels),
            _MOST_CARRIED,
        )
    tasks = draw_tasks(tile_catalog, chosen.assign(sample_id=chosen["cell_id"]))
    page = LabelPage(
        title=f"{len(tasks)} cells to label",
        kind="labels",
        classes=_colours_as_on_map(names, classes),
        tasks=tasks,
        carried=() if too_many else tuple(map(CarriedLabel.model_validate, labels)),
        too_many=len(labels) if too_many else 0,
    )
    LOGGER.info("The labelling page asks for %d cells", len(tasks))
    return render_label_page(page)


def _colours_as_on_map(names: list[str], classes: LandCoverClasses) -> dict[str, str]:
    """Give some classes, and new ones, colours: these depend on what else the map shows."""
    on_map = class_colours([*classes.names, UNSURE], classes.colours)
    found = class_colours([*on_map, *names], on_map)
    return {name: found[name] for name in names}
