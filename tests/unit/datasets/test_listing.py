"""Listing of folders: what is found, what is hidden, what says that a file has changed."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aerial_kedro.datasets.listing import ListedFile, Listing, check_names, list_folder
from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.addresses import read_bytes


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def listed(root: Path | str) -> list[ListedFile]:
    return list(listing(root).files)


def listing(root: Path | str) -> Listing:
    return list_folder(str(root), "scenes_root", "Give it.")


def test_files_are_listed_by_path_with_their_address(tmp_path: Path) -> None:
    fill(tmp_path, "b/2.tif", "a.tif", "b/1.tif")
    files = listed(tmp_path)
    assert [file.path for file in files] == ["a.tif", "b/1.tif", "b/2.tif"]
    assert files[1].href == str(tmp_path / "b/1.tif")


@pytest.mark.parametrize(
    "name", [".a.tif", "b/.DS_Store", ".cache/a.tif", "_temporary/a.tif", "__MACOSX/a/._b.png"]
)
def test_hidden_files_are_apart(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "a.tif", name)
    found = listing(tmp_path)
    assert [file.path for file in found.files] == ["a.tif"]
    assert found.hidden == (name,)


@pytest.mark.parametrize("name", ["_a.tif", "_b/a.tif", "b/_SUCCESS"])
def test_a_name_that_spark_hides_is_a_name(tmp_path: Path, name: str) -> None:
    fill(tmp_path, name)
    assert [file.path for file in listed(tmp_path)] == [name]


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


class TestLinks:
    """What lies in a folder is listed once, whatever leads to it, by its own name."""

    @pytest.mark.parametrize("name", ["A", "z"])
    def test_a_folders_link_to_itself_or_above_is_not_followed(
        self, tmp_path: Path, name: str
    ) -> None:
        root = fill(tmp_path / "root", "b/1.png", "b/2.png")
        fill(tmp_path, "other/3.png")
        (root / name).symlink_to(".")
        (root / "b" / name).symlink_to("../..")
        found = listing(root)
        assert [file.path for file in found.files] == ["b/1.png", "b/2.png"]
        assert found.remarks == (
            f"2 link(s) lead to what is listed already, and were not counted again: "
            f"{', '.join(sorted([name, f'b/{name}']))}",
        )

    def test_two_ways_to_a_file_count_once(self, tmp_path: Path) -> None:
        root = fill(tmp_path, "b/1.png", "b/2.png")
        (root / "a.png").symlink_to("b/1.png")
        (root / "c").symlink_to("b")
        os.link(root / "b/2.png", root / "d.png")  # names of a file are equals: the first in order
        found = listing(root)
        assert [file.path for file in found.files] == ["b/1.png", "d.png"]
        assert found.remarks[0].startswith("3 link(s)")

    def test_what_lies_elsewhere_is_listed_where_the_link_is(self, tmp_path: Path) -> None:
        root, store = tmp_path / "root", fill(tmp_path / "store", "x/1.png", "2.png")
        root.mkdir()
        (root / "a").symlink_to(store / "x")
        (root / "b").symlink_to(store)
        (root / "c.png").symlink_to(store / "2.png")
        found = listing(root)
        assert [file.path for file in found.files] == ["a/1.png", "b/2.png"]
        assert found.remarks == (
            "2 link(s) lead to what is listed already, and were not counted again: b/x, c.png",
        )

    @pytest.mark.parametrize("store", [".git/annex", ".dvc/cache", ".hidden"])
    def test_a_hidden_store_of_the_root_is_no_other_way(self, tmp_path: Path, store: str) -> None:
        """As git-annex and DVC keep files: by links, by hard links, or whole folders."""
        names = [f"{store}/{name}" for name in ("1", "2", "x/3.png")]
        root = fill(tmp_path, *names, "Forest/.4.png")
        (root / "Forest/1.png").symlink_to(f"../{store}/1")
        os.link(root / store / "2", root / "Forest/2.png")
        (root / "Water").symlink_to(f"{store}/x")
        (root / store / "back").symlink_to(root / "Forest")
        found = listing(root)
        assert [file.path for file in found.files] == [
            "Forest/1.png",
            "Forest/2.png",
            "Water/3.png",
        ]
        assert sorted(found.hidden) == sorted([*names, "Forest/.4.png"])
        assert found.remarks == ()

    def test_a_link_to_the_root_of_the_disk_is_not_followed(self, tmp_path: Path) -> None:
        root = fill(tmp_path, "1.png")
        (root / "all").symlink_to("/")
        found = listing(root)
        assert [file.path for file in found.files] == ["1.png"]
        assert found.remarks[0].endswith(": all")

    def test_a_link_to_nothing_is_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").symlink_to("gone.png")
        assert [file.source_version for file in listed(tmp_path)] == ["unreadable"]

    def test_the_root_may_be_a_link(self, tmp_path: Path) -> None:
        fill(tmp_path / "store", "1.png")
        (tmp_path / "root").symlink_to("store")
        assert [file.path for file in listed(tmp_path / "root")] == ["1.png"]


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Read with the rights of a user who has none; root may read all."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder below which others may look, which `tmp_path` is not."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class TestWhatMayNotBeRead:
    def test_a_closed_folder_is_named(self, shared_folder: Path) -> None:
        fill(shared_folder, "a/1.png", "b/2.png")
        (shared_folder / "b").chmod(0)
        with as_nobody():
            found = listing(shared_folder)
        (shared_folder / "b").chmod(0o755)
        assert [file.path for file in found.files] == ["a/1.png"]
        assert found.remarks[0].startswith("1 folder(s) may not be opened")
        assert found.remarks[0].endswith(": b")

    def test_a_closed_root_is_refused(self, shared_folder: Path) -> None:
        fill(shared_folder, "a/b/1.png")
        (shared_folder / "a").chmod(0)
        for name in ("a", "a/b"):
            with as_nobody(), pytest.raises(AerialError, match=rf"{name} may not be read"):
                listing(shared_folder / name)
        (shared_folder / "a").chmod(0o755)

    def test_pipes_and_empty_folders_are_named(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.png")
        (tmp_path / "Water").mkdir()
        assert listing(tmp_path).remarks == (
            "1 pipe(s), socket(s) or device(s) are no files: a.png",
            "1 folder(s) hold nothing: Water",
        )


def test_names_that_are_no_utf8_are_refused_in_letters_that_can_be_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"For\xeat.png")
    fill(tmp_path, "a.png")
    (tmp_path / name).touch()
    wanted = r"1 file\(s\) below DIR .*For\\xeat\.png.*convmv"
    with pytest.raises(AerialError, match=wanted) as said:
        check_names(listed(tmp_path), "DIR")
    str(said.value).encode()
    with pytest.raises(AerialError, match=r"scenes_root=.*For\\xeat\.png is not UTF-8"):
        listed(tmp_path / name)


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("s3://bucket/naip", r"not read \(s3://\).*abfss://.*mount"),
        ("gs://bucket/naip", "storage that is not read"),
        ("ftp://host/naip", "storage that is not read"),
        ("https://host/naip/", "on the web.*list of their addresses"),
    ],
)
def test_storage_that_is_not_read_is_refused(root: str, reason: str) -> None:
    with pytest.raises(AerialError, match=reason):
        listed(root)


def test_other_files_are_counted_by_suffix(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["a.tif", "a.tif.aux.xml", "a.tfw", "b.JP2", "c.jp2", "notes", ".DS_Store", "d.xml"]
    found = listing(fill(tmp_path, *names)).chosen((".tif",), "scenes_root=DIR", "Convert them.")
    assert [file.path for file in found] == ["a.tif"]
    assert caplog.messages == [
        "scenes_root=DIR: 5 file(s) were passed over: 2 without suffix, 2 .jp2, 1 .xml "
        "(.DS_Store, b.JP2, c.jp2, d.xml, notes). Convert them."
    ]
