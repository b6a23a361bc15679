import os
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


def test_unlabelled_tiles_are_found_at_any_depth(tmp_path: Path) -> None:
    for name in ("1.png", "a/2.JPEG", "a/b/c/3.tif", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    tree = TileFolderDataset(path=str(tmp_path), labelled=False).load()
    assert [(file.path, file.label, file.split) for file in tree.files] == [
        ("1.png", None, None),
        ("a/2.JPEG", None, None),
        ("a/b/c/3.tif", None, None),
    ]
    assert tree.ignored == ("a/notes.txt",)
    assert tree.places is None


@pytest.mark.parametrize("labelled", [True, False])
def test_the_table_at_the_root_places_the_tiles(tmp_path: Path, labelled: bool) -> None:
    """It is no file that is passed over; one further down is."""
    for name in ("A/1.png", "B/2.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    row = "B/2.png,42.400,-71.400,42.402,-71.397"
    (tmp_path / "tile_summaries.csv").write_text(
        f"filename,llcrnrlat,llcrnrlon,urcrnrlat,urcrnrlon\n{row}"
    )
    (tmp_path / "A/tile_summaries.csv").touch()
    tree = TileFolderDataset(path=str(tmp_path), labelled=labelled).load()
    assert tree.places is not None
    assert tree.places.squares.loc["B/2.png"].epsg == 26919
    assert list(tree.places.squares.index) == ["B/2.png"]
    assert tree.ignored == ("A/tile_summaries.csv",)


def test_a_folder_to_score_that_is_not_given_is_asked_for(tmp_path: Path) -> None:
    with refused(r"score_root is not set\. .*--params=score_root=DIR"):
        TileFolderDataset(path="", labelled=False).load()
    with refused(r"score_root=.*gone does not exist\. .*--params=score_root=DIR"):
        TileFolderDataset(path=str(tmp_path / "gone"), labelled=False).load()
    with refused(r"holds no tile image .*--params=score_root=DIR"):
        TileFolderDataset(path=str(tmp_path), labelled=False).load()


@pytest.mark.parametrize("labelled", [True, False])
def test_a_refusal_says_what_else_was_found(tmp_path: Path, labelled: bool) -> None:
    (tmp_path / "Forest").mkdir()
    os.mkfifo(tmp_path / "Forest/1.png")
    (tmp_path / "Water").mkdir()
    wanted = r"holds no tile image .*device\(s\) are no files: Forest/1\.png\. .*nothing: Water\."
    with refused(wanted):
        TileFolderDataset(path=str(tmp_path), labelled=labelled).load()


def test_tiles_are_never_written() -> None:
    with pytest.raises(DatasetError, match="not allowed"):
        TileFolderDataset(path="tiles").save(None)
