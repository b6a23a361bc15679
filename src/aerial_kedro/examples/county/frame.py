"""Grids of square pixels over the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """A north-up grid of square pixels.

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
        return (
            self.west,
            self.north - self.rows * self.step,
            self.west + self.columns * self.step,
            self.north,
        )

    @property
    def xs(self) -> NDArray[np.float64]:
        """Eastings of the pixel centres."""
        offsets = np.arange(self.columns, dtype=np.float64) + 0.5
        return self.west + self.step * offsets

    @property
    def ys(self) -> NDArray[np.float64]:
        """Northings of the pixel centres, from north to south."""
        offsets = np.arange(self.rows, dtype=np.float64) + 0.5
        return self.north - self.step * offsets

    def window(self, bounds: tuple[float, float, float, float]) -> tuple[slice, slice] | None:
        """Rows and columns of the pixels that touch some bounds; None if there are none."""
        west, south, east, north = bounds
        top = max(int(np.floor((self.north - north) / self.step)), 0)
        bottom = min(int(np.ceil((self.north - south) / self.step)), self.rows)
        left = max(int(np.floor((west - self.west) / self.step)), 0)
        right = min(int(np.ceil((east - self.west) / self.step)), self.columns)
        if top >= bottom or left >= right:
            return None
        return slice(top, bottom), slice(left, right)

    def part(self, rows: slice, columns: slice) -> Frame:
        """Cut a window out of the frame, given by its rows and columns."""
        return Frame(
            self.west + columns.start * self.step,
            self.north - rows.start * self.step,
            self.step,
            rows.stop - rows.start,
            columns.stop - columns.start,
        )
