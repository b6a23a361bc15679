"""Nodes of data ingestion: each takes and gives frames, and reads nothing itself."""

from __future__ import annotations

import logging
from functools import partial

import pandas as pd
from pyproj import Transformer
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LabelRules, LandCoverRaster
from aerial_kedro.labels.land_cover import label_tiles as label_frames
from aerial_kedro.splits.blocks import (
    SplitCheck,
    SplitRules,
    block_of_tiles,
    check_distance,
)
from aerial_kedro.splits.blocks import assign_blocks as assign
from aerial_kedro.splits.blocks import split_tiles as split_frames
from aerial_kedro.splits.by_region import assign_regions, giving_way, split_by_region
from aerial_kedro.splits.regions import RegionLayer, Regions, region_of_tiles
from aerial_kedro.splits.regions import check_regions as check_layer
from aerial_kedro.tiles.catalog import (
    LABEL_COLUMNS,
    SPLIT_COLUMNS,
    TILE_COLUMNS,
    ddl,
    tiles_of_scenes,
)
from aerial_kedro.tiles.summary import CatalogSummary, summarise

LOGGER = logging.getLogger(__name__)
_SAMPLE_BUCKETS = 1_000_000


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
        Chooses them.

    Returns
    -------
    DataFrame
        `TILE_COLUMNS`.
    """
    tiles = scenes.repartition("href").mapInPandas(
        partial(tiles_of_scenes, tile_size_m=float(tile_size_m)), ddl(TILE_COLUMNS)
    )
    kept = sample_places(tiles, sample_fraction, seed)
    best = Window.partitionBy("image_id").orderBy(
        F.col("row_off").isNull(), F.col("nodata_fraction").asc_nulls_last(), "href"
    )
    return kept.withColumn("rank", F.row_number().over(best)).filter("rank = 1").drop("rank")


def sample_places(tiles: DataFrame, sample_fraction: float, seed: int) -> DataFrame:
    """Keep a share of the places, the same ones for the same seed."""
    if sample_fraction >= 1:
        return tiles
    bucket = F.pmod(F.xxhash64("tile_id", F.lit(seed)), F.lit(_SAMPLE_BUCKETS))
    return tiles.filter(bucket < int(sample_fraction * _SAMPLE_BUCKETS))


def check_land_cover(
    land_cover: list[LandCoverRaster], classes: LandCoverClasses
) -> list[LandCoverRaster]:
    """Refuse land cover whose codes the class table does not know."""
    for raster in land_cover:
        classes.check_codes(raster.codes, raster.href)
    return land_cover


def check_regions(layer: RegionLayer, rules: SplitRules) -> list[Regions]:
    """Check the layer of regions, where tiles are divided by regions.

    Returns
    -------
    list of Regions
        One, or none where tiles are divided by blocks.
    """
    if rules.unit == "region":
        return [check_layer(layer, rules.region_column)]
    if layer.frame is not None:
        LOGGER.warning("The layer %s is not used: `split.unit` is %s", layer.path, rules.unit)
    return []


def label_tiles(
    tiles: DataFrame,
    land_cover: list[LandCoverRaster],
    regions: list[Regions],
    classes: LandCoverClasses,
    rules: LabelRules,
    split: SplitRules,
) -> DataFrame:
    """Add the exact share of every class, the label where one is pure enough, block or region."""
    schema = ddl({**TILE_COLUMNS, **LABEL_COLUMNS})
    # In file order, so that one reading of the land cover serves a whole strip of tiles.
    in_order = tiles.sortWithinPartitions("href", "ymax", "xmin")
    labelled = in_order.mapInPandas(
        partial(label_frames, rasters=land_cover, classes=classes, rules=rules), schema
    )
    place = (
        partial(region_of_tiles, regions=regions[0])
        if regions
        else partial(block_of_tiles, block_size_m=split.block_size_m)
    )
    return labelled.mapInPandas(place, f"{schema}, block_id string")


def assign_blocks(
    labelled_tiles: DataFrame, classes: LandCoverClasses, rules: SplitRules, seed: int
) -> pd.DataFrame:
    """Give every block, or region, with labelled tiles to a split.

    Returns
    -------
    pandas.DataFrame
        ``block_id, split, epsg, x, y`` (the block's centre in CRS units), ``lon, lat``; of regions
        ``block_id, split`` only.

    Raises
    ------
    AerialError
        If the land cover covers no tile, no tile is pure enough for a label, or no tile lies in
        a region.
    """
    _check_labels(labelled_tiles)
    if rules.unit == "region":
        return _assign_regions(labelled_tiles, classes, rules, seed)
    size = rules.block_size_m
    trained = labelled_tiles.filter(F.col("label").isin(classes.trained))
    counted = (
        trained.withColumn("x", (F.floor((F.col("xmin") + F.col("xmax")) / 2 / size) + 0.5) * size)
        .withColumn("y", (F.floor((F.col("ymin") + F.col("ymax")) / 2 / size) + 0.5) * size)
        .groupBy("block_id", "epsg", "x", "y", "label")
        .count()
        .toPandas()
    )
    counts = counted.pivot_table(
        index="block_id", columns="label", values="count", aggfunc="sum", fill_value=0
    )
    blocks = counted.drop_duplicates("block_id")[["block_id", "epsg", "x", "y"]].copy()
    blocks["split"] = blocks["block_id"].map(assign(counts, rules, seed))
    for epsg in sorted(set(blocks["epsg"].astype(int))):
        rows = blocks[blocks["epsg"] == epsg]
        to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
        lon, lat = to_degrees.transform(rows["x"].to_numpy(), rows["y"].to_numpy())
        blocks.loc[rows.index, "lon"], blocks.loc[rows.index, "lat"] = lon, lat
    return blocks.reset_index(drop=True)


def _assign_regions(
    labelled_tiles: DataFrame, classes: LandCoverClasses, rules: SplitRules, seed: int
) -> pd.DataFrame:
    found = labelled_tiles.agg(F.count("*").alias("all"), F.count("block_id").alias("inside"))
    tiles = found.collect()[0]
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
    counted = (
        labelled_tiles.filter(F.col("label").isin(classes.trained) & F.col("block_id").isNotNull())
        .groupBy("block_id", "label")
        .count()
        .toPandas()
    )
    counts = counted.pivot(index="block_id", columns="label", values="count").fillna(0)
    splits = assign_regions(counts, rules, seed)
    LOGGER.info("Regions by split: %s", splits)
    return pd.DataFrame({"block_id": list(splits), "split": list(splits.values())})


def _check_labels(labelled_tiles: DataFrame) -> None:
    counts = labelled_tiles.agg(
        F.count("*").alias("tiles"),
        F.count("purity").alias("covered"),
        F.count("label").alias("labelled"),
    ).collect()[0]
    if not counts["tiles"]:
        raise AerialError(
            "No tile lies whole inside a scene. Give larger scenes, or a smaller tile: "
            "--params=tile_size_m=50."
        )
    if not counts["covered"]:
        raise AerialError(
            f"The land cover covers none of the {counts['tiles']:,} tiles of the scenes. Check "
            "that scenes_root and landcover_path are of the same region."
        )
    if not counts["labelled"]:
        raise AerialError(
            f"None of the {counts['covered']:,} tiles with land cover is pure enough for a label. "
            "Lower `labels.min_purity`, or give a smaller tile_size_m."
        )
    LOGGER.info(
        "%s tiles, %s with land cover, %s with a label",
        *(f"{counts[name]:,}" for name in ("tiles", "covered", "labelled")),
    )


def split_tiles(
    labelled_tiles: DataFrame, blocks: pd.DataFrame, classes: LandCoverClasses, rules: SplitRules
) -> DataFrame:
    """Give labelled tiles their block's or region's split, except those inside the buffer."""
    schema = ddl({**TILE_COLUMNS, **LABEL_COLUMNS, **SPLIT_COLUMNS})
    if rules.unit == "block":
        divide = partial(split_frames, blocks=blocks, trained=classes.trained, rules=rules)
        return labelled_tiles.mapInPandas(divide, schema)
    splits = dict(zip(blocks["block_id"], blocks["split"], strict=True))
    places = (
        labelled_tiles.filter(F.col("block_id").isNotNull())
        .select("tile_id", "block_id", "lon", "lat", _size())
        .distinct()
        .toPandas()
    )
    by_region = partial(
        split_by_region,
        splits=splits,
        gives_way=giving_way(places, splits, rules),
        trained=classes.trained,
    )
    return labelled_tiles.mapInPandas(by_region, schema)


def _size() -> Column:
    return (F.col("xmax") - F.col("xmin")).alias("size_m")


def check_splits(tile_catalog: DataFrame, rules: SplitRules) -> SplitCheck:
    """Fail if a test tile is too near to a training tile, or one place is on both sides."""
    places = (
        tile_catalog.filter("split is not null")
        .select("tile_id", "split", "lon", "lat", _size())
        .distinct()
        .toPandas()
    )
    return check_distance(places, rules)


def summarise_catalog(tile_catalog: DataFrame, max_nodata_fraction: float) -> CatalogSummary:
    """Count the catalog's images by year, split, label and class."""
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
    places = tile_catalog.select(F.countDistinct("tile_id")).collect()[0][0]
    scenes = tile_catalog.select(F.countDistinct("href")).collect()[0][0]
    return summarise(counted, places=int(places), sources=int(scenes))
