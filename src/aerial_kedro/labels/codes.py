"""Codes of a land cover under some tiles: reading them, and looking up their classes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rasterio
import shapely
from affine import Affine

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.scenes.addresses import gdal_path
from aerial_kedro.scenes.environment import reading_environment

LAND_COVER_ENDINGS = (".tif", ".tiff", ".img")
"""Endings of files of land cover, in small letters."""

# Tiles are looked up by neighbourhoods of this many land-cover pixels a side: those of a frame may
# lie in scenes far apart, and all the land cover between them would not fit into memory.
_NEIGHBOURHOOD = 2048


@dataclass(frozen=True)
class LandCoverWindow:
    """The part of a land-cover raster under some tiles.

    Parameters
    ----------
    codes
        The codes, float64, ``(rows, cols)``; masked where there is no land cover.
    transform
        From column and row of this part to the raster's CRS.
    bounds
        ``(left, bottom, right, top)`` in the raster's CRS.
    crs
        Its CRS as WKT.
    href
        Address of the raster, for messages.
    """

    codes: np.ma.MaskedArray
    transform: Affine
    bounds: tuple[float, float, float, float]
    crs: str
    href: str

    def class_positions(self, classes: LandCoverClasses) -> np.ndarray:
        """Look up each pixel's class.

        Returns
        -------
        numpy.ndarray
            Position in `LandCoverClasses.names`, int16, ``(rows, cols)``; their number where there
            is no land cover, and one more where the table does not know the code.
        """
        nothing = len(classes.names)
        lookup = {code: classes.names.index(name) for code, name in classes.class_of_code.items()}
        lookup |= dict.fromkeys(classes.background, nothing)
        # Infinity is no code: every code has a place before it.
        known = np.array([*sorted(lookup), np.inf])
        positions = np.array([*(lookup[code] for code in sorted(lookup)), 0], dtype=np.int16)
        codes = self.codes.filled(0)
        at = np.searchsorted(known, codes)
        found = np.where(known[at] == codes, positions[at], np.int16(nothing + 1))
        found[np.ma.getmaskarray(self.codes)] = nothing
        return found


def read_windows(href: str, polygons: np.ndarray) -> Iterator[tuple[np.ndarray, LandCoverWindow]]:
    """Read the land cover under some tiles, one neighbourhood after another.

    Parameters
    ----------
    href
        Address of the raster.
    polygons
        The tiles in the raster's CRS, ``(tiles,)``; all of them touch it.

    Yields
    ------
    tuple
        Positions of the tiles of a neighbourhood, and the land cover under them with a pixel to
        spare on each side.

    Raises
    ------
    AerialError
        If the raster cannot be read.
    """
    try:
        with reading_environment():
            opened = rasterio.open(gdal_path(href), driver=driver_of(href))
        with opened as dataset:
            for chosen in _neighbourhoods(dataset, polygons):
                # Left again before others run: contexts of rasterio end in the order they began.
                with reading_environment():
                    window = _read_window(dataset, shapely.total_bounds(polygons[chosen]), href)
                yield chosen, window
    except rasterio.errors.RasterioError as error:
        raise AerialError(
            f"The land cover {href} cannot be read ({error.__cause__ or error}). Replace it with "
            "a whole file."
        ) from error


def driver_of(href: str) -> str:
    """Name GDAL's driver for a file of land cover: NLCD was long published as Erdas Imagine."""
    return "HFA" if href.lower().endswith(".img") else "GTiff"


def unknown_code(code: float, href: str) -> AerialError:
    """Make the error of a code that the class table does not know."""
    return AerialError(
        f"The land cover {href} holds the code {code:g}, which is not in the class "
        "table. Add it to a class or to the background in the parameter `land_cover`."
    )


def _neighbourhoods(dataset: rasterio.DatasetReader, polygons: np.ndarray) -> list[np.ndarray]:
    """Positions of the polygons, grouped by neighbourhood."""
    centres = shapely.centroid(polygons)
    cols, rows = ~dataset.transform @ (shapely.get_x(centres), shapely.get_y(centres))
    cells = np.floor(np.stack([rows, cols], axis=1) / _NEIGHBOURHOOD)
    _, group = np.unique(cells, axis=0, return_inverse=True)
    return [np.flatnonzero(group == each) for each in range(group.max() + 1)]


def _read_window(dataset: rasterio.DatasetReader, bounds: np.ndarray, href: str) -> LandCoverWindow:
    window = dataset.window(*bounds)
    row_start = max(int(np.floor(window.row_off)) - 1, 0)
    col_start = max(int(np.floor(window.col_off)) - 1, 0)
    row_stop = min(int(np.ceil(window.row_off + window.height)) + 1, dataset.height)
    col_stop = min(int(np.ceil(window.col_off + window.width)) + 1, dataset.width)
    part = rasterio.windows.Window.from_slices((row_start, row_stop), (col_start, col_stop))
    codes = dataset.read(1, window=part).astype(np.float64)
    # Empty pixels of float rasters are huge negative numbers or NaN, with or without a tag.
    valid = np.isfinite(codes) & (codes >= 0)
    if dataset.nodata is not None:
        valid &= codes != dataset.nodata
    return LandCoverWindow(
        codes=np.ma.masked_array(codes, mask=~valid),
        transform=dataset.window_transform(part),
        bounds=dataset.window_bounds(part),
        crs=dataset.crs.to_wkt(),
        href=href,
    )
