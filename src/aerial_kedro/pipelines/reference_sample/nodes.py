"""Nodes that draw a reference sample."""

import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from aerial_kedro.accuracy.answers import SAMPLE_COLUMNS
from aerial_kedro.accuracy.sampling import (
    Draw,
    SampledCell,
    SampleDesign,
    SamplingRules,
    Stratum,
    allocate,
    name_cells,
)
from aerial_kedro.cells.drawing import numbers_of_cells
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.cells.places import centres_of_cells, name_cells_of_tiles, squares_of_cells
from aerial_kedro.change.cells import CellTransitions
from aerial_kedro.change.shown import ShownMap, show_map
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.maps.patches import PatchRules
from aerial_kedro.models.model import TrainedModel

LOGGER = logging.getLogger(__name__)
_DEGREES = "OGC:CRS84"
_TILES_AT_A_TIME = 20_000


def look_at_map(
    cell_map: pd.DataFrame,
    cell_change: pd.DataFrame,
    transitions: CellTransitions,
    classes: LandCoverClasses,
    model: TrainedModel,
    mapping: MapSettings,
    patches: PatchRules,
) -> ShownMap:
    """Find what the maps of the last two years show of each cell.

    Parameters
    ----------
    cell_map
        The table of `collect_cells`.
    cell_change
        `aerial_kedro.change.cells.CELL_CHANGE_COLUMNS`.
    transitions
        What names the classes of these.
    classes
        The class table.
    model
        The classifier of cells.
    mapping, patches
        Abstention and smoothing of the map, and what makes a patch of change.

    Raises
    ------
    AerialError
        If nothing is mapped, or the changes are of another map.
    """
    names = classes.on_map(model.card.classes)
    if not len(cell_map):
        raise AerialError("The map has no cell to draw. Make a map first: `kedro run`.")
    if len(cell_change) and transitions.classes != names:
        raise AerialError(
            f"The map has the classes {', '.join(names)}, the changes between its years "
            f"{', '.join(transitions.classes)}: they are of two runs. Make both again: `kedro run`."
        )
    return show_map(cell_map, cell_change, names, mapping, patches)


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
    names, codes = shown.strata
    sizes = np.bincount(codes.ravel(), minlength=len(names))
    present = {names[at]: int(sizes[at]) for at in np.flatnonzero(sizes) if at}
    drawn = allocate(present, rules)
    draw = Draw({names.index(name): count for name, count in drawn.items()})
    for start in range(0, len(codes), _TILES_AT_A_TIME):
        part = slice(start, start + _TILES_AT_A_TIME)
        numbers = numbers_of_cells(shown.places["tile_id"].iloc[part].tolist(), seed)
        draw.look_at(numbers.ravel(), codes[part].ravel().astype(np.int64), COUNT * start)
    design = SampleDesign(
        model=model.card.name,
        map_key=shown.key,
        years=shown.years,
        classes=shown.classes,
        cell_area_m2=shown.cell_area_m2,
        seed=seed,
        strata=[
            Stratum(
                name=name,
                cells=cells,
                drawn=drawn[name],
                cells_by_year={
                    str(year): int(((codes == names.index(name)) & (values > 0)).sum())
                    for year, values in shown.shown.items()
                },
            )
            for name, cells in present.items()
        ],
        cells=_name_drawn(shown, {names[at]: each for at, each in draw.drawn.items()}, seed),
    ).signed()
    for each in design.strata:
        LOGGER.info("%s: %d of %s cells", each.name, each.drawn, f"{each.cells:,}")
    LOGGER.info("%d cells to interpret, in %d years", len(design.cells), len(design.years))
    return design


def _name_drawn(shown: ShownMap, drawn: dict[str, np.ndarray], seed: int) -> list[SampledCell]:
    tiles = shown.places["tile_id"].to_numpy()
    found = {}
    for stratum, positions in drawn.items():
        place, number = np.divmod(positions, COUNT)
        ids = name_cells_of_tiles(tiles[place], number)
        for cell_id, row, column in zip(ids, place, number, strict=True):
            seen = [year for year, values in shown.shown.items() if values[row, column]]
            found[cell_id] = (stratum, seen)
    return [
        SampledCell(
            sample_id=name, cell_id=cell_id, stratum=found[cell_id][0], years=found[cell_id][1]
        )
        for cell_id, name in name_cells(found, seed, shown.key).items()
    ]


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
