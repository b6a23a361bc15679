"""Values of cells survive their way through a column of bytes, in the order of the grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aerial_kedro.cells.grid import COUNT, SIDE, pack, unpack


@given(arrays(np.int8, st.tuples(st.integers(1, 4), st.just(7), st.just(7), st.integers(2, 5))))
def test_what_was_packed_comes_out(cells: np.ndarray) -> None:
    np.testing.assert_array_equal(unpack(pack(cells), np.int8), cells)


def test_one_channel_has_no_axis_of_its_own() -> None:
    cells = np.arange(2 * COUNT, dtype=np.uint8).reshape(2, SIDE, SIDE)
    np.testing.assert_array_equal(unpack(pack(cells)), cells)
    assert pack(cells)[0][:SIDE] == bytes(range(SIDE))  # the northernmost row comes first


def test_tiles_of_different_channels_are_not_mixed() -> None:
    few, many = np.zeros((1, 7, 7, 6), np.uint8), np.zeros((1, 7, 7, 10), np.uint8)
    with pytest.raises(ValueError, match="one kind"):
        unpack([*pack(few), *pack(many)])
    with pytest.raises(ValueError, match="one kind"):
        unpack([b""])


def test_only_bytes_are_packed() -> None:
    with pytest.raises(ValueError, match="one byte"):
        pack(np.zeros((1, 7, 7)))
    with pytest.raises(ValueError, match="one byte"):
        pack(np.zeros((1, 8, 7), np.uint8))
