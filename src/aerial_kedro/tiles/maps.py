"""Maps of tiles: one cell a tile, one CRS for all zones, one raster a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from aerial_kedro.tiles.own_grid import CellGrid, cells_of_tiles, fit_grid, is_on_global_grid
from aerial_kedro.tiles.raster import Raster

NODATA = 0


def map_of_tiles(tiles: pd.DataFrame, classes: Sequence[str], colours: Mapping[str, str]) -> Raster:
    """Draw a year's predictions as a raster.

    The map lies on the tile grid of the zone with the most tiles; tiles of other zones are drawn
    on it by nearest neighbour, so that neighbours across a zone border meet in one CRS. Tiles that
    are not of the global grid are drawn on a grid laid through them (`tiles.own_grid`).

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax, pred_label, probability`` of one year.
    classes
        Class names; the first has the value 1.
    colours
        Class to ``#rrggbb``.

    Returns
    -------
    Raster
        Band 1: class values (nodata where there is no prediction); band 2: probability of the
        class in percent (1–100; nodata where the class is not the model's). Nodata is 0.
    """
    epsg = int(tiles["epsg"].mode().iloc[0])
    cells, grid = _find_cells(tiles, epsg)
    first_col, top_row = int(cells["col"].min()), int(cells["row"].max())
    shape = (top_row - int(cells["row"].min()) + 1, int(cells["col"].max()) - first_col + 1)
    pixels = np.zeros((2, *shape), dtype=np.uint8)
    at = (top_row - cells["row"].to_numpy(), cells["col"].to_numpy() - first_col)
    source = tiles.loc[cells["tile"]]
    values = {name: index + 1 for index, name in enumerate(classes)}
    pixels[0][at] = source["pred_label"].map(values).fillna(NODATA).to_numpy().astype(np.uint8)
    percent = (source["probability"].astype(float) * 100).round().clip(lower=1)
    pixels[1][at] = percent.fillna(NODATA).to_numpy().astype(np.uint8)
    return Raster(
        pixels=pixels,
        transform=grid.transform(first_col, top_row + 1),
        crs=f"EPSG:{epsg}",
        nodata=NODATA,
        band_names=("land cover", "probability in percent"),
        colour_table={value: (*_rgb(colours[name]), 255) for name, value in values.items()},
        tags={"CLASSES": ", ".join(f"{value} {name}" for name, value in values.items())},
    )


def _find_cells(tiles: pd.DataFrame, epsg: int) -> tuple[pd.DataFrame, CellGrid]:
    """Cells and the tile that each shows (``col, row, tile``), and the grid that they are of."""
    if is_on_global_grid(tiles):
        size = float((tiles["xmax"] - tiles["xmin"]).iloc[0])
        return _cells_on_grid(tiles, epsg, size), CellGrid(0.0, 0.0, size, size)
    grid = fit_grid(tiles[tiles["epsg"] == epsg])
    return cells_of_tiles(tiles, epsg, grid), grid


def _cells_on_grid(tiles: pd.DataFrame, epsg: int, size: float) -> pd.DataFrame:
    """Cells of the main grid and the tile that each shows: ``col, row, tile`` (an index label)."""
    own = tiles["epsg"] == epsg
    x, y = _centres(tiles[own])
    parts = [
        pd.DataFrame({"col": x // size, "row": y // size, "tile": tiles.index[own]}, dtype=int)
    ]
    for other in sorted(set(tiles.loc[~own, "epsg"])):
        neighbours = tiles[tiles["epsg"] == other]
        to_main = Transformer.from_crs(int(other), epsg, always_xy=True)
        parts.append(_neighbouring_cells(neighbours, to_main, size))
    # A cell that a tile of the zone itself covers keeps it.
    return pd.concat(parts).drop_duplicates(["col", "row"]).reset_index(drop=True)


def _centres(tiles: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    x = ((tiles["xmin"] + tiles["xmax"]) / 2).to_numpy()
    y = ((tiles["ymin"] + tiles["ymax"]) / 2).to_numpy()
    return x, y


def _neighbouring_cells(
    neighbours: pd.DataFrame, to_main: Transformer, size: float
) -> pd.DataFrame:
    """Cells of the main grid whose centre lies in a tile of another zone."""
    x, y = _centres(neighbours)
    main_x, main_y = to_main.transform(x, y)
    found = []
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            col, row = main_x // size + dx, main_y // size + dy
            back_x, back_y = to_main.transform(
                (col + 0.5) * size, (row + 0.5) * size, direction="INVERSE"
            )
            inside = (back_x // size == x // size) & (back_y // size == y // size)
            found.append(
                pd.DataFrame(
                    {"col": col[inside], "row": row[inside], "tile": neighbours.index[inside]},
                    dtype=int,
                )
            )
    return pd.concat(found)


def _rgb(colour: str) -> tuple[int, int, int]:
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


def polygons_of_tiles(tiles: pd.DataFrame) -> gpd.GeoDataFrame:
    """Tiles as polygons in longitude and latitude (OGC:CRS84), whatever their zones.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` and whatever else is to be kept.
    """
    geometry = np.empty(len(tiles), dtype=object)
    for epsg in sorted(set(tiles["epsg"])):
        chosen = (tiles["epsg"] == epsg).to_numpy()
        part = tiles[chosen]
        to_degrees = Transformer.from_crs(int(epsg), "OGC:CRS84", always_xy=True)
        xs = part[["xmin", "xmax", "xmax", "xmin"]].to_numpy()
        ys = part[["ymin", "ymin", "ymax", "ymax"]].to_numpy()
        lon, lat = to_degrees.transform(xs, ys)
        geometry[chosen] = shapely.polygons(np.stack([lon, lat], axis=-1))
    return gpd.GeoDataFrame(tiles, geometry=geometry, crs="OGC:CRS84")
