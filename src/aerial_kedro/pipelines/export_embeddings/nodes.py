"""Nodes of the export of embeddings."""

import logging
import math

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.embeddings import EmbeddingGrid, PendingEmbeddings, cells_of
from aerial_kedro.features.source import FeatureSource

LOGGER = logging.getLogger(__name__)

# The driver takes a part at a time: at 64 numbers a cell, 13 MB.
_TILES_OF_PART = 4_096


def lay_out_embeddings(
    tile_catalog: DataFrame, tile_features: DataFrame, source: FeatureSource
) -> PendingEmbeddings:
    """Lay the stored embeddings out as rasters, one a year and zone; saving writes them.

    Parameters
    ----------
    tile_catalog, tile_features
        The tiles and their features.
    source
        What computed this run's features: those of other keys are left alone.

    Raises
    ------
    AerialError
        If the network embeds no cells, no tile has any, or the tiles lie on no common grid.
    """
    cells_of(source)
    # Tiles of scenes are squares of the global grid; those of folders lie anywhere, or nowhere.
    on_grid = tile_catalog.filter("kind = 'window'")
    if on_grid.isEmpty():
        raise AerialError(
            "The tiles come from class folders, which lie on no common grid, so there is no raster "
            "to write. Read their embeddings from 04_feature/tile_features (docs/embeddings.md)."
        )
    features = tile_features.filter(F.col("feature_key") == source.key)
    tiles = on_grid.join(
        features.select("image_id", "source_version", "cells"),
        ["image_id", "source_version"],
        "left",
    ).select("year", "epsg", "xmin", "ymin", "xmax", "ymax", "cells")
    extents = _extents(tiles)
    _report(extents)
    order = ("year", "epsg", F.desc("ymax"))
    # Not `orderBy`, whose parts would grow with the area.
    parts = math.ceil(extents["with_cells"].sum() / _TILES_OF_PART)
    return PendingEmbeddings(
        tiles.filter("cells is not null")
        .select("year", "epsg", "xmin", "ymax", "cells")
        .repartitionByRange(parts, *order)
        .sortWithinPartitions(*order),
        tuple(_grid(each) for _, each in extents[extents["with_cells"] > 0].iterrows()),
        source,
    )


def _extents(tiles: DataFrame) -> pd.DataFrame:
    """Count the tiles of each year and zone, and find the extent of those that have cells."""
    has_cells = F.col("cells").isNotNull()
    return (
        tiles.groupBy("year", "epsg")
        .agg(
            F.count("*").alias("tiles"),
            F.count("cells").alias("with_cells"),
            F.min(F.when(has_cells, F.col("xmin"))).alias("xmin"),
            F.min(F.when(has_cells, F.col("ymin"))).alias("ymin"),
            F.max(F.when(has_cells, F.col("xmax"))).alias("xmax"),
            F.max(F.when(has_cells, F.col("ymax"))).alias("ymax"),
            F.max(F.col("xmax") - F.col("xmin")).alias("size"),
        )
        .orderBy("year", "epsg")
        .toPandas()
    )


def _report(extents: pd.DataFrame) -> None:
    """Say how many tiles are exported, and of which there is nothing."""
    tiles, found = int(extents["tiles"].sum()), int(extents["with_cells"].sum())
    if not found:
        raise AerialError(
            f"None of the {tiles:,} tiles of the catalog has embeddings of cells. Compute them "
            "with `kedro run --pipeline=featurization`, then export again."
        )
    LOGGER.info("Embeddings of %s of %s tiles are exported", f"{found:,}", f"{tiles:,}")
    for _, each in extents[extents["with_cells"] < extents["tiles"]].iterrows():
        LOGGER.warning(
            "%s of %s tiles of %d in EPSG:%d have no embeddings (in quarantine, or computed "
            "without): no data in the raster",
            f"{int(each['tiles'] - each['with_cells']):,}",
            f"{int(each['tiles']):,}",
            each["year"],
            each["epsg"],
        )


def _grid(extent: pd.Series) -> EmbeddingGrid:
    size = float(extent["size"])
    return EmbeddingGrid(
        year=int(extent["year"]),
        epsg=int(extent["epsg"]),
        xmin=float(extent["xmin"]),
        ymax=float(extent["ymax"]),
        tile_size_m=size,
        rows=round((extent["ymax"] - extent["ymin"]) / size),
        columns=round((extent["xmax"] - extent["xmin"]) / size),
    )
