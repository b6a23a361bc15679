"""Nodes that scenes without land cover need in place of labels and splits."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.tiles.catalog import LABEL_COLUMNS, SPLIT_COLUMNS, TILE_COLUMNS


def catalog_without_labels(tiles: DataFrame) -> DataFrame:
    """Make the tile catalog of scenes that no land cover is known of.

    Parameters
    ----------
    tiles
        `TILE_COLUMNS`.

    Returns
    -------
    DataFrame
        The columns of the catalog; those of labels and splits are null.

    Raises
    ------
    AerialError
        If there is no tile.
    """
    if tiles.isEmpty():
        raise AerialError(
            "No tile lies whole inside a scene. Give larger scenes, or a smaller tile: "
            "--params=tile_size_m=50."
        )
    unknown = {**LABEL_COLUMNS, **SPLIT_COLUMNS}
    return tiles.select(
        *TILE_COLUMNS, *[F.lit(None).cast(kind).alias(name) for name, kind in unknown.items()]
    )
