"""Cells with the ground around them, on Spark: neighbouring tiles come together in one group."""

from collections.abc import Callable

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

# Tiles a side of a group. A ring of tiles around comes along: of 16 a quarter more.
_GROUP = 16
PLACE_COLUMNS = ("epsg", "year", "xmin", "ymin", "xmax", "ymax")


def map_neighbourhoods(
    tiles: DataFrame, run: Callable[[pd.DataFrame], pd.DataFrame], schema: str
) -> DataFrame:
    """Run a function on groups of neighbouring tiles of one zone and year.

    Parameters
    ----------
    tiles
        A row a tile of the fixed grid: `PLACE_COLUMNS`, ``image_id`` and what the function needs.
    run
        Takes the tiles of a group in a fixed order, with ``column, row``, their place on the tile
        grid, and ``is_own``: whether the tile is the group's, or of the ring around it. Returns
        rows of its own tiles only.
    schema
        Of what it returns, as Spark DDL.
    """
    size = F.col("xmax") - F.col("xmin")
    place = {
        name: F.round(F.col(edge) / size).cast("int")
        for name, edge in (("column", "xmin"), ("row", "ymin"))
    }
    groups = F.array_distinct(
        F.array(
            *[
                F.struct(
                    F.floor((F.col("column") + across) / _GROUP).alias("across"),
                    F.floor((F.col("row") + up) / _GROUP).alias("up"),
                )
                for across in (-1, 0, 1)
                for up in (-1, 0, 1)
            ]
        )
    )
    own = (F.floor(F.col("column") / _GROUP) == F.col("group.across")) & (
        F.floor(F.col("row") / _GROUP) == F.col("group.up")
    )
    near = tiles.withColumns(place).withColumn("group", F.explode(groups)).withColumn("is_own", own)

    def run_in_order(frame: pd.DataFrame) -> pd.DataFrame:
        return run(frame.sort_values("image_id", ignore_index=True))

    return near.groupBy("epsg", "year", "group").applyInPandas(run_in_order, schema)
