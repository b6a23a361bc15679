"""Grids of square pixels over the ground, and how large ones are painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from affine import Affine
from joblib import Parallel, delayed
from numpy.typing import NDArray

_STRIP_ROWS = 512


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

    def part(self, rows: slice, columns: slice) -> Frame:
        """Cut a window out of the frame, given by its rows and columns."""
        return Frame(
            self.west + columns.start * self.step,
            self.north - rows.start * self.step,
            self.step,
            rows.stop - rows.start,
            columns.stop - columns.start,
        )


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
