"""The tile catalog: its columns, and the tiles that lie whole inside a scene."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from rasterio.errors import NodataShadowWarning
from rasterio.transform import array_bounds
from rasterio.windows import Window

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.bands import RGB, bands_of, read_validity
from aerial_kedro.scenes.headers import SceneHeader
from aerial_kedro.scenes.reader import SceneReader, TileReadError, warped
from aerial_kedro.tiles.grid import (
    TileGrid,
    belongs_to_grid,
    transformer_between,
    utm_zone,
    zone_epsg,
)
from aerial_kedro.tiles.workers import for_spark, kept_between_tasks

# One row an image, as Spark DDL. `source_version` ties features to the content they were computed
# from, so that a replaced file is featurized again.
TILE_COLUMNS: dict[str, str] = {
    "image_id": "string",
    "tile_id": "string",
    "href": "string",
    "source_version": "string",
    "kind": "string",
    "row_off": "double",
    "col_off": "double",
    "height": "double",
    "width": "double",
    "epsg": "int",
    "xmin": "double",
    "ymin": "double",
    "xmax": "double",
    "ymax": "double",
    "lon": "double",
    "lat": "double",
    "gsd_m": "double",
    "year": "int",
    "nodata_fraction": "double",
    "has_infrared": "boolean",
}
LABEL_COLUMNS: dict[str, str] = {
    "label": "string",
    "purity": "double",
    "fractions": "map<string,double>",
    "label_year": "int",
    "year_gap": "int",
    # A byte a cell (`cells.grid`): 1 + position of the class in the class table, and that class's
    # share of the cell in percent; 0 where the land cover does not cover the cell.
    "cell_labels": "binary",
    "cell_purity": "binary",
}
# `cell_split` is of the ground a tile lies in, whatever its label; `split` of labelled tiles only.
SPLIT_COLUMNS: dict[str, str] = {"block_id": "string", "split": "string", "cell_split": "string"}


NO_TILE = (
    "No tile lies whole inside a scene. Give larger scenes, or a smaller tile: "
    "--params=tile_size_m=50."
)
"""Message where the grid finds no tile in any scene."""


def ddl(columns: dict[str, str]) -> str:
    """Write columns as a Spark schema string."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


# Nodata is counted on a thinned grid of about this many samples a tile side: reading every pixel
# of every scene twice would not be worth its time.
_SAMPLES_PER_SIDE = 32
# Most tiles of one scene, which are listed in memory. A scene of 350 km at 224 m has a quarter.
_MOST_TILES = 10_000_000


def tiles_of_scene(scene: SceneHeader, tile_size_m: float, reader: SceneReader) -> pd.DataFrame:
    """List the tiles of the global grid that lie whole inside a scene.

    Where a scene reaches over a UTM border, each tile belongs to the zone of its centre.

    Parameters
    ----------
    scene
        The scene's header.
    tile_size_m
        Side of a tile on the ground in metres.
    reader
        Reader of the scene's pixels, for the share of nodata.

    Returns
    -------
    pandas.DataFrame
        The columns `TILE_COLUMNS`; ``row_off`` to ``width`` (pixels of the scene) are missing
        for tiles that are read through a warp.
    """
    parts = [
        _tiles_of_zone(scene, TileGrid(epsg, tile_size_m), reader) for epsg in _zones_of(scene)
    ]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=list(TILE_COLUMNS))
    return pd.concat(parts, ignore_index=True)[list(TILE_COLUMNS)]


def _zones_of(scene: SceneHeader) -> list[int]:
    to_degrees = transformer_between(scene.crs, 4326)
    west, south, east, north = to_degrees.transform_bounds(*_footprint(scene))
    first, last = utm_zone(west), utm_zone(east)
    # Counted on from the westernmost, since zone 60 borders on zone 1.
    zones = [(first + step - 1) % 60 + 1 for step in range((last - first) % 60 + 1)]
    hemispheres = [each for each, met in ((True, north >= 0), (False, south < 0)) if met]
    return [zone_epsg(zone, northern=northern) for zone in zones for northern in hemispheres]


def _footprint(scene: SceneHeader) -> tuple[float, float, float, float]:
    bounds: tuple[float, float, float, float] = array_bounds(
        scene.height, scene.width, scene.affine
    )
    return bounds


def _tiles_of_zone(scene: SceneHeader, grid: TileGrid, reader: SceneReader) -> pd.DataFrame:
    cells = _cells_inside(scene, grid)
    if not len(cells):
        return cells
    size = grid.tile_size_m
    corners = grid.bounds(cells["col"], cells["row"])
    cells["xmin"], cells["ymin"], cells["xmax"], cells["ymax"] = corners
    cells["tile_id"] = [
        grid.tile_id(col, row) for col, row in zip(cells["col"], cells["row"], strict=True)
    ]
    cells["image_id"] = cells["tile_id"] + f"_{scene.year}"
    if scene.epsg == grid.epsg:
        inverse = ~scene.affine
        cells["col_off"], cells["row_off"] = inverse @ (cells["xmin"], cells["ymax"])
        cells["width"], cells["height"] = size / scene.affine.a, -size / scene.affine.e
    else:
        cells[["row_off", "col_off", "height", "width"]] = np.nan
    cells["nodata_fraction"] = _nodata_fractions(scene, grid, cells, reader)
    return cells.assign(
        href=scene.href,
        source_version=scene.source_version,
        kind="window",
        epsg=grid.epsg,
        gsd_m=scene.gsd_m,
        year=scene.year,
        has_infrared=scene.infrared,
    )


def _cells_inside(scene: SceneHeader, grid: TileGrid) -> pd.DataFrame:
    """Grid cells of one zone whose square lies inside the scene and whose centre in the zone."""
    to_grid = transformer_between(scene.crs, grid.epsg)
    xmin, ymin, xmax, ymax = to_grid.transform_bounds(*_footprint(scene))
    (first_col, last_col), (first_row, last_row) = grid.cell_of(
        np.array([xmin, xmax]), np.array([ymin, ymax])
    )
    count = int(last_col - first_col + 1) * int(last_row - first_row + 1)
    if count > _MOST_TILES:
        raise AerialError(
            f"The scene {scene.href} would be cut into {count:,} tiles of {grid.tile_size_m:g} m. "
            "Give a larger tile_size_m, or cut the scene into pieces (gdal_retile.py)."
        )
    cols, rows = (
        each.ravel()
        for each in np.meshgrid(
            np.arange(first_col, last_col + 1), np.arange(last_row, first_row - 1, -1)
        )
    )
    size = grid.tile_size_m
    inside = np.ones(cols.shape, dtype=bool)
    slack = 1e-6 * size
    left, bottom, right, top = _footprint(scene)
    # Corners and middles of the sides: a warped square's sides bend by centimetres only.
    for dx, dy in [(0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0), (0.5, 1), (0, 0.5), (1, 0.5)]:
        x, y = to_grid.transform((cols + dx) * size, (rows + dy) * size, direction="INVERSE")
        inside &= (x >= left - slack) & (x <= right + slack)
        inside &= (y >= bottom - slack) & (y <= top + slack)
    cols, rows = cols[inside], rows[inside]
    to_degrees = transformer_between(grid.epsg, 4326)
    lon, lat = to_degrees.transform((cols + 0.5) * size, (rows + 0.5) * size)
    cells = pd.DataFrame({"col": cols, "row": rows, "lon": lon, "lat": lat})
    return cells[belongs_to_grid(cols, rows, grid)].reset_index(drop=True)


def _nodata_fractions(
    scene: SceneHeader, grid: TileGrid, cells: pd.DataFrame, reader: SceneReader
) -> np.ndarray:
    """Share of each tile without image: nodata by tag, mask or alpha, or black in all of RGB.

    Reads one row of tiles at a time, thinned, so that no whole scene is ever in memory. Where the
    scene cannot be read the share is missing (NaN): featurization will record why.
    """
    fractions = np.full(len(cells), np.nan)
    for _, row in cells.groupby("row", sort=False):
        first = int(row["col"].min())
        count = int(row["col"].max()) - first + 1
        try:
            empty = _empty_strip(scene, grid, row, count, reader)
        except TileReadError:
            continue
        by_tile = empty.reshape(_SAMPLES_PER_SIDE, count, _SAMPLES_PER_SIDE).mean(axis=(0, 2))
        fractions[row.index] = by_tile[row["col"].to_numpy() - first]
    return fractions


def _empty_strip(
    scene: SceneHeader, grid: TileGrid, row: pd.DataFrame, count: int, reader: SceneReader
) -> np.ndarray:
    """Find where a row of ``count`` tiles has no image: bool, (samples, count * samples)."""
    width, height = count * _SAMPLES_PER_SIDE, _SAMPLES_PER_SIDE
    if scene.epsg == grid.epsg:
        window = Window(
            row["col_off"].min(),
            row["row_off"].iloc[0],
            row["width"].iloc[0] * count,
            row["height"].iloc[0],
        )
        return reader.read(
            scene.href, lambda dataset: _empty(dataset, height, width, window, scene.infrared)
        )
    step = grid.tile_size_m / _SAMPLES_PER_SIDE
    transform = Affine(step, 0, row["xmin"].min(), 0, -step, row["ymax"].iloc[0])

    def read_warped(dataset: rasterio.DatasetReader) -> np.ndarray:
        with warped(dataset, grid.epsg, transform, width, height) as view:
            return _empty(view, height, width, None, scene.infrared)

    return reader.read(scene.href, read_warped, without_alpha=scene.infrared)


def _empty(
    dataset: rasterio.DatasetReader,
    height: int,
    width: int,
    window: Window | None,
    infrared: bool,
) -> np.ndarray:
    colours = list(bands_of(dataset)[: len(RGB)])
    pixels = dataset.read(colours, window=window, out_shape=(len(RGB), height, width))
    with warnings.catch_warnings():
        # Of nodata and an alpha band the first is meant, which is what rasterio takes.
        warnings.simplefilter("ignore", NodataShadowWarning)
        valid = read_validity(dataset, height, width, window, has_infrared=infrared)
    return np.asarray(~valid | ~pixels.any(axis=0))


def tiles_of_scenes(frames: Iterator[pd.DataFrame], tile_size_m: float) -> Iterator[pd.DataFrame]:
    """List the tiles of scene headers that arrive as frames (one row a scene).

    The form that Spark's ``mapInPandas`` takes.
    """
    with kept_between_tasks(), SceneReader() as reader:
        for frame in frames:
            for record in frame.to_dict("records"):
                record["epsg"] = None if pd.isna(record["epsg"]) else int(record["epsg"])
                record["transform"] = tuple(record["transform"])
                header = SceneHeader(**record)  # type: ignore[arg-type]
                yield for_spark(tiles_of_scene(header, tile_size_m, reader))
