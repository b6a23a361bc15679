"""Tasks of a labelling page, with the pictures that Spark's workers take of their cells."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cells.places import split_cell_ids
from aerial_kedro.errors import AerialError
from aerial_kedro.labelling.content import LabelTask
from aerial_kedro.labelling.pictures import draw_views, join_tiles
from aerial_kedro.pipelines.pictures import collect_pixels

TASK_COLUMNS = ("sample_id", "cell_id", "year", "lon", "lat")
"""What a cell needs to be a task."""

# Pixels a side: of a tile, where its image has a metre a pixel or finer ones; of one among nine.
_TILE_PX, _FINE_TILE_PX, _NEIGHBOUR_PX = 224, 448, 64
_FINE_M = 0.75  # metres a pixel from which on the larger picture shows more
_STEPS = [(across, up) for across in (-1, 0, 1) for up in (-1, 0, 1)]


class _Image(NamedTuple):
    """The image of a tile, with the tile's place on the grid of tiles."""

    image_id: str
    tile_id: str
    year: int
    gsd_m: float
    epsg: int
    column: int
    row: int

    def beside(self, across: int, up: int) -> tuple[int, int, int]:
        """Zone, column and row of a tile some steps to the east and north."""
        return self.epsg, self.column + across, self.row + up


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
    names = cells["cell_id"].astype(str).tolist()
    tile_ids, numbers = split_cell_ids(names)
    own = _list_images(tile_catalog, F.col("tile_id").isin(sorted(set(tile_ids))))
    tiles: dict[tuple[str, int], np.ndarray] = {}
    for size, fine in ((_TILE_PX, False), (_FINE_TILE_PX, True)):
        of_size = [each for each in own if (each.gsd_m < _FINE_M) == fine]
        pixels = _read(tile_catalog, of_size, size)
        tiles |= {
            (each.tile_id, each.year): pixels[each.image_id]
            for each in of_size
            if each.image_id in pixels
        }
    _check_readable(cells.assign(tile_id=tile_ids), tiles)
    views = draw_views(
        dict(zip(names, zip(tile_ids, numbers.tolist(), strict=True), strict=True)),
        tiles,
        _join_surroundings(tile_catalog, own),
    )
    extra = [name for name in ("given", "why") if name in cells]
    rows = cells[[*TASK_COLUMNS, *extra]].astype(object)
    records = rows.where(rows.notna(), None).to_dict("records")
    return tuple(
        LabelTask.model_validate({**row, "views": views[str(row["cell_id"])]}) for row in records
    )


def _check_readable(cells: pd.DataFrame, tiles: dict[tuple[str, int], np.ndarray]) -> None:
    asked = zip(cells["cell_id"], cells["tile_id"], cells["year"].astype(int), strict=True)
    missing = [(cell, year) for cell, tile, year in asked if (tile, year) not in tiles]
    if missing:
        cell, year = missing[0]
        raise AerialError(
            f"The image of the cell {cell} in {year} cannot be read ({len(missing)} such in all). "
            "Put the scenes back where the tile catalog has them, or make it again: "
            "`kedro run --pipeline=data_ingestion`."
        )


def _position(edge: str) -> Column:
    return F.round(F.col(edge) / (F.col("xmax") - F.col("xmin"))).cast("int")


def _list_images(tile_catalog: DataFrame, condition: Column) -> list[_Image]:
    chosen = tile_catalog.filter(condition).select(
        "image_id",
        "tile_id",
        "year",
        F.coalesce("gsd_m", F.lit(1.0)),
        "epsg",
        _position("xmin"),
        _position("ymin"),
    )
    return sorted(_Image(*row) for row in chosen.collect())


def _join_surroundings(
    tile_catalog: DataFrame, own: list[_Image]
) -> dict[tuple[str, int], np.ndarray]:
    """Tile and year to it and the tiles around it, in one picture."""
    keys = {"/".join(map(str, each.beside(*step))) for each in own for step in _STEPS}
    key = F.concat_ws("/", "epsg", _position("xmin"), _position("ymin"))
    near = _list_images(tile_catalog, key.isin(sorted(keys)))
    pixels = _read(tile_catalog, near, _NEIGHBOUR_PX)
    there = {
        (*each.beside(0, 0), each.year): pixels[each.image_id]
        for each in near
        if each.image_id in pixels
    }
    found = {}
    for each in own:
        around = {step: there.get((*each.beside(*step), each.year)) for step in _STEPS}
        shown = {step: tile for step, tile in around.items() if tile is not None}
        if shown:
            found[each.tile_id, each.year] = join_tiles(shown, _NEIGHBOUR_PX)
    return found


def _read(tile_catalog: DataFrame, images: Iterable[_Image], size: int) -> dict[str, np.ndarray]:
    wanted = sorted({each.image_id for each in images})
    if not wanted:
        return {}
    return collect_pixels(tile_catalog.filter(F.col("image_id").isin(wanted)), size)
