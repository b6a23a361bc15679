"""Files are there whole or not at all, on a disk and in storage."""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import pytest

from aerial_kedro.datasets.atomic import open_atomic


@pytest.fixture(params=["", "file://", "memory://"], ids=["path", "address", "storage"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder on the disk, by path and by address, and one in storage."""
    if request.param == "memory://":
        return f"memory://{uuid.uuid4().hex}/deep"
    return f"{request.param}{tmp_path}/deep"


def content_of(folder: str) -> dict[str, bytes]:
    filesystem, base = fsspec.core.url_to_fs(folder)
    if not filesystem.exists(base):
        return {}
    names = filesystem.find(base)
    return {name.rsplit("/", 1)[-1]: filesystem.cat_file(name) for name in names}


def write_half(path: str, error: type[BaseException]) -> None:
    with open_atomic(path) as file:
        file.write(b"half")
        raise error


def test_a_file_is_written_whole(folder: str) -> None:
    with open_atomic(f"{folder}/a.bin") as file:
        file.write(b"first ")
        assert "a.bin" not in content_of(folder)
        file.write(b"second")
    assert content_of(folder) == {"a.bin": b"first second"}


def test_an_empty_file_is_one(folder: str) -> None:
    with open_atomic(f"{folder}/_SUCCESS"):
        pass
    assert content_of(folder) == {"_SUCCESS": b""}


def test_an_error_leaves_nothing_behind(folder: str) -> None:
    with pytest.raises(BrokenPipeError):
        write_half(f"{folder}/a.bin", BrokenPipeError)
    assert content_of(folder) == {}


def test_an_old_file_is_there_until_it_is_replaced(folder: str) -> None:
    with open_atomic(f"{folder}/a.bin") as file:
        file.write(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_half(f"{folder}/a.bin", KeyboardInterrupt)
    assert content_of(folder) == {"a.bin": b"old"}
    with open_atomic(f"{folder}/a.bin") as file:
        file.write(b"new")
        file.flush()
        assert content_of(folder)["a.bin"] == b"old"
    assert content_of(folder) == {"a.bin": b"new"}
