"""What datasets share: files by name, on a disk and in storage, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from kedro.io import DatasetError

from aerial_kedro.datasets.base import ProjectDataset


class ReadOnly(ProjectDataset[None, bytes]):
    not_saved = "The pipeline `acquisition` writes it."

    def load(self) -> bytes:
        return self.read_bytes()


class Sized(ReadOnly):
    def __init__(
        self, *, path: str | None, size: int = 1, credentials: dict[str, str] | None = None
    ) -> None:
        super().__init__(path=path, credentials=credentials)
        self._size = size


@pytest.fixture(params=["folder", "storage"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A folder, and a storage that is none."""
    if request.param == "folder":
        yield str(tmp_path / "made")
        return
    yield "memory://made"
    fsspec.filesystem("memory").rm("/made", recursive=True)


@pytest.mark.parametrize("ending", ["", "/"])
def test_files_are_named_after_the_path(folder: str, ending: str) -> None:
    dataset = Sized(path=folder + ending)
    assert not dataset.exists()
    dataset.write_bytes(b"one", "/a/1.bin")
    dataset.write_bytes(b"two", "/a/2.bin")
    dataset.write_bytes(b"card", "/a.json")
    assert dataset.exists()
    assert dataset.has("/a/1.bin")
    assert not dataset.has("/a/3.bin")
    assert dataset.read_bytes("/a/2.bin") == b"two"
    assert Sized(path=f"{folder}/a").read_bytes(".json") == b"card"
    assert [path.rsplit("/", 1)[1] for path in dataset.glob("/a/*.bin")] == ["1.bin", "2.bin"]


def test_files_and_folders_are_removed_if_they_are_there(folder: str) -> None:
    dataset = Sized(path=folder)
    dataset.write_bytes(b"one", "/a/1.bin")
    dataset.write_bytes(b"two", "/b.bin")
    for name in ("/a", "/b.bin", "/c"):
        dataset.remove(name)
    assert dataset.glob("/**/*.bin") == []


def test_what_is_only_read_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="The pipeline `acquisition` writes it"):
        ReadOnly(path=str(tmp_path)).save(b"")  # type: ignore[arg-type]


def test_a_dataset_without_a_place_does_not_exist() -> None:
    assert not Sized(path=None).exists()


class Handing(ReadOnly):
    """Hands options on without naming them."""

    def __init__(self, *, kind: str, **options: Any) -> None:
        super().__init__(**options)
        self._kind = kind


def test_options_that_are_handed_on_are_described_without_credentials() -> None:
    text = repr(Handing(kind="map", path="abfs://naip/a", credentials={"account_key": "secret"}))
    assert "kind='map', path='abfs://naip/a'" in text
    assert "secret" not in text


def test_credentials_are_not_described() -> None:
    text = repr(Sized(path="abfs://naip/a", size=2, credentials={"account_key": "secret"}))
    assert "path='abfs://naip/a', size=2" in text
    assert "secret" not in text
