"""Labels of one's own on the cells of tiles that have labels of a land cover."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from aerial_kedro.cells.grid import pack, unpack
from aerial_kedro.tiles.workers import for_spark

_OWN = ["own_labels", "own_purity"]


def overrule_cells(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Put labels of one's own in the place of a land cover's (``mapInPandas``).

    Parameters
    ----------
    frames
        ``cell_labels, cell_purity`` by the land cover, null where it does not cover a tile, and
        ``own_labels, own_purity``, null where a tile has none; 49 bytes each.

    Yields
    ------
    pandas.DataFrame
        The frames without the last two.
    """
    for frame in frames:
        for position in np.flatnonzero(frame["own_labels"].notna()):
            row = frame.index[position]
            labels, purity = (unpack([frame.at[row, name]]).copy() for name in _OWN)
            taken = labels == 0
            if frame.at[row, "cell_labels"] is not None:
                for own, name in ((labels, "cell_labels"), (purity, "cell_purity")):
                    own[taken] = unpack([frame.at[row, name]])[taken]
            [frame.at[row, "cell_labels"]] = pack(labels)
            [frame.at[row, "cell_purity"]] = pack(purity)
        yield for_spark(frame.drop(columns=_OWN))
