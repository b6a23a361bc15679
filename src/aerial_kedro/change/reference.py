"""True classes of places, from maps of known truth."""

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cells.grid import pack
from aerial_kedro.change.assessment import TRUE_CELL_COLUMNS
from aerial_kedro.change.comparison import last_comparison
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LandCoverRaster, label_tiles
from aerial_kedro.labels.reference import label_cells
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.maps.fine import cells_of_column
from aerial_kedro.tiles.catalog import LABEL_COLUMNS, ddl

LOGGER = logging.getLogger(__name__)
TRUTH_COLUMNS = ["tile_id", "block_id", "unseen", "true_before", "true_after"]
_PLACE_COLUMNS = {
    "tile_id": "string", "block_id": "string", "unseen": "boolean", "epsg": "int",
    "xmin": "double", "ymin": "double", "xmax": "double", "ymax": "double", "year": "int",
}  # fmt: skip
_TRUE_CELLS = {
    "tile_id": "string", "block_id": "string", "unseen": "boolean", "true": "binary",
}  # fmt: skip
# The class with the largest share is the truth, however small that share is.
_ANY_MAJORITY = LabelRules(min_purity=1e-9)
_LEFT_OUT = "Change is not evaluated against known truth: %s"


def find_true_classes(
    change: pd.DataFrame,
    tile_catalog: DataFrame,
    reference_maps: list[LandCoverRaster],
    classes: LandCoverClasses,
) -> pd.DataFrame:
    """Look up the true classes of the places compared: those with the largest exact share.

    Parameters
    ----------
    change
        `aerial_kedro.change.comparison.CHANGE_COLUMNS`.
    tile_catalog
        The tiles.
    reference_maps
        Land cover known to be true. Its codes are those of the class table, unless a raster has
        its own (`LandCoverRaster.legend`).
    classes
        The class table.

    Returns
    -------
    pandas.DataFrame
        `TRUTH_COLUMNS` of the places whose truth is known in both years. Empty where the
        reference lacks a year or covers no place; the log then says which.

    Raises
    ------
    AerialError
        If the reference shows a class that the class table does not know.
    """
    last = last_comparison(change)
    nothing = pd.DataFrame(columns=TRUTH_COLUMNS)
    maps, reason = _maps_of_years(last, reference_maps)
    if reason:
        LOGGER.info(_LEFT_OUT, reason)
    if not maps:
        return nothing
    before, after = (
        _true_classes(tile_catalog, year, found, classes) for year, found in maps.items()
    )
    found = before.merge(after, on=["tile_id", "block_id"], suffixes=("_before", "_after"))
    found = found[found["tile_id"].isin(last["tile_id"])]
    if not len(found):
        LOGGER.info(_LEFT_OUT, "the reference maps cover none of the places")
        return nothing
    check_reference_classes({*found["true_before"], *found["true_after"]}, classes)
    LOGGER.info("The truth is known for %s of %s places", f"{len(found):,}", f"{len(last):,}")
    return found.assign(unseen=found["unseen_before"] & found["unseen_after"])[TRUTH_COLUMNS]


def find_true_cells(
    cell_change: pd.DataFrame,
    tile_catalog: DataFrame,
    reference_maps: list[LandCoverRaster],
    classes: LandCoverClasses,
    names: Sequence[str],
) -> pd.DataFrame:
    """Look up the true classes of the cells compared, as `find_true_classes` does for tiles.

    Parameters
    ----------
    cell_change
        `aerial_kedro.change.cells.CELL_CHANGE_COLUMNS`.
    tile_catalog, reference_maps, classes
        As for `find_true_classes`.
    names
        Class names by the values of the cells.

    Returns
    -------
    pandas.DataFrame
        `aerial_kedro.change.assessment.TRUE_CELL_COLUMNS` of the tiles with a cell whose truth is
        known in both years; empty without one.

    Raises
    ------
    AerialError
        If the reference shows a class that the class table does not know.
    """
    last = last_comparison(cell_change)
    maps, _ = _maps_of_years(last, reference_maps)
    if not maps:
        return pd.DataFrame(columns=TRUE_CELL_COLUMNS)
    found: list[pd.DataFrame] = []
    for year, own in maps.items():
        table = classes_of_maps(own, classes)
        rows = (
            _places(tile_catalog, year, "cell_split")
            .mapInPandas(partial(label_cells, maps=own, table=table), ddl(_TRUE_CELLS))
            .toPandas()
        )
        rows = rows[rows["tile_id"].isin(last["tile_id"])]
        values = name_cells(cells_of_column(rows["true"]), table, classes, names)
        found.append(rows.assign(true=pack(values)))
    before, after = found
    both = before.merge(after, on=["tile_id", "block_id"], suffixes=("_before", "_after"))
    return both.assign(unseen=both["unseen_before"] & both["unseen_after"])[TRUE_CELL_COLUMNS]


def name_cells(
    labels: np.ndarray, table: LandCoverClasses, classes: LandCoverClasses, names: Sequence[str]
) -> np.ndarray:
    """Turn labels of cells by reference maps into values by other names.

    Parameters
    ----------
    labels
        1 + position in the maps' own table, integers of any shape; 0 where nothing is known.
    table
        The maps' own table, from `classes_of_maps`.
    classes
        The class table.
    names
        Class names by value, among them all of the class table.

    Returns
    -------
    numpy.ndarray
        1 + position in ``names``, uint8, of the same shape; 0 where nothing is known.

    Raises
    ------
    AerialError
        If a label is of a class that the class table does not know. What the maps list, but show
        nowhere, does no harm.
    """
    shown = {table.names[value - 1] for value in np.unique(labels) if value}
    check_reference_classes(shown, classes)
    own = [0, *(1 + names.index(name) if name in shown else 0 for name in table.names)]
    values: np.ndarray = np.array(own, np.uint8)[labels]
    return values


def _maps_of_years(
    last: pd.DataFrame, reference_maps: list[LandCoverRaster]
) -> tuple[dict[int, list[LandCoverRaster]], str]:
    """Give the maps of the two years compared; without them, say why."""
    if not len(last):
        return {}, ""
    if not reference_maps:
        return {}, "there are no reference maps (reference_root)"
    years = [int(last[f"year_{when}"].iloc[0]) for when in ("before", "after")]
    maps = {year: [each for each in reference_maps if each.year == year] for year in years}
    if not all(maps.values()):
        known = ", ".join(str(year) for year in sorted({each.year for each in reference_maps}))
        return {}, f"the maps are of {known}, the scenes of {years[0]} and {years[1]}"
    return maps, ""


def _true_classes(
    tile_catalog: DataFrame, year: int, maps: list[LandCoverRaster], classes: LandCoverClasses
) -> pd.DataFrame:
    """Give ``tile_id, block_id, unseen, true`` of the tiles of a year that the maps cover."""
    label = partial(
        label_tiles, rasters=maps, classes=classes_of_maps(maps, classes), rules=_ANY_MAJORITY
    )
    # `label` is the run's own until here, and the true class from here on.
    return (
        _places(tile_catalog, year)
        .mapInPandas(label, ddl({**_PLACE_COLUMNS, **LABEL_COLUMNS}))
        .filter("label is not null")
        .select("tile_id", "block_id", "unseen", F.col("label").alias("true"))
        .toPandas()
    )


def _places(tile_catalog: DataFrame, year: int, split: str = "split") -> DataFrame:
    """Take a year's places, neighbours together, and whether training has left them alone."""
    own = tile_catalog.filter(F.col("year") == year).withColumn(
        "unseen", ~F.coalesce(split, F.lit("")).isin("train", "validation")
    )
    return own.select(*_PLACE_COLUMNS).sortWithinPartitions("epsg", "ymax", "xmin")


def classes_of_maps(maps: list[LandCoverRaster], classes: LandCoverClasses) -> LandCoverClasses:
    """Build the class table of some reference maps: their own where they have one.

    Raises
    ------
    AerialError
        If the maps do not mean the same by their codes.
    """
    legends = {each.legend for each in maps}
    if len(legends) > 1:
        names = ", ".join(each.href for each in maps)
        raise AerialError(
            f"The reference maps of {maps[0].year} do not mean the same by their codes: {names}. "
            "Give each the same tag CLASSES, or none."
        )
    [legend] = legends
    if not legend:
        return classes
    codes: dict[str, list[int]] = {}
    for code, name in legend:
        codes.setdefault(name, []).append(code)
    named = {code for code, _ in legend}
    background = [code for code in classes.background if code not in named]
    return LandCoverClasses(codes=codes, background=background)


def check_reference_classes(found: set[str], classes: LandCoverClasses) -> None:
    """Refuse reference maps that show a class which the class table does not know.

    Raises
    ------
    AerialError
        Naming the classes.
    """
    unknown = sorted(found - set(classes.names))
    if unknown:
        raise AerialError(
            f"The reference maps show the classes {', '.join(unknown)}, which are not in the "
            f"class table ({', '.join(classes.names)}). Name them as the parameter "
            "`land_cover.codes` does, or give reference_root=null."
        )
