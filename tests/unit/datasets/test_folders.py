from pathlib import Path

import pytest
from kedro.io import DatasetError

from aerial_kedro.datasets.folders import TileFolderDataset
from tests.unit.datasets.refusals import refused


def test_folders_load_as_trees(tmp_path: Path) -> None:
    for name in ("train/A/1.png", "train/B/2.png", "test/A/3.png", "test/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    tree = TileFolderDataset(path=str(tmp_path)).load()
    assert [(file.path, file.label, file.split) for file in tree.files] == [
        ("test/A/3.png", "A", "test"),
        ("train/A/1.png", "A", "train"),
        ("train/B/2.png", "B", "train"),
    ]
    assert tree.files[0].href == str(tmp_path / "test/A/3.png")
    assert tree.files[0].source_version.startswith("12-")  # its size
    assert tree.ignored == ("test/notes.txt",)


def test_a_folder_that_is_not_given_is_asked_for() -> None:
    with refused(r"folders_root is not set\. .*--params=folders_root=DIR"):
        TileFolderDataset(path=None).load()


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with refused(r"folders_root=.*gone does not exist\. Give the folder"):
        TileFolderDataset(path=str(tmp_path / "gone")).load()


def test_tiles_are_never_written() -> None:
    with pytest.raises(DatasetError, match="not allowed"):
        TileFolderDataset(path="tiles").save(None)
