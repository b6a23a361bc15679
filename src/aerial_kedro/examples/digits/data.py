"""The digits as arrays, whatever files they come from, and a record of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from sklearn.model_selection import train_test_split

from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits.files import MNIST_SHA256, ROLES, DigitFiles, Role, check_file

BLACK = 255
"""A pixel full of ink; paper is 0."""
_EMBEDDED_INK = 16
_FEWEST = 20
_SMALLEST_SIDE = 4

Kind = Literal["mnist", "own", "embedded"]

# Name, description and licence of each kind of digits.
_ABOUT: dict[Kind, tuple[str, str, str]] = {
    "mnist": (
        "MNIST",
        "Handwritten digits of Census Bureau employees and high-school students, scanned in black "
        "and white, brought to one size and centred, in grey. The writers of the test images "
        "wrote none of the training images.",
        "Made by Y. LeCun, C. Cortes and C. Burges from two collections of the US government's "
        "institute of standards (NIST SD-1 and SD-3). Their page names no licence; mirrors "
        "commonly say CC BY-SA 3.0. The files are not part of this project.",
    ),
    "embedded": (
        "scikit-learn's digits",
        "Small handwritten digits of 13 persons, from forms scanned at the university of "
        "Boğaziçi. They come undivided and are split here, every digit in the same shares; so the "
        "same hand may have written training and test images.",
        "The test part of E. Alpaydin and C. Kaynak's optical recognition of handwritten digits "
        "(UCI machine learning repository, CC BY 4.0), as it comes with scikit-learn.",
    ),
    "own": (
        "digits of one's own",
        "Digits in MNIST's format that are not MNIST's, taken as they are.",
        "Not known to this project.",
    ),
}


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
    """What a run records of its data, so that another run can be known to have used the same.

    Parameters
    ----------
    name, description
        Name and description for a reader.
    version
        Hash of the content: the same for the same images, labels and division, in whatever files.
    source
        Where the digits were read from.
    kind
        Whose digits they are.
    train, test
        Numbers of images.
    rows, columns
        Size of an image in pixels.
    files
        The files; empty for digits that come with a package.
    licence
        What is known of the licence, in this project's words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str
    version: str
    source: str
    kind: Kind
    train: int
    test: int
    rows: int
    columns: int
    files: list[FileRecord]
    licence: str


def digits_of_files(found: DigitFiles, *, check_hashes: bool) -> tuple[Digits, DatasetRecord]:
    """Put the four files together and check that they belong together.

    Parameters
    ----------
    found
        The files.
    check_hashes
        Whether they must be MNIST's.

    Raises
    ------
    AerialError
        Naming the file that is misplaced or not the published one, and the remedy.
    """
    digits = Digits(**{role: file.values for role, file in found.files.items()})
    _check_pairs(digits, {role: file.name for role, file in found.files.items()})
    if check_hashes:
        for role, file in found.files.items():
            check_file(role, file)
    is_mnist = all(MNIST_SHA256[role] == file.unpacked_sha256 for role, file in found.files.items())
    records = [
        FileRecord(name=file.name, size_bytes=len(file.content), sha256=_sha256(file.content))
        for file in found.files.values()
    ]
    return digits, _record(digits, "mnist" if is_mnist else "own", found.source, records)


def digits_of_package(
    found: EmbeddedDigits, *, test_share: float, seed: int
) -> tuple[Digits, DatasetRecord]:
    """Divide scikit-learn's digits, every digit in the same shares, and bring them to 0–255."""
    images = np.rint(found.images * (BLACK / _EMBEDDED_INK)).astype(np.uint8)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images,
        found.labels.astype(np.uint8),
        test_size=test_share,
        random_state=seed,
        stratify=found.labels,
    )
    digits = Digits(train_images, train_labels, test_images, test_labels)
    return digits, _record(digits, "embedded", "scikit-learn: load_digits", [])


def _check_pairs(digits: Digits, names: dict[Role, str]) -> None:
    pairs: tuple[tuple[Role, Role], ...] = (
        ("train_images", "train_labels"),
        ("test_images", "test_labels"),
    )
    for images, labels in pairs:
        counts = len(getattr(digits, images)), len(getattr(digits, labels))
        if counts[0] != counts[1]:
            raise AerialError(
                f"{names[images]} holds {counts[0]:,} images, but {names[labels]} {counts[1]:,} "
                "labels: they do not belong together. Put the two files of one set side by side."
            )
    train, test = (
        f"{rows} × {columns}"
        for _, rows, columns in (digits.train_images.shape, digits.test_images.shape)
    )
    if train != test:
        raise AerialError(
            f"The images of {names['train_images']} have {train} pixels, those of "
            f"{names['test_images']} {test}: give files of one set."
        )
    if min(digits.shape) < _SMALLEST_SIDE:
        raise AerialError(
            f"The images of {names['train_images']} have only {train} pixels, too few to show a "
            "digit. Give larger ones."
        )
    if len(digits.train_images) < _FEWEST or len(np.unique(digits.train_labels)) < 2:  # noqa: PLR2004
        raise AerialError(
            f"{names['train_labels']} is too little to learn from: at least {_FEWEST} images and "
            "two different digits are needed. Give more."
        )


def _record(digits: Digits, kind: Kind, source: str, files: list[FileRecord]) -> DatasetRecord:
    name, description, licence = _ABOUT[kind]
    return DatasetRecord(
        name=name,
        description=description,
        version=_version(digits),
        source=source,
        kind=kind,
        train=len(digits.train_images),
        test=len(digits.test_images),
        rows=digits.shape[0],
        columns=digits.shape[1],
        files=files,
        licence=licence,
    )


def _version(digits: Digits) -> str:
    """Hash shapes and values of the four arrays."""
    found = hashlib.sha256()
    for role in ROLES:
        values = getattr(digits, role)
        found.update(f"{role}{values.shape}".encode())
        found.update(np.ascontiguousarray(values).data)
    return found.hexdigest()[:16]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
