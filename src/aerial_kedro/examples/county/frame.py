"""Grids of square pixels over the ground, and how large ones are painted and warped."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from affine import Affine
from joblib import Parallel, delayed
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.transform import array_bounds
from rasterio.warp import Resampling, reproject

CRS = "EPSG:26918"
NODATA = 0
Window = tuple[slice, slice]
"""Rows and columns of a grid."""


@dataclass(frozen=True)
class Frame:
    """A north-up grid of square pixels in `CRS`.

    Parameters
    ----------
    west, north
        Upper left corner in metres.
    step
        Side of a pixel in metres.
    rows, columns
        Size in pixels.
    """

    west: float
    north: float
    step: float
    rows: int
    columns: int

    @property
    def transform(self) -> Affine:
        """Maps (column, row) of a pixel's upper left corner to metres."""
        return Affine(self.step, 0, self.west, 0, -self.step, self.north)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north in metres."""
        west, south, east, north = array_bounds(self.rows, self.columns, self.transform)
        return west, south, east, north

    @property
    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Eastings of the columns' middles, and northings of the rows' from north to south."""
        across = np.arange(self.columns, dtype=np.float64) + 0.5
        down = np.arange(self.rows, dtype=np.float64) + 0.5
        return self.west + self.step * across, self.north - self.step * down

    def part(self, rows: slice, columns: slice) -> "Frame":
        """Cut a window out of the frame, given by its rows and columns."""
        return Frame(
            self.west + columns.start * self.step,
            self.north - rows.start * self.step,
            self.step,
            rows.stop - rows.start,
            columns.stop - columns.start,
        )

    def warp(
        self,
        pixels: NDArray[np.uint8],
        crs: str,
        step: float,
        resampling: Resampling,
        offset: float = 0.0,
    ) -> tuple[NDArray[np.uint8], Affine]:
        """Warp pixels of the frame into another CRS.

        Parameters
        ----------
        pixels
            Array of shape ``(bands, rows, columns)``, at least 1.
        crs
            Where to.
        step
            Side of the new pixels in metres.
        resampling
            How.
        offset
            What their edges are beyond multiples of ``step``, in metres.

        Returns
        -------
        pixels
            Array over the whole frame, at least 1; 0 in its corners, which are turned against the
            grid.
        transform
            Maps ``(column, row)`` of a pixel's upper left corner to metres.
        """
        to_crs = Transformer.from_crs(CRS, crs, always_xy=True)
        west, south, east, north = to_crs.transform_bounds(*self.bounds, densify_pts=21)
        left, top = step * np.floor(west / step) + offset, step * np.ceil(north / step) + offset
        size = int(np.ceil((top - south) / step)), int(np.ceil((east - left) / step))
        transform = Affine(step, 0, left, 0, -step, top)

        def warp(pixels: NDArray[np.uint8], resampling: Resampling) -> NDArray[np.uint8]:
            warped = np.zeros((len(pixels), *size), np.uint8)
            reproject(
                np.ascontiguousarray(pixels),
                warped,
                src_transform=self.transform,
                src_crs=CRS,
                dst_transform=transform,
                dst_crs=crs,
                resampling=resampling,
                num_threads=os.cpu_count(),
            )
            return warped

        # Told of no data, GDAL takes three times as long, and finds none but around the frame.
        # There alone is 0 left: a cubic may fall to it as well.
        inside = warp(np.ones((1, self.rows, self.columns), np.uint8), Resampling.nearest)
        warped = np.maximum(warp(pixels, resampling), inside)
        return warped, transform


def paint_in_tiles(
    paint: Callable[[Window], None], shape: tuple[int, int], tile: tuple[int, int]
) -> None:
    """Paint all pixels, some tiles at a time side by side.

    In threads: numpy lets others run while it calculates.

    Parameters
    ----------
    paint
        Paints the pixels of a window, and no others.
    shape
        How many rows and columns there are.
    tile
        Rows and columns of a tile, at most.

    Examples
    --------
    >>> painted = []
    >>> paint_in_tiles(painted.append, (700, 300), (512, 300))
    >>> sorted((rows.start, rows.stop, columns.stop) for rows, columns in painted)
    [(0, 512, 300), (512, 700, 300)]
    """
    tiles = product(parts(shape[0], tile[0]), parts(shape[1], tile[1]))
    Parallel(n_jobs=-1, prefer="threads")(delayed(paint)(window) for window in tiles)


def parts(length: int, longest: int) -> Iterator[slice]:
    """Divide rows or columns into parts of a length, the last may be shorter."""
    return (slice(start, min(start + longest, length)) for start in range(0, length, longest))


def grown(part: slice, length: int) -> slice:
    """Take one row or column more on each side, where there is one."""
    return slice(max(part.start - 1, 0), min(part.stop + 1, length))


def inside(part: slice, larger: slice) -> slice:
    """Say where rows or columns lie within more of them."""
    return slice(part.start - larger.start, part.stop - larger.start)
