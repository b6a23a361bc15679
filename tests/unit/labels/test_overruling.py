import numpy as np
import pandas as pd

from aerial_kedro.cells.grid import pack, unpack
from aerial_kedro.labels.overruling import overrule_cells


def cells(*values: int) -> bytes:
    """Cells of a tile: those given first, 0 in the others."""
    tile = np.zeros(49, np.uint8)
    tile[: len(values)] = values
    return pack(tile.reshape(1, 7, 7))[0]


def overrule(**row: bytes | None) -> list[list[int]]:
    frame = pd.DataFrame([row], dtype=object)
    [found] = overrule_cells(iter([frame]))
    assert list(found.columns) == ["cell_labels", "cell_purity"]
    return [unpack([found[name].iloc[0]]).ravel()[:3].tolist() for name in found.columns]


def test_ones_own_label_counts_where_there_is_one() -> None:
    labels, purity = overrule(
        cell_labels=cells(2, 3, 0), cell_purity=cells(60, 70, 0),
        own_labels=cells(0, 5, 4), own_purity=cells(0, 100, 90),
    )  # fmt: skip
    assert labels == [2, 5, 4]
    assert purity == [60, 100, 90]


def test_it_counts_where_the_land_cover_does_not_reach() -> None:
    labels, _ = overrule(
        cell_labels=None, cell_purity=None, own_labels=cells(0, 5), own_purity=cells(0, 100)
    )
    assert labels == [0, 5, 0]


def test_tiles_without_labels_of_ones_own_stay_as_they_are() -> None:
    labels, purity = overrule(
        cell_labels=cells(2, 3), cell_purity=cells(60, 70), own_labels=None, own_purity=None
    )
    assert (labels, purity) == ([2, 3, 0], [60, 70, 0])
