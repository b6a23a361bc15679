"""Nodes of data ingestion: each takes and returns tables, and reads or writes nothing itself."""

import logging
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.coarse import remark_on_coarse_pixels
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.labels.land_cover import label_tiles as label_frames
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.splits.blocks import SplitCheck, block_of_tiles, check_distance, plan_blocks
from aerial_kedro.splits.blocks import split_tiles as split_frames
from aerial_kedro.splits.by_region import assign_regions, giving_way, split_by_region
from aerial_kedro.splits.regions import RegionLayer, check_regions, region_of_tiles
from aerial_kedro.splits.rules import SplitRules
from aerial_kedro.tiles.catalog import (
    LABEL_COLUMNS,
    NO_TILE,
    SPLIT_COLUMNS,
    TILE_COLUMNS,
    ddl,
    tiles_of_scenes,
)
from aerial_kedro.tiles.records import CatalogSummary, summarise

LOGGER = logging.getLogger(__name__)
_SAMPLE_BUCKETS = 1_000_000
# What Spark's ``mapInPandas`` runs on its workers.
FrameMap = Callable[..., Iterator[pd.DataFrame]]


def lay_tiles(
    scenes: DataFrame, tile_size_m: float, sample_fraction: float, seed: int
) -> DataFrame:
    """Lay the global grid over the scenes: one row for each place and year.

    Where scenes of a year overlap, the tile is taken from the one that shows it without a warp
    and with the least nodata.

    Parameters
    ----------
    scenes
        One row a scene (`SceneHeader`).
    tile_size_m
        Side of a tile in metres.
    sample_fraction
        Share of the places to keep (0–1]; the same places in every year.
    seed
        Seed of their selection.

    Returns
    -------
    DataFrame
        `TILE_COLUMNS`.
    """
    # As they are spread: by a hash of their names, Spark would put few of them into one task.
    tiles = scenes.mapInPandas(
        partial(tiles_of_scenes, tile_size_m=float(tile_size_m)), ddl(TILE_COLUMNS)
    )
    if sample_fraction < 1:
        bucket = F.pmod(F.xxhash64("tile_id", F.lit(seed)), F.lit(_SAMPLE_BUCKETS))
        tiles = tiles.filter(bucket < int(sample_fraction * _SAMPLE_BUCKETS))
    best = Window.partitionBy("image_id").orderBy(
        F.col("row_off").isNull(), F.col("nodata_fraction").asc_nulls_last(), "href"
    )
    return tiles.withColumn("rank", F.row_number().over(best)).filter("rank = 1").drop("rank")


def label_tiles(
    tiles: DataFrame,
    land_cover: list[LandCoverRaster],
    regions: RegionLayer,
    classes: LandCoverClasses,
    rules: LabelRules,
    split: SplitRules,
    tile_size_m: float,
    grain: str,
) -> DataFrame:
    """Add the exact share of every class, the label where one is pure enough, block or region.

    Parameters
    ----------
    tiles
        `TILE_COLUMNS`.
    land_cover
        Rasters of one or more years; they are checked before any tile is laid.
    regions
        The layer of regions, used where tiles are divided by region.
    classes
        Codes to classes.
    rules
        When a majority is a label.
    split
        Whether tiles are divided by block or by region, and the side of a block.
    tile_size_m, grain
        The run parameters.

    Returns
    -------
    DataFrame
        `TILE_COLUMNS`, `LABEL_COLUMNS` and ``block_id``.

    Raises
    ------
    AerialError
        If the class table does not know a raster's codes, or the layer of regions cannot be used.
    """
    for raster in land_cover:
        classes.check_codes(raster.codes, raster.href)
    if remark := remark_on_coarse_pixels(land_cover, tile_size_m, grain):
        LOGGER.warning("%s", remark)
    locate: FrameMap = partial(block_of_tiles, block_size_m=split.block_size_m)
    if split.unit == "region":
        checked = check_regions(regions, split.region_column)
        locate = partial(region_of_tiles, regions=checked)
    elif regions.frame is not None:
        LOGGER.warning("The layer %s is not used: `split.unit` is %s", regions.path, split.unit)
    schema = ddl({**TILE_COLUMNS, **LABEL_COLUMNS})
    # In file order, so that one reading of the land cover serves a whole strip of tiles.
    in_order = tiles.sortWithinPartitions("href", "ymax", "xmin")
    labelled = in_order.mapInPandas(
        partial(label_frames, rasters=land_cover, classes=classes, rules=rules), schema
    )
    return labelled.mapInPandas(locate, f"{schema}, block_id string")


def split_tiles(
    labelled_tiles: DataFrame, classes: LandCoverClasses, rules: SplitRules, seed: int
) -> DataFrame:
    """Assign tiles to the split of their block or region, except those in a buffer.

    Parameters
    ----------
    labelled_tiles
        The result of `label_tiles`.
    classes
        The class table; tiles of excluded classes have no ``split``, but a ``cell_split``.
    rules
        Shares, unit and buffer.
    seed
        Seed of the order in which blocks or regions are assigned.

    Returns
    -------
    DataFrame
        `TILE_COLUMNS`, `LABEL_COLUMNS` and `SPLIT_COLUMNS`.

    Raises
    ------
    AerialError
        If the land cover covers no tile, no tile is pure enough for a label, no tile lies in a
        region, or there are too few blocks or regions.
    """
    plan = _plan_by_region if rules.unit == "region" else _plan_by_block
    divide = plan(labelled_tiles, classes.trained, rules, seed)
    return labelled_tiles.mapInPandas(
        divide, ddl({**TILE_COLUMNS, **LABEL_COLUMNS, **SPLIT_COLUMNS})
    )


def _plan_by_block(
    labelled_tiles: DataFrame, trained: list[str], rules: SplitRules, seed: int
) -> FrameMap:
    """Assign blocks to splits, and return what splits the tiles of a frame accordingly."""
    size = rules.block_size_m
    counted = (
        labelled_tiles.withColumn(
            "x", (F.floor((F.col("xmin") + F.col("xmax")) / 2 / size) + 0.5) * size
        )
        .withColumn("y", (F.floor((F.col("ymin") + F.col("ymax")) / 2 / size) + 0.5) * size)
        .groupBy("block_id", "epsg", "x", "y", "label")
        .agg(F.count("*").alias("count"), F.count("purity").alias("covered"))
        .toPandas()
    )
    _check_labels(
        tiles=int(counted["count"].sum()),
        covered=int(counted["covered"].sum()),
        labelled=int(counted.loc[counted["label"].notna(), "count"].sum()),
    )
    blocks = plan_blocks(counted[counted["label"].isin(trained)], rules, seed)
    return partial(split_frames, blocks=blocks, trained=trained, rules=rules)


def _plan_by_region(
    labelled_tiles: DataFrame, trained: list[str], rules: SplitRules, seed: int
) -> FrameMap:
    """Assign regions to splits, and return what splits the tiles of a frame accordingly."""
    tiles = labelled_tiles.agg(
        F.count("*").alias("all"),
        F.count("block_id").alias("inside"),
        F.count("purity").alias("covered"),
        F.count("label").alias("labelled"),
    ).collect()[0]
    _check_labels(tiles=tiles["all"], covered=tiles["covered"], labelled=tiles["labelled"])
    if not tiles["inside"]:
        raise AerialError(
            f"None of the {tiles['all']:,} tiles lies in a region of the layer. Check that "
            "regions_path and scenes_root are of the same place, and the layer's coordinate "
            "reference system."
        )
    if tiles["inside"] < tiles["all"]:
        LOGGER.warning(
            "%s of %s tiles lie outside all regions: they are mapped, but in no split",
            f"{tiles['all'] - tiles['inside']:,}", f"{tiles['all']:,}",
        )  # fmt: skip
    inside = labelled_tiles.filter(F.col("block_id").isNotNull())
    counted = (
        inside.filter(F.col("label").isin(trained)).groupBy("block_id", "label").count().toPandas()
    )
    counts = counted.pivot(index="block_id", columns="label", values="count").fillna(0)
    splits = assign_regions(counts, rules, seed)
    LOGGER.info("Regions by split: %s", splits)
    places = inside.select("tile_id", "block_id", "lon", "lat", _size()).distinct().toPandas()
    buffered = giving_way(places, splits, rules)
    return partial(split_by_region, splits=splits, gives_way=buffered, trained=trained)


def _check_labels(*, tiles: int, covered: int, labelled: int) -> None:
    if not tiles:
        raise AerialError(NO_TILE)
    if not covered:
        raise AerialError(
            f"The land cover covers none of the {tiles:,} tiles of the scenes. Check "
            "that scenes_root and landcover_path are of the same region."
        )
    if not labelled:
        raise AerialError(
            f"None of the {covered:,} tiles with land cover is pure enough for a label. "
            "Lower `labels.min_purity`, or give a smaller tile_size_m."
        )
    LOGGER.info(
        "%s tiles, %s with land cover, %s with a label",
        *(f"{count:,}" for count in (tiles, covered, labelled)),
    )


def _size() -> Column:
    return (F.col("xmax") - F.col("xmin")).alias("size_m")


def check_splits(tile_catalog: DataFrame, rules: SplitRules) -> SplitCheck:
    """Check that test tiles keep their distance from training tiles, and no place is in both.

    Cells of mixed tiles are learned and tested too, so it holds for all ground that has a split.
    A catalog of a folder has ``split`` alone.

    Parameters
    ----------
    tile_catalog
        The tile catalog.
    rules
        The rules with the buffer required.

    Returns
    -------
    SplitCheck
        The distances found: of all ground, if the catalog tells its splits.

    Raises
    ------
    AerialError
        If a test tile is too near to a training tile, one place is in two splits, or a split is
        empty.
    """
    found = (
        tile_catalog.filter("split is not null or cell_split is not null")
        .select("tile_id", "split", "cell_split", "lon", "lat", _size())
        .distinct()
        .toPandas()
    )
    kept = ["tile_id", "split", "lon", "lat", "size_m"]
    learned = found[kept].dropna(subset="split").drop_duplicates()
    ground = found.assign(split=found["cell_split"])[kept].dropna(subset="split").drop_duplicates()
    # Of the labelled tiles alone too: a split may have ground, and no tile to learn from.
    check = check_distance(learned, rules)
    return check_distance(ground, rules) if len(ground) else check


def summarise_catalog(tile_catalog: DataFrame, max_nodata_fraction: float) -> CatalogSummary:
    """Count the catalog's images by year, split, label and class.

    Parameters
    ----------
    tile_catalog
        The tile catalog.
    max_nodata_fraction
        Images with a larger share of nodata (0–1) count as empty.

    Returns
    -------
    CatalogSummary
        The counts.
    """
    counted = (
        tile_catalog.groupBy(
            "year",
            "split",
            "label",
            F.col("purity").isNotNull().alias("covered"),
            (F.coalesce("nodata_fraction", F.lit(0.0)) > max_nodata_fraction).alias("is_empty"),
        )
        .agg(F.count("*").alias("images"))
        .toPandas()
    )
    places, scenes = tile_catalog.select(
        F.countDistinct("tile_id"), F.countDistinct("href")
    ).collect()[0]
    return summarise(counted, places=int(places), sources=int(scenes))
