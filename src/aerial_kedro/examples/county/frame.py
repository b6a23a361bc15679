"""Grids of square pixels over the ground, and how large ones are painted and warped."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from affine import Affine
from joblib import Parallel, delayed
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.transform import array_bounds
from rasterio.warp import Resampling, reproject

CRS = "EPSG:26918"
NODATA = 0
_STRIP_ROWS = 512


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
            Array of shape ``(bands, rows, columns)``; 0 is no data.
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
            Array over the whole frame; 0 in its corners, which are turned against the grid.
        transform
            Maps ``(column, row)`` of a pixel's upper left corner to metres.
        """
        to_crs = Transformer.from_crs(CRS, crs, always_xy=True)
        west, south, east, north = to_crs.transform_bounds(*self.bounds, densify_pts=21)
        left, top = step * np.floor(west / step) + offset, step * np.ceil(north / step) + offset
        size = int(np.ceil((top - south) / step)), int(np.ceil((east - left) / step))
        warped = np.zeros((len(pixels), *size), np.uint8)
        transform = Affine(step, 0, left, 0, -step, top)
        reproject(
            np.ascontiguousarray(pixels),
            warped,
            src_transform=self.transform,
            src_crs=CRS,
            dst_transform=transform,
            dst_crs=crs,
            src_nodata=NODATA,
            dst_nodata=NODATA,
            resampling=resampling,
        )
        return warped, transform


def paint_in_strips(paint: Callable[[slice], None], rows: int) -> None:
    """Paint all rows, some strips at a time side by side.

    In threads: numpy lets others run while it calculates, and strips are large.

    Parameters
    ----------
    paint
        Paints the rows of a slice, and no others.
    rows
        How many there are.

    Examples
    --------
    >>> painted = []
    >>> paint_in_strips(painted.append, 1_100)
    >>> sorted((strip.start, strip.stop) for strip in painted)
    [(0, 512), (512, 1024), (1024, 1100)]
    """
    strips = (slice(row, min(row + _STRIP_ROWS, rows)) for row in range(0, rows, _STRIP_ROWS))
    Parallel(n_jobs=-1, prefer="threads")(delayed(paint)(strip) for strip in strips)
