"""Labels of one's own on the cells of tiles that have labels of a land cover."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from aerial_kedro.cells.grid import COUNT, pack, unpack
from aerial_kedro.tiles.workers import for_spark

_OWN = ["own_labels", "own_purity"]
_NOTHING = bytes(COUNT)


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
        own = frame["own_labels"].notna()
        both = frame.loc[own]
        found = {}
        taken = _cells(both["own_labels"]) > 0
        for name, other in zip(("cell_labels", "cell_purity"), _OWN, strict=True):
            values = np.where(taken, _cells(both[other]), _cells(both[name]))
            found[name] = frame[name].astype(object)
            found[name][own] = pd.Series(pack(values), both.index, dtype=object)
        yield for_spark(frame.drop(columns=_OWN).assign(**found))


def _cells(column: pd.Series) -> np.ndarray:
    """Values of cells ``(tiles, 7, 7)``, 0 where a tile has none."""
    return unpack([each if isinstance(each, bytes) else _NOTHING for each in column])
