"""The idx format of the MNIST files: a header of big-endian numbers, then one byte a value.

The format is described with the data set (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of
handwritten digits"): two zero bytes, the type of the values (8 for unsigned bytes), the number of
dimensions, four bytes for the length of each, the values with the last dimension changing fastest.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.errors import AerialError

_GZIP = b"\x1f\x8b"
_UNSIGNED_BYTE = 8
_LARGEST = 2**31
"""Bytes of values. A header that announces more is damaged: MNIST's largest file has 47 MB."""
_KINDS = {1: "labels", 3: "images"}
DIGITS = 10


def read_images(name: str, data: bytes) -> NDArray[np.uint8]:
    """Read a file of images.

    Parameters
    ----------
    name
        Of the file, for messages.
    data
        Its bytes, packed by gzip or not.

    Returns
    -------
    numpy.ndarray
        ``(n, rows, columns)`` uint8, 0 is paper and 255 is ink.

    Raises
    ------
    AerialError
        If it is no idx file of images, is cut short, or holds nothing.
    """
    return _read(name, data, "images", dimensions=3)


def read_labels(name: str, data: bytes) -> NDArray[np.uint8]:
    """Read a file of labels.

    Parameters
    ----------
    name, data
        As for :func:`read_images`.

    Returns
    -------
    numpy.ndarray
        ``(n,)`` uint8 from 0 to 9.

    Raises
    ------
    AerialError
        If it is no idx file of labels, is cut short, holds nothing, or a label is no digit.
    """
    labels = _read(name, data, "labels", dimensions=1)
    if labels.max() >= DIGITS:
        raise AerialError(
            f"{name} holds the label {labels.max()}, which is no digit. Only files labelled 0 to 9 "
            "are read here."
        )
    return labels


def unpack(name: str, data: bytes) -> bytes:
    """Unpack a file if gzip has packed it, after a look at its header.

    Raises
    ------
    AerialError
        If it is no idx file, or cannot be unpacked.
    """
    with _opened(data) as file:
        try:
            start, shape = _header(name, file)
            # One byte more than announced, to see that it ends there; gzip then checks its sum.
            return start + file.read(math.prod(shape) + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise AerialError(
                f"{name} cannot be unpacked, it is cut short or damaged ({error}). Get it again."
            ) from error


def _opened(data: bytes) -> BinaryIO:
    plain = io.BytesIO(data)
    return cast("BinaryIO", gzip.GzipFile(fileobj=plain)) if data[:2] == _GZIP else plain


def _header(name: str, file: BinaryIO) -> tuple[bytes, tuple[int, ...]]:
    """Read the header: its bytes, and the lengths that it announces."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != _UNSIGNED_BYTE or not magic[3]:  # noqa: PLR2004
        raise AerialError(
            f"{name} is no idx file of images or labels: it begins with "
            f"{magic.hex(' ') or 'nothing'}, not with 00 00 08. Put the original file in its "
            "place, as it is or packed by gzip."
        )
    lengths = file.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        raise AerialError(f"{name} ends within its header: it is cut short. Get it again.")
    shape = struct.unpack(f">{magic[3]}I", lengths)
    if math.prod(shape) > _LARGEST:
        raise AerialError(
            f"The header of {name} announces {' × '.join(map(str, shape))} values, more than "
            "any file of digits has: it is damaged. Get it again."
        )
    return magic + lengths, shape


def _read(name: str, data: bytes, kind: str, dimensions: int) -> NDArray[np.uint8]:
    plain = unpack(name, data)
    start, shape = _header(name, io.BytesIO(plain))
    if len(shape) != dimensions:
        found = _KINDS.get(len(shape), f"arrays of {len(shape)} dimensions")
        raise AerialError(
            f"{name} holds {found}, not {kind}: it lies under another file's name. Put the file of "
            f"{kind} in its place."
        )
    values = plain[len(start) :]
    if len(values) != math.prod(shape):
        problem = (
            f"holds {len(values):,} of the {math.prod(shape):,} values"
            if len(values) < math.prod(shape)
            else f"goes on after the {math.prod(shape):,} values"
        )
        raise AerialError(
            f"{name} {problem} that its header announces: it is damaged. Get it again."
        )
    if not len(values):
        raise AerialError(f"{name} holds no {kind}. Put a file with some in its place.")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)
