"""Pictures of tiles for pages, taken by Spark's workers."""

from functools import partial

from pyspark.sql import DataFrame

from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.reading import PICTURE_COLUMNS, SOURCE_COLUMNS, picture_tiles

PICTURE_PX = 160


def collect_pictures(tiles: DataFrame) -> dict[str, bytes]:
    """Take a JPEG picture of each tile that can be read, and bring them to the driver.

    Parameters
    ----------
    tiles
        Rows of the tile catalog, few enough for a page.

    Returns
    -------
    dict
        ``image_id`` to picture, `PICTURE_PX` a side.
    """
    taken = tiles.select(*SOURCE_COLUMNS).mapInPandas(
        partial(picture_tiles, size=PICTURE_PX), ddl(PICTURE_COLUMNS)
    )
    return {row["image_id"]: bytes(row["picture"]) for row in taken.collect()}
