"""Nodes that draw a reference sample."""

import logging
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.answers import SAMPLE_COLUMNS
from aerial_kedro.accuracy.sampling import SampleDesign, SamplingRules
from aerial_kedro.cells.grid import pack
from aerial_kedro.cells.places import centres_of_cells, squares_of_cells
from aerial_kedro.change.cells import CellTransitions
from aerial_kedro.change.drawn import draw_design
from aerial_kedro.change.shown import ShownMap, show_map
from aerial_kedro.errors import AerialError
from aerial_kedro.labelling.content import LabelPage
from aerial_kedro.labelling.page import render_label_page
from aerial_kedro.maps.fine import cells_of_column
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.maps.patches import PatchRules
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.label_pictures import TASK_COLUMNS, draw_tasks
from aerial_kedro.report.colours import class_colours

LOGGER = logging.getLogger(__name__)
_DEGREES = "OGC:CRS84"
_SHOWN = (
    "tile_id", "year", "epsg", "xmin", "ymin", "xmax", "ymax", "cell_classes", "cell_confidence",
)  # fmt: skip


def look_at_map(
    cell_predictions: DataFrame,
    cell_change: pd.DataFrame,
    transitions: CellTransitions,
    mapping: MapSettings,
    patches: PatchRules,
) -> ShownMap:
    """Find what the maps of the last two years show of each cell, on the driver as maps are drawn.

    Parameters
    ----------
    cell_predictions
        `aerial_kedro.schemas.CELL_PREDICTION_COLUMNS`.
    cell_change
        `aerial_kedro.change.cells.CELL_CHANGE_COLUMNS`.
    transitions
        What names the classes of both, whichever labels taught them, and has their colours.
    mapping, patches
        Abstention and smoothing of the map, and what makes a patch of change.

    Raises
    ------
    AerialError
        If nothing is mapped, or predictions and changes are of two runs.
    """
    rows = cell_predictions.select(*_SHOWN).toPandas()
    if not len(rows):
        raise AerialError("The map has no cell to draw. Make a map first: `kedro run`.")
    values = np.array([0, *transitions.values], np.uint8)
    cells = cells_of_column(rows["cell_classes"])
    if cells.max() >= len(values):
        raise AerialError(
            f"The cells of the map have {cells.max()} classes, the changes between its years "
            f"{len(values) - 1}: they are of two runs. Make both again: `kedro run`."
        )
    named = rows.assign(cell_classes=pack(values[cells]))
    shown = show_map(named, cell_change, transitions.classes, mapping, patches)
    return replace(shown, colours=transitions.colours)


def draw_sample(
    shown: ShownMap, model: TrainedModel, rules: SamplingRules, seed: int
) -> SampleDesign:
    """Draw a stratified random sample of the cells on the map.

    Parameters
    ----------
    shown
        What the map shows.
    model
        What made it.
    rules
        How large the sample is.
    seed
        Seed of the draw.
    """
    design = draw_design(shown, model.card.name, rules, seed)
    for each in design.strata:
        LOGGER.info("%s: %d of %s cells", each.name, each.drawn, f"{each.cells:,}")
    LOGGER.info(
        "%d cells to interpret%s", len(design.cells),
        f", each in {len(design.years)} years" if len(design.years) > 1 else "",
    )  # fmt: skip
    return design


def lay_out_sample(design: SampleDesign, shown: ShownMap) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Lay the sample out as tables to fill: the squares of the cells, and the same without.

    Returns
    -------
    tuple
        `SAMPLE_COLUMNS` with the square of each cell in OGC:CRS84, and without; a row a cell and
        year, ``class``, ``alternate`` and ``remark`` empty.
    """
    probability = {each.name: each.probability for each in design.strata}
    cells = [(each, year) for each in design.cells for year in each.years]
    found = shown.find([each.cell_id for each, _ in cells])
    numbers = found["number"].to_numpy()
    tiles = shown.places.iloc[found["place"]].reset_index(drop=True)
    lon, lat = centres_of_cells(tiles, numbers)
    table = pd.DataFrame(
        {
            "sample_id": [each.sample_id for each, _ in cells],
            "cell_id": [each.cell_id for each, _ in cells],
            "year": [year for _, year in cells],
            "lon": lon.round(7),
            "lat": lat.round(7),
            "stratum": [each.stratum for each, _ in cells],
            "inclusion_probability": [probability[each.stratum] for each, _ in cells],
            "class": "",
            "alternate": "",
            "remark": "",
        }
    )[SAMPLE_COLUMNS]
    squares = shapely.box(*squares_of_cells(tiles, numbers).T)
    outlines = pd.Series(index=table.index, dtype=object)
    for epsg in tiles["epsg"].unique():
        rows = tiles.index[tiles["epsg"] == epsg]
        own = gpd.GeoSeries(squares[rows], index=rows, crs=int(epsg))
        outlines[rows] = own.to_crs(_DEGREES)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(outlines, crs=_DEGREES)), table


def write_page(table: pd.DataFrame, tile_catalog: DataFrame, design: SampleDesign) -> str:
    """Write the page on which people say what the cells are; it shows nothing of the map.

    Parameters
    ----------
    table
        `SAMPLE_COLUMNS`, in the order of the page.
    tile_catalog
        Where the pictures are.
    design
        The sample: its classes are those that the page offers, in the colours of the map.

    Raises
    ------
    AerialError
        If the image of a cell can no longer be read.
    """
    return render_label_page(
        LabelPage(
            title=f"What is here? {len(design.cells)} cells of a map",
            kind="reference",
            classes=class_colours(design.classes, design.colours),
            tasks=draw_tasks(tile_catalog, table[list(TASK_COLUMNS)]),
        )
    )
