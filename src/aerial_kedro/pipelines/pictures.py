"""Pictures and pixels of tiles, taken by Spark's workers."""

from collections.abc import Iterable
from functools import partial

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.features.featurize import PIXEL_COLUMNS, read_pixels
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


def collect_pixels(tiles: DataFrame, size: int) -> dict[str, np.ndarray]:
    """Read the pixels of tiles in Spark's workers, and bring them to the driver.

    Parameters
    ----------
    tiles
        Rows of the tile catalog, few enough for the driver.
    size
        Side of the results in pixels.

    Returns
    -------
    dict
        ``image_id``, in order, to pixels ``(size, size, 3)``, uint8, of the tiles that can be read.
    """
    read = partial(read_pixels, size=size)
    rows = tiles.select(*SOURCE_COLUMNS).mapInPandas(read, ddl(PIXEL_COLUMNS)).collect()
    return {
        row["image_id"]: np.frombuffer(row["pixels"], np.uint8).reshape(size, size, 3)
        for row in sorted(rows, key=lambda row: str(row["image_id"]))
    }


def picture_places(
    tile_catalog: DataFrame, tile_ids: Iterable[str], years: Iterable[int]
) -> dict[tuple[str, int], bytes]:
    """Take pictures of places in some years, as `collect_pictures` does of tiles.

    Returns
    -------
    dict
        ``(tile_id, year)`` to picture.
    """
    places, wanted = sorted({*tile_ids}), sorted({int(year) for year in years})
    if not places:
        return {}
    tiles = tile_catalog.filter(F.col("tile_id").isin(places) & F.col("year").isin(wanted))
    found = {
        row["image_id"]: (row["tile_id"], int(row["year"]))
        for row in tiles.select("image_id", "tile_id", "year").collect()
    }
    return {found[image]: picture for image, picture in collect_pictures(tiles).items()}
