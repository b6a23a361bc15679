"""The digits: where they come from, whether they are what they claim, and a record of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from sklearn.model_selection import train_test_split

from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits import mnist
from aerial_kedro.examples.digits.idx import read_images, read_labels, unpack
from aerial_kedro.examples.digits.mnist import FILES, Role

_FEWEST = 20
_EMBEDDED_INK = 16
_INK = 255


@dataclass(frozen=True)
class Digits:
    """Images of digits with their labels, divided.

    Parameters
    ----------
    train_images, test_images
        ``(n, rows, columns)`` uint8, 0 is paper and 255 is ink.
    train_labels, test_labels
        ``(n,)`` uint8 from 0 to 9.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        return self.train_images.shape[1], self.train_images.shape[2]


@dataclass(frozen=True)
class DigitFile:
    """A file as it was found: its name, and its bytes, packed or not."""

    name: str
    content: bytes


@dataclass(frozen=True)
class DigitFiles:
    """The four files of a folder.

    Parameters
    ----------
    source
        The folder, or the address.
    files
        What each of the four holds.
    """

    source: str
    files: Mapping[Role, DigitFile]


@dataclass(frozen=True)
class EmbeddedDigits:
    """scikit-learn's own digits: ``(n, 8, 8)`` from 0 to 16, and ``(n,)`` labels."""

    images: NDArray[np.float64]
    labels: NDArray[np.int64]


class FileRecord(BaseModel):
    """A file that a dataset was read from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    size_bytes: int
    sha256: str


class DatasetRecord(BaseModel):
    """What a run must tell of its data, so that another run can be known to have used the same.

    Parameters
    ----------
    name, description
        For a reader.
    version
        Of the content: the same for the same images, labels and division, in whatever files.
    source
        Where it was read from.
    kind
        Whose digits they are.
    train, test
        How many images.
    rows, columns
        Of an image.
    files
        Empty for digits that come with a package.
    licence
        What is known of it, in this project's words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str
    version: str
    source: str
    kind: Literal["mnist", "own", "embedded"]
    train: int
    test: int
    rows: int
    columns: int
    files: list[FileRecord]
    licence: str


def digits_of_files(found: DigitFiles, *, check_hashes: bool) -> tuple[Digits, DatasetRecord]:
    """Read the four files and check that they belong together.

    Parameters
    ----------
    found
        The files.
    check_hashes
        Whether they must be MNIST's.

    Raises
    ------
    AerialError
        Naming the file that is damaged, misplaced or not the published one, and the remedy.
    """
    digits = Digits(
        **{
            role: (read_images if FILES[role].is_images else read_labels)(file.name, file.content)
            for role, file in found.files.items()
        }
    )
    _check_pairs(digits, found)
    if check_hashes:
        for role, file in found.files.items():
            mnist.check_count(role, file.name, len(getattr(digits, role)))
        for role, file in found.files.items():
            check_file(role, file)
    is_mnist = all(_is_published(role, file) for role, file in found.files.items())
    return digits, _record(
        digits,
        kind="mnist" if is_mnist else "own",
        source=found.source,
        files=[
            FileRecord(name=file.name, size_bytes=len(file.content), sha256=_sha256(file.content))
            for file in found.files.values()
        ],
    )


def digits_of_package(
    found: EmbeddedDigits, *, test_share: float, seed: int
) -> tuple[Digits, DatasetRecord]:
    """Divide scikit-learn's digits, every digit in the same shares, and bring them to 0–255."""
    images = np.rint(found.images * (_INK / _EMBEDDED_INK)).astype(np.uint8)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images,
        found.labels.astype(np.uint8),
        test_size=test_share,
        random_state=seed,
        stratify=found.labels,
    )
    digits = Digits(train_images, train_labels, test_images, test_labels)
    return digits, _record(digits, kind="embedded", source="scikit-learn: load_digits", files=[])


def check_file(role: Role, file: DigitFile) -> None:
    """Compare a file with the published one.

    A file packed anew has another hash and the same content, so the content decides.

    Raises
    ------
    AerialError
        With both hashes.
    """
    if not _is_published(role, file):
        raise AerialError(
            f"{file.name} is not MNIST's file: the sha256 of its content is "
            f"{_sha256(unpack(file.name, file.content))}, that of the published one "
            f"{FILES[role].content_sha256}. Get the original again, or, if these are other digits "
            "in the same format, say so with --params=digits.check_hashes=false."
        )


def _is_published(role: Role, file: DigitFile) -> bool:
    return (
        _sha256(file.content) == FILES[role].packed_sha256
        or _sha256(unpack(file.name, file.content)) == FILES[role].content_sha256
    )


def _check_pairs(digits: Digits, found: DigitFiles) -> None:
    splits: tuple[tuple[Role, Role], ...] = (
        ("train_images", "train_labels"),
        ("test_images", "test_labels"),
    )
    for images, labels in splits:
        counts = len(getattr(digits, images)), len(getattr(digits, labels))
        if counts[0] != counts[1]:
            raise AerialError(
                f"{found.files[images].name} holds {counts[0]:,} images, but "
                f"{found.files[labels].name} {counts[1]:,} labels: they do not belong together. "
                "Put the two files of one set side by side."
            )
    if digits.train_images.shape[1:] != digits.test_images.shape[1:]:
        sizes = [
            f"{rows} × {columns}"
            for _, rows, columns in (digits.train_images.shape, digits.test_images.shape)
        ]
        raise AerialError(
            f"The images of {found.files['train_images'].name} have {sizes[0]} pixels, those of "
            f"{found.files['test_images'].name} {sizes[1]}: give files of one set."
        )
    if min(digits.shape) < 4:  # noqa: PLR2004
        raise AerialError(
            f"The images of {found.files['train_images'].name} have only {digits.shape[0]} × "
            f"{digits.shape[1]} pixels: no digit can be told. Give larger ones."
        )
    if len(digits.train_images) < _FEWEST or len(np.unique(digits.train_labels)) < 2:  # noqa: PLR2004
        raise AerialError(
            f"{found.files['train_labels'].name} is too little to learn from: at least {_FEWEST} "
            "images and two different digits are needed. Give more."
        )


def _record(
    digits: Digits,
    *,
    kind: Literal["mnist", "own", "embedded"],
    source: str,
    files: list[FileRecord],
) -> DatasetRecord:
    about = mnist.ABOUT[kind]
    return DatasetRecord(
        name=about.name,
        description=about.description,
        version=_version(digits),
        source=source,
        kind=kind,
        train=len(digits.train_images),
        test=len(digits.test_images),
        rows=digits.shape[0],
        columns=digits.shape[1],
        files=files,
        licence=about.licence,
    )


def _version(digits: Digits) -> str:
    """Hash shapes and values of the four arrays."""
    found = hashlib.sha256()
    for role in FILES:
        values = getattr(digits, role)
        found.update(f"{role}{values.shape}".encode())
        found.update(np.ascontiguousarray(values).data)
    return found.hexdigest()[:16]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
