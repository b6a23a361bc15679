"""Labels of cells by maps of known truth, as Spark's workers look them up."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from aerial_kedro.cells.grid import pack
from aerial_kedro.labels.cells import largest_class
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LandCoverRaster, cell_shares
from aerial_kedro.tiles.workers import kept_between_tasks


def label_cells(
    frames: Iterator[pd.DataFrame], maps: list[LandCoverRaster], table: LandCoverClasses
) -> Iterator[pd.DataFrame]:
    """Look up the classes of the cells of tiles, of those with a cell that the maps cover.

    Parameters
    ----------
    frames
        ``tile_id, block_id, unseen, epsg, xmin, ymin, xmax, ymax, year`` (``mapInPandas``).
    maps
        The maps.
    table
        Their own class table.

    Yields
    ------
    pandas.DataFrame
        ``tile_id, block_id, unseen, true``: 1 + position of each cell's largest class in the table
        in 49 bytes, 0 where nothing is known.
    """
    with kept_between_tasks():
        for frame in frames:
            labels, _ = largest_class(cell_shares(frame, maps, table))
            found = frame[["tile_id", "block_id", "unseen"]].assign(true=pack(labels))
            yield found.iloc[np.flatnonzero((labels > 0).any(axis=(1, 2)))]
