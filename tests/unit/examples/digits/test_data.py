"""Four files that must belong together, and the record of what they hold."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.examples.digits.data import check_file, digits_of_files, read_digits
from aerial_kedro.examples.digits.files import (
    MNIST_SHA256,
    ROLES,
    DigitFile,
    Role,
    read_file,
    spellings,
)
from tests.unit.examples.digits.idx_files import as_found, draw_digits, four_files, idx
from tests.unit.examples.digits.settings import make_settings


def refusal(content: dict[Role, bytes], *, check_hashes: bool = False) -> str:
    with pytest.raises(AerialError) as error:
        digits_of_files(as_found(content), check_hashes=check_hashes)
    return str(error.value)


def test_files_become_digits_and_a_record() -> None:
    content = four_files()
    digits, record = digits_of_files(as_found(content), check_hashes=False)
    np.testing.assert_array_equal(digits.train_images, draw_digits(40)["images"])
    np.testing.assert_array_equal(digits.test_labels, draw_digits(20, seed=1)["labels"])
    assert (record.train, record.test, record.rows, record.columns) == (40, 20, 8, 8)
    assert record.kind == "own"
    assert record.source == "/digits"
    assert [(each.name, each.sha256) for each in record.files] == [
        (spellings(role)[0], hashlib.sha256(content[role]).hexdigest()) for role in ROLES
    ]


def test_the_version_is_that_of_the_content() -> None:
    def version(content: dict[Role, bytes]) -> str:
        return digits_of_files(as_found(content), check_hashes=False)[1].version

    assert version(four_files()) == version(four_files(packed=False))
    images = draw_digits(40)["images"]
    images[7, 3, 3] ^= 1
    assert version({**four_files(), "train_images": idx(images)}) != version(four_files())
    swapped = four_files(20, 20)
    swapped["train_images"], swapped["test_images"] = (
        swapped["test_images"], swapped["train_images"],
    )  # fmt: skip
    assert version(swapped) != version(four_files(20, 20))


def test_labels_under_the_name_of_images_are_refused() -> None:
    content = four_files()
    message = refusal({**content, "train_images": content["train_labels"]})
    assert message.startswith("train-images-idx3-ubyte.gz cannot be read as images")
    assert "it holds labels, not images" in message
    assert "another file under this name" in message


def test_unequal_counts_name_both_files() -> None:
    message = refusal({**four_files(), "test_labels": four_files(test=30)["test_labels"]})
    assert "t10k-images-idx3-ubyte.gz holds 20 images" in message
    assert "t10k-labels-idx1-ubyte.gz 30 labels" in message


def test_images_of_two_sizes_are_refused() -> None:
    other = idx(draw_digits(20, side=9)["images"])
    message = refusal({**four_files(), "test_images": other})
    assert "8 × 8 pixels" in message
    assert "9 × 9" in message


@pytest.mark.parametrize("train", [10, 19])
def test_too_few_images_are_refused(train: int) -> None:
    assert "too little to learn from" in refusal(four_files(train=train))


def test_one_digit_alone_is_refused() -> None:
    labels = idx(np.full(40, 3, np.uint8))
    assert "two different digits" in refusal({**four_files(), "train_labels": labels})


def test_tiny_images_are_refused() -> None:
    images = {
        "train_images": idx(np.zeros((40, 3, 8), np.uint8)),
        "test_images": idx(np.zeros((20, 3, 8), np.uint8)),
    }
    assert "only 3 × 8 pixels" in refusal({**four_files(), **images})


def test_test_files_in_the_place_of_training_files_are_named() -> None:
    images = np.zeros((10_000, 4, 4), np.uint8)
    file = DigitFile("train-images-idx3-ubyte", b"", MNIST_SHA256["test_images"], images)
    with pytest.raises(AerialError) as error:
        check_file("train_images", file)
    message = str(error.value)
    assert "it holds 10,000 images, MNIST's has 60,000" in message
    assert "It is t10k-images-idx3-ubyte under another name" in message


def test_digits_that_are_not_mnist_are_refused_unless_it_is_said() -> None:
    message = refusal(four_files(), check_hashes=True)
    assert "train-images-idx3-ubyte.gz is not MNIST's file" in message
    assert "it holds 40 images, MNIST's has 60,000" in message
    assert "digits.check_hashes=false" in message


def test_another_content_is_named_with_both_hashes() -> None:
    plain = idx(draw_digits(20)["images"])
    with pytest.raises(AerialError) as error:
        check_file("test_images", read_file("test_images", "my-images.gz", gzip.compress(plain)))
    message = str(error.value)
    assert message.startswith("my-images.gz is not MNIST's file")
    assert hashlib.sha256(plain).hexdigest() in message
    assert MNIST_SHA256["test_images"] in message


@pytest.mark.shared_data
@pytest.mark.parametrize("role", ["test_labels", "test_images", "train_labels"])
def test_mnist_passes_as_published_unpacked_and_packed_anew(shared_data: Path, role: Role) -> None:
    published = (shared_data / "mnist" / spellings(role)[0]).read_bytes()
    plain = gzip.decompress(published)
    for content in (published, plain, gzip.compress(plain, 1)):
        check_file(role, read_file(role, "file", content))
    with pytest.raises(AerialError, match="is not MNIST's"):
        check_file(role, read_file(role, "file", plain[:-1] + bytes([plain[-1] ^ 1])))


def test_digits_of_the_package_are_divided_alike_for_every_digit() -> None:
    labels = np.repeat(np.arange(10), 40)
    images = np.tile(labels[:, None, None] % 17, (1, 8, 8)).astype(float)
    digits, record = read_digits((images, labels), make_settings(test_share=0.25, seed=42))
    assert np.bincount(digits.test_labels).tolist() == [10] * 10
    assert (record.kind, record.train, record.test, record.files) == ("embedded", 300, 100, [])
    # 0–16 becomes 0–255.
    np.testing.assert_array_equal(
        digits.test_images[:, 0, 0], np.rint(digits.test_labels.astype(float) * 255 / 16)
    )
    again = read_digits((images, labels), make_settings(test_share=0.25, seed=42))[1]
    other = read_digits((images, labels), make_settings(test_share=0.25, seed=43))[1]
    assert again.version == record.version
    assert other.version != record.version
