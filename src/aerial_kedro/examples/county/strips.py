"""Large rasters, painted a strip of rows at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_STRIP_ROWS = 512


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
    starts = range(0, rows, _STRIP_ROWS)
    strips = [slice(start, min(start + _STRIP_ROWS, rows)) for start in starts]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for _ in pool.map(paint, strips):
            pass  # so that an error is raised here
