"""Nodes that measure areas on the map of cells, and set its shares beside the land cover's."""

import logging
from functools import partial

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.area import UnsampledClassError
from aerial_kedro.accuracy.block_area import BlockArea, BlockErrors, adjusted_areas_by_block
from aerial_kedro.accuracy.shares import (
    ShareComparison,
    compare_shares,
    group_agreement,
    group_shares,
)
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.cells.workers import PAIR_COLUMNS, count_pairs
from aerial_kedro.pipelines.reporting.areas import check_groups
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from aerial_kedro.report.content import AreaRow
from aerial_kedro.tiles.catalog import ddl

LOGGER = logging.getLogger(__name__)
_KM2 = "(xmax - xmin) * (ymax - ymin) / 1e6 as km2"


def measure_cell_areas(
    cell_predictions: DataFrame, errors: BlockErrors | None, classes: LandCoverClasses, seed: int
) -> dict[str, list[AreaRow]]:
    """Measure each class's area for each year by cells: as mapped, and corrected by the errors.

    The correction is of Olofsson et al. (2014), by the cells of test blocks, pure and mixed; its
    intervals come from resampling the blocks. It is left out where a class on the map has too few
    cells there.

    Parameters
    ----------
    cell_predictions
        What the map shows, before smoothing and abstention.
    errors
        What it shows in test blocks, and what the land cover has there; None: areas as mapped only.
    classes
        The class table.
    seed
        Seed of the resampling.
    """
    shares = cell_predictions.selectExpr("year", _KM2, "explode(shares) as (class, share)")
    found = (
        shares.groupBy("year", "class")
        .agg(
            F.sum(F.round(F.col("share") * COUNT)).cast("long").alias("cells"),
            F.sum(F.col("share") * F.col("km2")).alias("km2"),
        )
        .toPandas()
    )
    areas = {}
    for year, rows in found.groupby("year"):
        by_class = rows.set_index("class")
        total = float(by_class["km2"].sum())
        adjusted = _adjusted(by_class["km2"], errors, str(year), seed)
        names = [*classes.names, *sorted(set(by_class.index) - set(classes.names))]
        areas[str(year)] = [
            AreaRow(
                class_name=name,
                count=int(by_class["cells"].get(name, 0)),
                units="cells",
                area_km2=float(by_class["km2"].get(name, 0.0)),
                share=float(by_class["km2"].get(name, 0.0)) / total,
                adjusted_km2=adjusted[name].value if name in adjusted else None,
                adjusted_interval=adjusted[name].interval if name in adjusted else None,
            )
            for name in names
            if name in by_class.index or (name in adjusted and adjusted[name].value > 0)
        ]
    return areas


def _adjusted(
    km2: pd.Series, errors: BlockErrors | None, year: str, seed: int
) -> dict[str, BlockArea]:
    if errors is None:
        return {}
    mapped = [float(km2.get(name, 0.0)) for name in errors.classes]
    try:
        return adjusted_areas_by_block(mapped, errors.of_year(year), errors.classes, seed=seed)
    except UnsampledClassError as error:
        LOGGER.warning("Areas of %s are not corrected: %s", year, error)
        return {}


def compare_cell_areas(
    cell_predictions: DataFrame,
    tile_catalog: DataFrame,
    areas: dict[str, list[AreaRow]],
    model: TrainedModel,
    settings: ReportSettings,
    classes: LandCoverClasses,
) -> dict[str, ShareComparison]:
    """Compare the shares on the map of cells with the land cover's, over tiles that have both.

    Parameters
    ----------
    cell_predictions, tile_catalog
        What the map shows of each tile, and the land cover's exact shares.
    areas
        The map's areas, for those corrected by its errors.
    model
        The classifier of cells.
    settings
        The groups of classes.
    classes
        The class table.
    """
    groups = check_groups(classes.names, settings.groups)
    cover = tile_catalog.select("image_id", "fractions", "label_year")
    tiles = cell_predictions.selectExpr("image_id", "year", "shares", _KM2).join(cover, "image_id")
    counts = (
        tiles.groupBy("year")
        .agg(
            F.count("*").alias("tiles"),
            F.count("fractions").alias("covered"),
            F.sort_array(F.collect_set("label_year")).alias("label_years"),
        )
        .orderBy("year")
        .collect()
    )
    covered = tiles.filter("fractions is not null")
    mapped, known = (_shares(covered, column) for column in ("shares", "fractions"))
    pairs = _count_pairs(cell_predictions, model.card.classes, classes.names)
    found = {}
    for row in (each for each in counts if each["covered"]):
        year = int(row["year"])
        own, total = areas[str(year)], sum(each.area_km2 for each in areas[str(year)])
        corrected = {
            each.class_name: each.adjusted_km2 / total
            for each in own
            if each.adjusted_km2 is not None
        }
        rows = compare_shares(known[year], mapped[year], corrected, classes.names)
        agreement, cells = group_agreement(pairs.get(year, {}), groups)
        found[str(year)] = ShareComparison(
            land_cover_years=[int(each) for each in row["label_years"]],
            tiles=int(row["tiles"]),
            tiles_without_land_cover=int(row["tiles"] - row["covered"]),
            classes=rows,
            groups=group_shares(rows, groups) if groups else [],
            group_agreement=agreement,
            group_agreement_count=cells,
            units="cells",
        )
    return found


def _shares(tiles: DataFrame, column: str) -> dict[int, dict[str, float]]:
    """Add up the area of each class by year."""
    rows = (
        tiles.select("year", "km2", F.explode(column).alias("class", "share"))
        .groupBy("year", "class")
        .agg(F.sum(F.col("km2") * F.col("share")).alias("km2"))
        .collect()
    )
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        found.setdefault(int(row["year"]), {})[str(row["class"])] = float(row["km2"])
    return found


def _count_pairs(
    cell_predictions: DataFrame, own: list[str], names: list[str]
) -> dict[int, dict[tuple[str, str], int]]:
    """Count, by year, the cells of each class on the map and largest class of the land cover."""
    rows = (
        cell_predictions.filter("cell_labels is not null and cell_classes is not null")
        .select("year", "cell_classes", "cell_labels")
        .mapInPandas(partial(count_pairs, mapped=len(own), labels=len(names)), ddl(PAIR_COLUMNS))
        .groupBy("year", "mapped", "label")
        .agg(F.sum("cells").alias("cells"))
        .collect()
    )
    found: dict[int, dict[tuple[str, str], int]] = {}
    for row in rows:
        pair = own[row["mapped"]], names[row["label"]]
        found.setdefault(int(row["year"]), {})[pair] = int(row["cells"])
    return found
