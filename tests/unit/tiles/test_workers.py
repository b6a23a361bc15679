"""What a worker of Spark does before and after each task, and does not do again."""

from __future__ import annotations

import gc
import importlib
import sys
import zipfile
import zipimport
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerial_kedro.tiles.workers import _freeze_once, kept_between_tasks

MODULES = ("packed_in_an_archive", "packed_as_well")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Modules in an archive that Python imports from, as a worker finds Spark's own."""
    path = tmp_path / "modules.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in MODULES:
            archive.writestr(f"{name}.py", "answer = 42\n")
    monkeypatch.syspath_prepend(path)
    yield path
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Archives whose lists of contents Python reads, in order."""
    paths: list[str] = []
    read_directory = zipimport._read_directory  # type: ignore[attr-defined]

    def note(path: str) -> object:
        paths.append(path)
        return read_directory(path)

    monkeypatch.setattr(zipimport, "_read_directory", note)
    return paths


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    gc.unfreeze()
    _freeze_once.cache_clear()
    yield
    gc.unfreeze()


def test_archives_are_not_read_again_before_the_next_task(archive: Path, read: list[str]) -> None:
    with kept_between_tasks():
        importlib.import_module(MODULES[0])
    read.clear()
    importlib.invalidate_caches()  # what Spark begins a task with
    assert str(archive) not in read


def test_python_would_read_them_again(archive: Path, read: list[str]) -> None:
    importlib.import_module(MODULES[0])
    read.clear()
    importlib.invalidate_caches()
    assert str(archive) in read


def test_the_next_task_can_import_from_them(archive: Path) -> None:
    with kept_between_tasks():
        importlib.import_module(MODULES[0])
    importlib.invalidate_caches()
    assert importlib.import_module(MODULES[1]).__file__ == f"{archive}/{MODULES[1]}.py"


def test_archives_are_forgotten_after_a_task_that_fails_too(archive: Path) -> None:
    def task() -> None:
        with kept_between_tasks():
            importlib.import_module(MODULES[0])
            raise ValueError("the task failed")

    with pytest.raises(ValueError, match="failed"):
        task()
    assert str(archive) not in sys.path_importer_cache


def test_what_is_there_at_first_use_is_not_searched_for_garbage_again() -> None:
    before = [[]]
    with kept_between_tasks():
        pass
    assert not any(each is before for each in gc.get_objects())


def test_what_a_worker_imports_itself_is_not_searched_though_its_daemon_has_frozen_all() -> None:
    gc.freeze()
    before = [[]]
    with kept_between_tasks():
        pass
    assert not any(each is before for each in gc.get_objects())


def test_later_garbage_is_found() -> None:
    with kept_between_tasks():
        pass
    later = [[]]
    with kept_between_tasks():
        pass
    assert any(each is later for each in gc.get_objects())
