"""Maps of tiles: one cell a tile, one CRS for all zones, one raster a year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from PIL import ImageColor
from rasterio.transform import array_bounds

from aerial_kedro.errors import AerialError
from aerial_kedro.maps.cells import cells_on_grid, fit_grid, is_on_global_grid
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.tiles.grid import CellGrid
from aerial_kedro.tiles.squares import project_squares

NODATA = 0
CLASS_BAND, PROBABILITY_BAND = "land cover", "probability in percent"
EXPECTED_BAND, OUTSIDE_BAND = "expected accuracy in percent", "outside"
BANDS = (CLASS_BAND, PROBABILITY_BAND, EXPECTED_BAND, OUTSIDE_BAND)
"""What the bands of a map show; the last two are there where the model knows where it holds."""

# A map covers all that lies between its tiles: of tiles of 224 m this is 4,480 by 4,480 km, of
# their cells 640 by 640 km.
_MOST_CELLS = 400_000_000


class TilesFarApartError(AerialError):
    """Tiles lie so far apart that a map of them would be nearly all gaps, and huge."""


@dataclass(frozen=True)
class TileCells:
    """The cells of a map and the tile that each shows.

    Parameters
    ----------
    epsg
        EPSG code of the map's CRS.
    transform
        Transform from ``(col, row)`` to units of the CRS; row 0 is the northernmost.
    shape
        Number of rows and columns of the map.
    rows, columns
        Row and column of the cells that show a tile, ``(n,)``.
    tiles
        Index label of the tile that each shows, ``(n,)``.
    """

    epsg: int
    transform: Affine
    shape: tuple[int, int]
    rows: np.ndarray
    columns: np.ndarray
    tiles: np.ndarray

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """``(xmin, ymin, xmax, ymax)`` in the units of the CRS."""
        bounds: tuple[float, float, float, float] = array_bounds(*self.shape, self.transform)
        return bounds


def cells_of_tiles(tiles: pd.DataFrame) -> TileCells:
    """Find the cells of a map of one year's tiles, in the zone that has the most of them.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax``.

    Raises
    ------
    TilesFarApartError
        If the map would be nearly all gaps, and huge.
    """
    epsg = int(tiles["epsg"].mode().iloc[0])
    is_own = not is_on_global_grid(tiles)
    size = float((tiles["xmax"] - tiles["xmin"]).iloc[0])
    grid = fit_grid(tiles[tiles["epsg"] == epsg]) if is_own else CellGrid(size, size)
    cells = cells_on_grid(tiles, epsg, grid, is_own=is_own)
    first_col, top_row = int(cells["col"].min()), int(cells["row"].max())
    shape = (top_row - int(cells["row"].min()) + 1, int(cells["col"].max()) - first_col + 1)
    check_extent(len(tiles), shape)
    left, upper = grid.point(first_col, top_row + 1)
    return TileCells(
        epsg=epsg,
        transform=Affine(grid.step_x, 0, left, 0, -grid.step_y, upper),
        shape=shape,
        rows=top_row - cells["row"].to_numpy(),
        columns=cells["col"].to_numpy() - first_col,
        tiles=cells["tile"].to_numpy(),
    )


def check_extent(tiles: int, shape: tuple[int, int]) -> None:
    """Make sure that a map fits into memory.

    Parameters
    ----------
    tiles
        Number of tiles on the map.
    shape
        Number of its rows and columns.

    Raises
    ------
    TilesFarApartError
        If the tiles lie so far apart that the map would be nearly all gaps, and huge.
    """
    if shape[0] * shape[1] > _MOST_CELLS:
        raise TilesFarApartError(
            f"The {tiles:,} tiles lie so far apart that their map would have {shape[0]:,} by "
            f"{shape[1]:,} cells. The predictions are written; for maps, run the scenes of each "
            "region on their own (--params=scenes_root=DIR)."
        )


def map_of_tiles(tiles: pd.DataFrame, classes: Sequence[str], colours: Mapping[str, str]) -> Raster:
    """Draw a year's tiles as a raster.

    The map lies on the tile grid of the zone with the most tiles; tiles of other zones are drawn
    on it by nearest neighbour, so that neighbours across a zone border meet in one CRS. Tiles that
    are not of the global grid are drawn on a grid laid through them (`maps.cells.fit_grid`).

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax, mapped_class, probability`` of one year, and
        ``expected_accuracy, outside_share`` (0–1), where the model knows where it holds (else null
        or absent).
    classes
        Values of ``mapped_class``; the first is drawn as 1.
    colours
        Class to ``#rrggbb``.

    Returns
    -------
    Raster
        Band 1: class values (nodata where there is no prediction); band 2: probability of the
        model's likeliest class in percent (1–100; nodata where the class is not the model's).
        Where the model knows where it holds, band 3: expected accuracy in percent, as band 2; band
        4: 1 where the tile is outside. Nodata is 0.
    """
    cells = cells_of_tiles(tiles)
    holds = "expected_accuracy" in tiles and tiles["expected_accuracy"].notna().any()
    pixels = np.zeros((len(BANDS) if holds else 2, *cells.shape), dtype=np.uint8)
    at = (cells.rows, cells.columns)
    source = tiles.loc[cells.tiles]
    values = {name: index + 1 for index, name in enumerate(classes)}
    pixels[0][at] = source["mapped_class"].map(values).fillna(NODATA).to_numpy().astype(np.uint8)
    pixels[1][at] = _percent(source["probability"])
    if holds:
        pixels[2][at] = _percent(source["expected_accuracy"])
        pixels[3][at] = source["outside_share"].astype(float).fillna(0).to_numpy() > 0
    raster = Raster(pixels, cells.transform, f"EPSG:{cells.epsg}", NODATA)
    return describe_classes(raster, classes, colours)


def _percent(shares: pd.Series) -> np.ndarray:
    """Turn shares into whole percent, 1–100, nodata where there is none."""
    percent = (shares.astype(float) * 100).round().clip(lower=1)
    return percent.fillna(NODATA).to_numpy().astype(np.uint8)


def describe_classes(raster: Raster, classes: Sequence[str], colours: Mapping[str, str]) -> Raster:
    """Name the bands and values of a land-cover map, and give the values their colours.

    Parameters
    ----------
    raster
        With the first two of `BANDS`, or all of them.
    classes
        Names of the values; the first is drawn as 1.
    colours
        Class to ``#rrggbb``.
    """
    values = {name: index + 1 for index, name in enumerate(classes)}
    return replace(
        raster,
        band_names=BANDS[: len(raster.pixels)],
        colour_table={
            value: (*ImageColor.getrgb(colours[name]), 255) for name, value in values.items()
        },
        tags={"CLASSES": ", ".join(f"{value} {name}" for name, value in values.items())},
    )


def polygons_of_tiles(tiles: pd.DataFrame) -> gpd.GeoDataFrame:
    """Tiles as polygons in longitude and latitude (OGC:CRS84), whatever their zones.

    Parameters
    ----------
    tiles
        ``epsg, xmin, ymin, xmax, ymax`` and columns to keep.
    """
    geometry = project_squares(tiles, "OGC:CRS84", pieces=1)
    return gpd.GeoDataFrame(tiles, geometry=geometry, crs="OGC:CRS84")
