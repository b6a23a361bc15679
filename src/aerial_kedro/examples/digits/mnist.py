"""The published MNIST files, and what is known of each set of digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from aerial_kedro.errors import AerialError

Role = Literal["train_images", "train_labels", "test_images", "test_labels"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class PublishedFile:
    """One of the four files.

    Parameters
    ----------
    name
        Without the ending ``.gz``.
    count
        How many images or labels it holds.
    packed_sha256
        Of the file that the mirrors offer, packed by gzip.
    content_sha256
        Of what is packed in it.
    """

    name: str
    count: int
    packed_sha256: str
    content_sha256: str

    @property
    def is_images(self) -> bool:
        """Whether it holds images, not labels."""
        return "images" in self.name

    @property
    def spellings(self) -> tuple[str, ...]:
        """Names that it goes by: packed and not, and as some programs unpack it."""
        dotted = self.name.replace("-idx", ".idx")
        return (f"{self.name}.gz", self.name, f"{dotted}.gz", dotted)


FILES: dict[Role, PublishedFile] = {
    "train_images": PublishedFile(
        "train-images-idx3-ubyte",
        60_000,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train_labels": PublishedFile(
        "train-labels-idx1-ubyte",
        60_000,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "test_images": PublishedFile(
        "t10k-images-idx3-ubyte",
        10_000,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "test_labels": PublishedFile(
        "t10k-labels-idx1-ubyte",
        10_000,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


@dataclass(frozen=True)
class About:
    """Name, description and licence of a set of digits."""

    name: str
    description: str
    licence: str


ABOUT: dict[Literal["mnist", "own", "embedded"], About] = {
    "mnist": About(
        "MNIST",
        "Handwritten digits of Census Bureau employees and high-school students, scanned in black "
        "and white, brought to one size and centred, in grey. The writers of the test images "
        "wrote none of the training images.",
        "Made by Y. LeCun, C. Cortes and C. Burges from two collections of the US government's "
        "institute of standards (NIST SD-1 and SD-3). Their page names no licence; mirrors "
        "commonly say CC BY-SA 3.0. The files are not part of this project.",
    ),
    "embedded": About(
        "scikit-learn's digits",
        "Small handwritten digits of 13 persons, from forms scanned at the university of "
        "Boğaziçi. They come undivided and are split here, every digit in the same shares; so the "
        "same hand may have written training and test images.",
        "The test part of E. Alpaydin and C. Kaynak's optical recognition of handwritten digits "
        "(UCI machine learning repository, CC BY 4.0), as it comes with scikit-learn.",
    ),
    "own": About(
        "digits of one's own",
        "Digits in MNIST's format that are not MNIST's, taken as they are.",
        "Not known to this project.",
    ),
}


def check_count(role: Role, name: str, count: int) -> None:
    """Refuse a file that holds another number of images or labels than MNIST's.

    Parameters
    ----------
    role
        Which of the four it is meant to be.
    name
        Of the file, for the message.
    count
        How many images or labels it holds.

    Raises
    ------
    AerialError
        Telling training and test files that lie in each other's place.
    """
    expected = FILES[role]
    if count == expected.count:
        return
    others = [
        each.name
        for each in FILES.values()
        if each.count == count and each.is_images == expected.is_images
    ]
    hint = f"It looks like {others[0]} under another name. " if others else ""
    raise AerialError(
        f"{name} holds {count:,} {'images' if expected.is_images else 'labels'}, MNIST's has "
        f"{expected.count:,}. {hint}Put the original file in its place, or, if these are other "
        "digits in the same format, say so with --params=digits.check_hashes=false."
    )
