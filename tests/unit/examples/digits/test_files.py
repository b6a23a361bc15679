"""Files in the idx format: what is written is read, and what is damaged is named."""

from __future__ import annotations

import contextlib
import gzip
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits.files import Role, read_file
from tests.unit.examples.digits.idx_files import draw_digits, idx

IMAGES = arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=6))
LABELS = arrays(np.uint8, st.integers(1, 30), elements=st.integers(0, 9))
STARTS = [b"", b"\0\0\x08", b"\0\0\x08\3\0\0\0\1", b"\x1f\x8b"]


@given(IMAGES, st.booleans())
def test_images_come_back_as_they_were(images: NDArray[np.uint8], packed: bool) -> None:
    data = gzip.compress(idx(images)) if packed else idx(images)
    np.testing.assert_array_equal(read_file("train_images", "images", data).values, images)


@given(LABELS, st.booleans())
def test_labels_come_back_as_they_were(labels: NDArray[np.uint8], packed: bool) -> None:
    data = gzip.compress(idx(labels)) if packed else idx(labels)
    np.testing.assert_array_equal(read_file("test_labels", "labels", data).values, labels)


@given(IMAGES, st.booleans(), st.data())
def test_a_file_cut_anywhere_is_named(
    images: NDArray[np.uint8], packed: bool, data: st.DataObject
) -> None:
    whole = gzip.compress(idx(images)) if packed else idx(images)
    kept = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(AerialError, match=r"train-images .*Get it again, or put the original"):
        read_file("train_images", "train-images", whole[:kept])


@pytest.mark.parametrize("role", ["train_images", "train_labels"])
@given(
    st.binary(max_size=60), st.sampled_from([b"", b"\0\0\x08", b"\0\0\x08\3\0\0\0\1", b"\x1f\x8b"])
)
def test_no_bytes_end_in_another_error(role: Role, data: bytes, start: bytes) -> None:
    with contextlib.suppress(AerialError):
        read_file(role, "some file", start + data)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"\x89PNG\r\n\x1a\n", "begins with 89 50 4e 47"),
        (b"\0\0\x0d\x03" + bytes(16), "begins with 00 00 0d 03"),  # of floats
        (struct.pack(">4B4I", 0, 0, 13, 3, 1, 1, 1, 0), "uint8 instead of torch.float32"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 0, 28, 28), "16 bytes) minus 1"),  # nothing follows
        (struct.pack(">4B4I", 0, 0, 8, 3, 2**31, 28, 28, 0), "[2147483648, 28, 28]"),
        (idx(np.zeros((2, 3, 3), np.uint8))[:-4], "'[2, 3, 3]' is invalid for input of size 14"),
        (idx(np.zeros((2, 3, 3), np.uint8)) + b"\0", "'[2, 3, 3]' is invalid for input of size 19"),
        (idx(np.zeros((3, 3), np.uint8)), "should have 3 dimension instead of 2"),
        (idx(draw_digits(20)["labels"]), "holds labels, not images"),
    ],
)
def test_what_is_wrong_with_a_file_of_images_is_said(content: bytes, message: str) -> None:
    with pytest.raises(AerialError, match=re.escape(message)) as error:
        read_file("train_images", "train-images.gz", content)
    assert "train-images.gz cannot be read as images of digits" in str(error.value)
    assert "Get it again, or put the original in its place" in str(error.value)


def test_images_in_the_place_of_labels_are_named() -> None:
    with pytest.raises(AerialError, match=r"t10k-labels cannot be .*; it holds images, not labels"):
        read_file("test_labels", "t10k-labels", idx(draw_digits(20)["images"]))


def test_a_label_that_is_no_digit_is_named() -> None:
    with pytest.raises(AerialError, match=r"labels cannot be read .*; the label 17 is no digit"):
        read_file("test_labels", "labels", idx(np.array([3, 17], np.uint8)))


def test_a_packed_file_with_a_wrong_sum_is_refused() -> None:
    packed = bytearray(gzip.compress(idx(draw_digits(20)["images"])))
    packed[-6] ^= 1  # of the checksum
    with pytest.raises(AerialError, match=r"images cannot be read .*; CRC check failed"):
        read_file("train_images", "images", bytes(packed))


def test_a_small_file_that_unpacks_to_a_large_one_is_not_unpacked() -> None:
    """What goes beyond any file of digits is not taken into memory."""
    bomb = gzip.compress(idx(np.zeros((1, 4, 4), np.uint8)) + bytes(200_000_000), 1)
    with pytest.raises(AerialError, match="it has more than 200,000,000 bytes"):
        read_file("train_images", "images", bomb)
