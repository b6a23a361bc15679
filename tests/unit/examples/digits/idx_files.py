"""idx files made for tests."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.digits.files import ROLES, DigitFiles, Role, read_file, spellings


def idx(values: NDArray[np.uint8]) -> bytes:
    """Write an array as the format describes it."""
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.tobytes()


def draw_digits(count: int, *, seed: int = 0, side: int = 8) -> dict[str, NDArray[np.uint8]]:
    """Images that a straight line can tell apart: the digit's own row and column are inked."""
    labels = np.arange(count, dtype=np.uint8) % 10
    images = np.random.default_rng(seed).integers(0, 60, (count, side, side), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[int(label) % side, : 4 + int(label) // side] = 255
    return {"images": images, "labels": labels}


def four_files(train: int = 40, test: int = 20, *, packed: bool = True) -> dict[Role, bytes]:
    """Four files that belong together."""
    pack = partial(gzip.compress, mtime=0) if packed else bytes
    sets = {"train": draw_digits(train), "test": draw_digits(test, seed=1)}
    return {role: pack(idx(sets[role.split("_")[0]][role.split("_")[1]])) for role in ROLES}


def as_found(content: Mapping[Role, bytes]) -> DigitFiles:
    """The files as the dataset hands them to the node."""
    return DigitFiles(
        "/digits",
        {role: read_file(role, spellings(role)[0], each) for role, each in content.items()},
    )
