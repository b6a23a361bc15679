"""Listing of folders: what is found, what is hidden, what says that a file has changed."""

import os
from pathlib import Path

import pytest

from aerial_kedro.datasets.base import ListedFile, list_folder
from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.addresses import read_bytes


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def listed(root: Path | str) -> list[ListedFile]:
    return list_folder(str(root), "scenes_root", "Give it.")


def test_files_are_listed_by_path_with_their_address(tmp_path: Path) -> None:
    fill(tmp_path, "b/2.tif", "a.tif", "b/1.tif")
    files = listed(tmp_path)
    assert [file.path for file in files] == ["a.tif", "b/1.tif", "b/2.tif"]
    assert files[1].href == str(tmp_path / "b/1.tif")


@pytest.mark.parametrize(
    "name", [".a.tif", "b/.DS_Store", ".cache/a.tif", "_temporary/a.tif", "b/_SUCCESS"]
)
def test_hidden_files_are_left_out(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "a.tif", name)
    assert [file.path for file in listed(tmp_path)] == ["a.tif"]


def test_a_folder_below_a_hidden_one_is_listed(tmp_path: Path) -> None:
    root = fill(tmp_path / ".cache" / "_tiles", "a.tif")
    assert [file.path for file in listed(root)] == ["a.tif"]


def test_one_file_is_a_list_of_one(tmp_path: Path) -> None:
    fill(tmp_path, "a.tif", "b.tif")
    (file,) = listed(tmp_path / "a.tif")
    assert (file.path, file.href) == ("a.tif", str(tmp_path / "a.tif"))


@pytest.mark.parametrize("root", ["{}", "{}/", "file://{}", "file://{}/"])
@pytest.mark.parametrize("name", ["a.tif", "b/#1 50%?.tif"])
def test_addresses_can_be_read_back(tmp_path: Path, root: str, name: str) -> None:
    fill(tmp_path, name)
    (file,) = listed(root.format(tmp_path))
    assert file.path == name
    assert read_bytes(file.href) == name.encode()


def test_the_version_changes_when_the_file_does(tmp_path: Path) -> None:
    fill(tmp_path, "a.tif", "b.tif")
    before = {file.path: file.source_version for file in listed(tmp_path)}
    assert {file.path: file.source_version for file in listed(tmp_path)} == before
    (tmp_path / "a.tif").write_text("other")
    stamp = (tmp_path / "b.tif").stat()
    os.utime(tmp_path / "b.tif", (stamp.st_atime, stamp.st_mtime + 2))
    after = {file.path: file.source_version for file in listed(tmp_path)}
    assert after["a.tif"] != before["a.tif"]
    assert after["b.tif"] != before["b.tif"]


@pytest.mark.parametrize("root", [None, ""])
def test_a_folder_that_is_not_given_is_asked_for(root: str | None) -> None:
    with pytest.raises(AerialError, match=r"folders_root is not set\. Give it\."):
        list_folder(root, "folders_root", "Give it.")


def test_a_missing_folder_is_told_with_its_parameter(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(AerialError, match=rf"scenes_root={gone} does not exist\. Give it\."):
        listed(gone)
