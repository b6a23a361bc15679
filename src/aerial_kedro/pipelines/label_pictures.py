"""Tasks of a labelling page, with the pictures that Spark's workers take of their cells."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.labelling.content import LabelTask
from aerial_kedro.labelling.pictures import draw_views, join_tiles
from aerial_kedro.pipelines.pictures import collect_pixels

TASK_COLUMNS = ("sample_id", "cell_id", "year", "lon", "lat")
"""What a cell needs to be a task."""

# Pixels a side: of a tile, where its image has a metre a pixel or finer ones; of one among nine.
_TILE_PX, _FINE_TILE_PX, _NEIGHBOUR_PX = 224, 448, 64
_STEPS = (-1, 0, 1)


def draw_tasks(tile_catalog: DataFrame, cells: pd.DataFrame) -> tuple[LabelTask, ...]:
    """Make tasks of cells: pictures of each in all years that the catalog has.

    Parameters
    ----------
    tile_catalog
        The catalog of the cells' tiles, and of those around them.
    cells
        `TASK_COLUMNS`, and where there are such ``given`` and ``why``; in the order of the page.

    Raises
    ------
    AerialError
        If the image of a cell can no longer be read in the year that is asked for.
    """
    names = cells["cell_id"].astype(str)
    own = _places(tile_catalog, F.col("tile_id").isin(sorted(set(names.str[:-3]))))
    around = _around(own)
    keys = F.concat_ws("/", "epsg", _position("xmin"), _position("ymin"))
    near = _places(tile_catalog, keys.isin(sorted({key for key, _, _ in around.values()})))
    tiles = {}
    fine = own["gsd_m"].notna() & (own["gsd_m"] < 0.75)  # noqa: PLR2004
    for size, of_size in ((_TILE_PX, own[~fine]), (_FINE_TILE_PX, own[fine])):
        pixels = _pixels(tile_catalog, of_size["image_id"], size)
        tiles |= {
            (row.tile_id, row.year): pixels[row.image_id]
            for row in of_size.itertuples()
            if row.image_id in pixels
        }
    views = draw_views(
        {name: (name[:-3], int(name[-2:])) for name in names},
        tiles,
        _surroundings(tile_catalog, own, near),
    )
    _check_views(cells, tiles)
    extra = [name for name in ("given", "why") if name in cells]
    rows = cells[[*TASK_COLUMNS, *extra]].astype(object)
    records = rows.where(rows.notna(), None).to_dict("records")
    return tuple(LabelTask(**row, views=views[row["cell_id"]]) for row in records)


def _check_views(cells: pd.DataFrame, tiles: dict[tuple[str, int], np.ndarray]) -> None:
    asked = zip(cells["cell_id"], cells["year"], strict=True)
    missing = [(cell, int(year)) for cell, year in asked if (cell[:-3], int(year)) not in tiles]
    if missing:
        cell, year = missing[0]
        raise AerialError(
            f"The image of the cell {cell} of {year} cannot be read (any more), nor those of "
            f"{len(missing) - 1} other cells. Put the scenes back where the tile catalog has "
            "them, or make it again: `kedro run --pipeline=data_ingestion`."
        )


def _position(edge: str) -> object:
    return F.round(F.col(edge) / (F.col("xmax") - F.col("xmin"))).cast("int")


def _places(tile_catalog: DataFrame, condition: object) -> pd.DataFrame:
    """Images of tiles with their place on the tile grid."""
    return (
        tile_catalog.filter(condition)
        .select(
            "image_id", "tile_id", "year", "epsg", "gsd_m",
            _position("xmin").alias("column"), _position("ymin").alias("row"),
        )
        .toPandas()
        .sort_values("image_id", ignore_index=True)
    )  # fmt: skip


def _around(own: pd.DataFrame) -> dict[tuple[str, int, int], tuple[str, int, int]]:
    """Tile, step east and step north, to the key of the place there and the steps."""
    return {
        (row.tile_id, across, up): (f"{row.epsg}/{row.column + across}/{row.row + up}", across, up)
        for row in own.itertuples()
        for across in _STEPS
        for up in _STEPS
    }


def _surroundings(
    tile_catalog: DataFrame, own: pd.DataFrame, near: pd.DataFrame
) -> dict[tuple[str, int], np.ndarray]:
    """Tile and year to it and the tiles around it, in one picture."""
    pixels = _pixels(tile_catalog, near["image_id"], _NEIGHBOUR_PX)
    there = {
        (row.epsg, row.year, row.column, row.row): pixels[row.image_id]
        for row in near.itertuples()
        if row.image_id in pixels
    }
    found = {}
    for row in own.itertuples():
        steps = {
            (across, up): there.get((row.epsg, row.year, row.column + across, row.row + up))
            for across in _STEPS
            for up in _STEPS
        }
        shown = {step: each for step, each in steps.items() if each is not None}
        if shown:
            found[row.tile_id, row.year] = join_tiles(shown, _NEIGHBOUR_PX)
    return found


def _pixels(tile_catalog: DataFrame, image_ids: Iterable[str], size: int) -> dict[str, np.ndarray]:
    wanted = sorted(set(image_ids))
    if not wanted:
        return {}
    return collect_pixels(tile_catalog.filter(F.col("image_id").isin(wanted)), size)
