"""The four files of MNIST, or of other digits in its format, read by torchvision."""

from __future__ import annotations

import gzip
import hashlib
import io
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.errors import AerialError

DIGITS = 10
LARGEST = 200_000_000
"""Bytes of a file, packed or not: MNIST's largest has 47 million."""
# What torchvision and gzip raise; both name neither file nor remedy.
_DAMAGE = (
    *(AssertionError, EOFError, KeyError, OSError, OverflowError),
    *(RuntimeError, TypeError, ValueError, zlib.error),
)

Role = Literal["train_images", "train_labels", "test_images", "test_labels"]
ROLES: tuple[Role, ...] = get_args(Role)
MNIST_SHA256: dict[Role, str] = {
    "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Hashes of the unpacked files: one that is packed anew has another hash and the same content."""
_HOLDS = {b"\0\0\x08\1": "labels", b"\0\0\x08\3": "images"}
_MNIST_COUNT = {"train": 60_000, "test": 10_000}


@dataclass(frozen=True)
class DigitFile:
    """A file as it was found, and what is in it.

    Parameters
    ----------
    name
        Name of the file.
    content
        Its bytes, packed by gzip or not.
    unpacked_sha256
        Hash of the unpacked bytes.
    values
        ``(n, rows, columns)`` images, 0 is paper and 255 is ink, or ``(n,)`` labels from 0 to 9;
        uint8.
    """

    name: str
    content: bytes
    unpacked_sha256: str
    values: NDArray[np.uint8]


@dataclass(frozen=True)
class DigitFiles:
    """The four files, and the folder or address that they come from."""

    source: str
    files: Mapping[Role, DigitFile]


def spellings(role: Role) -> tuple[str, ...]:
    """Names that one of the files goes by: packed and not, and as some programs unpack it.

    Examples
    --------
    >>> spellings("test_labels")[:2]
    ('t10k-labels-idx1-ubyte.gz', 't10k-labels-idx1-ubyte')
    """
    name = role.replace("test", "t10k").replace("_", "-")
    ending = f"idx{3 if role.endswith('images') else 1}-ubyte"
    return (f"{name}-{ending}.gz", f"{name}-{ending}", f"{name}.{ending}.gz", f"{name}.{ending}")


def read_file(role: Role, name: str, content: bytes) -> DigitFile:
    """Read what is in a file.

    Parameters
    ----------
    role
        Which of the four it is meant to be.
    name
        Name of the file, for the message.
    content
        Its bytes, packed by gzip or not.

    Raises
    ------
    AerialError
        If it is no idx file, is cut short, damaged or far too large, holds nothing, labels instead
        of images or images instead of labels, or a label that is no digit.
    """
    # torch takes seconds to import, and every `kedro run` imports this module.
    from torchvision.datasets.mnist import read_image_file, read_label_file  # noqa: PLC0415

    kind = role.split("_")[1]
    read = read_image_file if kind == "images" else read_label_file
    try:
        plain = _unpack(content)
        found = _HOLDS.get(plain[:4], kind)
        if found != kind:
            raise ValueError(f"it holds {found}, not {kind}")
        with tempfile.NamedTemporaryFile() as file:
            file.write(plain)
            file.flush()
            values = read(file.name).numpy()
        if kind == "labels" and values.max() >= DIGITS:
            raise ValueError(f"the label {values.max()} is no digit")
    except _DAMAGE as error:
        start, reason = content[:4].hex(" ") or "nothing", str(error) or "another format"
        raise AerialError(
            f"{name} cannot be read as {kind} of digits: it is cut short, damaged or another file "
            f"under this name (it begins with {start}; {reason}). Get it again, or put the "
            "original in its place, as it is or packed by gzip."
        ) from error
    return DigitFile(name, content, hashlib.sha256(plain).hexdigest(), values.astype(np.uint8))


def check_file(role: Role, file: DigitFile) -> None:
    """Refuse a file whose content is not that of MNIST's.

    Raises
    ------
    AerialError
        With both hashes, the numbers of images, and the name of the file that it is instead.
    """
    if file.unpacked_sha256 == MNIST_SHA256[role]:
        return
    split, kind = role.split("_")
    count, expected = len(file.values), _MNIST_COUNT[split]
    counts = f"it holds {count:,} {kind}, MNIST's has {expected:,}; " if count != expected else ""
    names = [spellings(each)[1] for each in ROLES if MNIST_SHA256[each] == file.unpacked_sha256]
    hint = f"It is {names[0]} under another name. " if names else ""
    raise AerialError(
        f"{file.name} is not MNIST's file: {counts}the sha256 of its content is "
        f"{file.unpacked_sha256}, that of MNIST's {MNIST_SHA256[role]}. {hint}Put the original in "
        "its place, or, if these are other digits in the same format, say so with "
        "--params=digits.check_hashes=false."
    )


def _unpack(content: bytes) -> bytes:
    plain = content
    if content[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(content)) as packed:
            plain = packed.read(LARGEST + 1)
    if len(plain) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    return plain
