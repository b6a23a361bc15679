"""The digits as arrays, whatever files they come from, and a record of them: the first node."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits.files import (
    MNIST_SHA256,
    ROLES,
    DigitFile,
    DigitFiles,
    EmbeddedDigits,
    Role,
    spellings,
)
from aerial_kedro.examples.digits.settings import DigitsSettings
from aerial_kedro.parameters import CheckedModel

LOGGER = logging.getLogger(__name__)
BLACK = 255
"""A pixel full of ink; paper is 0."""
_EMBEDDED_INK = 16
_FEWEST = 20
_SMALLEST_SIDE = 4
_MNIST_COUNT = {"train": 60_000, "test": 10_000}

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


class FileRecord(CheckedModel):
    """A file that a dataset was read from."""

    name: str
    size_bytes: int
    sha256: str


class DatasetRecord(CheckedModel):
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


def check_download(files: DigitFiles) -> DigitFiles:
    """Let pass what is MNIST by its sha256: torchvision's md5 can be forged."""
    digits_of_files(files, check_hashes=True)
    return files


def read_digits(
    files: DigitFiles | EmbeddedDigits, settings: DigitsSettings
) -> tuple[Digits, DatasetRecord]:
    """Check the digits and describe them.

    Parameters
    ----------
    files
        The four files, or scikit-learn's digits: these are divided, every digit in the same shares,
        and brought to 0–255.
    settings
        Settings of the tutorial.
    """
    from sklearn.model_selection import train_test_split

    if isinstance(files, DigitFiles):
        digits, record = digits_of_files(files, check_hashes=settings.check_hashes)
    else:
        images, labels = files
        train_images, test_images, train_labels, test_labels = train_test_split(
            np.rint(images * (BLACK / _EMBEDDED_INK)).astype(np.uint8),
            labels.astype(np.uint8),
            test_size=settings.test_share,
            random_state=settings.seed,
            stratify=labels,
        )
        digits = Digits(train_images, train_labels, test_images, test_labels)
        record = _record(digits, "embedded", "scikit-learn: load_digits", [])
    LOGGER.info(
        "%(name)s: %(train)d training and %(test)d test images of %(rows)d × %(columns)d pixels, "
        "version %(version)s",
        record.model_dump(),
    )
    return digits, record


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
    _check_pairs(found.files)
    if check_hashes:
        for role, file in found.files.items():
            check_file(role, file)
    is_mnist = all(MNIST_SHA256[role] == file.unpacked_sha256 for role, file in found.files.items())
    records = [
        FileRecord(
            name=file.name,
            size_bytes=len(file.content),
            sha256=hashlib.sha256(file.content).hexdigest(),
        )
        for file in found.files.values()
    ]
    digits = Digits(**{role: file.values for role, file in found.files.items()})
    return digits, _record(digits, "mnist" if is_mnist else "own", found.source, records)


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


def _check_pairs(files: Mapping[Role, DigitFile]) -> None:
    train, test = files["train_images"], files["test_images"]
    labels = files["train_labels"]
    for one, other in ((train, labels), (test, files["test_labels"])):
        if len(one.values) != len(other.values):
            raise AerialError(
                f"{one.name} holds {len(one.values):,} images, but {other.name} "
                f"{len(other.values):,} labels: they do not belong together. Put the two files of "
                "one set side by side."
            )
    size, other_size = (
        f"{each.values.shape[1]} × {each.values.shape[2]}" for each in (train, test)
    )
    if size != other_size:
        raise AerialError(
            f"The images of {train.name} have {size} pixels, those of {test.name} {other_size}: "
            "give files of one set."
        )
    if min(train.values.shape[1:]) < _SMALLEST_SIDE:
        raise AerialError(
            f"The images of {train.name} have only {size} pixels, too few to show a digit. Give "
            "larger ones."
        )
    if len(train.values) < _FEWEST or len(np.unique(labels.values)) < 2:  # noqa: PLR2004
        raise AerialError(
            f"{labels.name} is too little to learn from: at least {_FEWEST} images and two "
            "different digits are needed. Give more."
        )


def _record(digits: Digits, kind: Kind, source: str, files: list[FileRecord]) -> DatasetRecord:
    name, description, licence = _ABOUT[kind]
    content = hashlib.sha256()
    for role in ROLES:
        values = getattr(digits, role)
        content.update(f"{role}{values.shape}".encode())
        content.update(np.ascontiguousarray(values).data)
    return DatasetRecord(
        name=name,
        description=description,
        version=content.hexdigest()[:16],
        source=source,
        kind=kind,
        train=len(digits.train_images),
        test=len(digits.test_images),
        rows=digits.shape[0],
        columns=digits.shape[1],
        files=files,
        licence=licence,
    )
