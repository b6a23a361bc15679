"""What cells are called."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.cells.grid import COUNT
from aerial_kedro.cells.places import name_cells_of_tiles, split_cell_ids


@given(cells=st.lists(st.tuples(st.text("ab#_0", min_size=1), st.integers(0, COUNT - 1))))
def test_names_are_taken_apart_as_they_were_made(cells: list[tuple[str, int]]) -> None:
    tiles = np.array([tile for tile, _ in cells], dtype=object)
    names = name_cells_of_tiles(tiles, np.array([number for _, number in cells], dtype=int))
    found = split_cell_ids(names)
    assert list(zip(*(each.tolist() for each in found), strict=True)) == cells


@pytest.mark.parametrize("name", ["tile", "#07", "tile#7", "tile#49", "tile#07 "])
def test_what_is_no_name_of_a_cell_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is named <tile_id>#<number>, .* from 00 to 48"):
        split_cell_ids(["tile#00", name])
