"""Files below a root: each once, by its path, and what is no file to read by name and number."""

import logging
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from aerial_kedro.datasets.atomic import find_filesystem
from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.addresses import check_root
from aerial_kedro.scenes.names import is_utf8, passed_over, some

LOGGER = logging.getLogger(__name__)
SAMPLE_REMEDY = (
    "Draw the embedded sample with `kedro run --pipeline=sample_data`, or give your own with "
    "--params={}=…"
)
"""What to do where scenes or land cover are missing; takes the run parameter."""
# What GDAL reads, or programs write, beside a raster.
_SIDE_FILE = re.compile(r"(?i)\.(aux\.xml|aux|ovr|msk|tfw|tifw|wld|ige|rrd|rde|prj|xml)$")
# Folders that programs leave behind: macOS in its archives, Spark while it writes.
_LEFTOVERS = ("__MACOSX", "_temporary")


@dataclass(frozen=True)
class ListedFile:
    """A file found in a folder.

    Parameters
    ----------
    path
        Path below the folder that was listed.
    href
        The whole address.
    source_version
        Size and ETag, or size and time: changes when the content does.
    """

    path: str
    href: str
    source_version: str


@dataclass(frozen=True)
class Listing:
    """What lies below a root.

    Parameters
    ----------
    files
        The files, sorted by path; each once, whatever leads to it.
    hidden
        Files whose name, or that of a folder above them, begins with a dot or is one that programs
        leave behind.
    remarks
        Sentences on what else was found: second ways to a file, what may not be read, folders that
        hold nothing.
    """

    files: tuple[ListedFile, ...]
    hidden: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def chosen(self, endings: tuple[str, ...], where: str, advice: str) -> list[ListedFile]:
        """Take the files with these endings; log the others, and all else that was found.

        Parameters
        ----------
        endings
            In small letters; large ones are as good.
        where
            The root, as in ``scenes_root=DIR``, for the log.
        advice
            What to do with the others.
        """
        chosen = [file for file in self.files if file.path.lower().endswith(endings)]
        taken = {file.path for file in chosen}
        served = taken | {path.rsplit(".", 1)[0] for path in taken}
        others = [
            file.path
            for file in self.files
            if file.path not in taken and _SIDE_FILE.sub("", file.path) not in served
        ]
        if chosen and (others or self.hidden):
            LOGGER.warning("%s: %s. %s", where, passed_over([*others, *self.hidden]), advice)
        for remark in self.remarks:
            LOGGER.warning("%s: %s", where, remark)
        return chosen


def list_folder(
    root: str | None, parameter: str, remedy: str, credentials: dict[str, Any] | None = None
) -> Listing:
    """List all files below a folder.

    Links are followed, but no file and no folder is listed twice: a second way to it (a link, also
    a hard one) is a remark, and so are folders that may not be opened.

    Parameters
    ----------
    root
        The folder (or one file).
    parameter, remedy
        Run parameter that names it, and what to do when it is missing, for the message.
    credentials
        Options of the storage's file system in fsspec.

    Raises
    ------
    AerialError
        If the folder is not given, is in storage that is not read, does not exist or may not be
        opened.
    """
    if not root:
        raise AerialError(f"{parameter} is not set. {remedy}")
    check_root(root, parameter)
    filesystem, base = find_filesystem(root, credentials)
    is_disk = isinstance(filesystem, LocalFileSystem)
    if not filesystem.exists(base):
        raise AerialError(f"{parameter}={root} does not exist. {remedy}")
    address = root.rstrip("/") if urlsplit(root).scheme else base
    if is_disk:
        walk = _DiskWalk(base)
        found, remarks = list(walk.files.items()), walk.remarks()
    else:
        found, remarks = list(_walk_storage(filesystem, base)), ()
    files, hidden = [], []
    for name, version in sorted(found):
        path = name[len(base) :].lstrip("/") or name.rsplit("/", 1)[-1]
        if name != base and any(_is_hidden(part) for part in path.split("/")):
            hidden.append(path)
        else:
            files.append(ListedFile(path, address + name[len(base) :], version))
    return Listing(tuple(files), tuple(hidden), remarks)


def check_names(files: Iterable[ListedFile], where: str) -> None:
    """Refuse names that no table can hold, since they are not UTF-8.

    Raises
    ------
    AerialError
        Naming them, and how they are renamed.
    """
    broken = [file.path for file in files if not is_utf8(file.path)]
    if broken:
        raise AerialError(
            f"{len(broken)} file(s) below {where} have names that are not UTF-8: {some(broken)}. "
            "Rename them, and folders that are called so (convmv -r -f latin1 -t utf8 --notest DIR "
            "does it for names in Latin-1)."
        )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in _LEFTOVERS


def _walk_storage(filesystem: fsspec.AbstractFileSystem, base: str) -> Iterator[tuple[str, str]]:
    """Find every file below a folder (or the file itself), with its version."""
    for name, info in filesystem.find(base, detail=True).items():
        stamp = info.get("etag") or info.get("last_modified") or info.get("mtime") or ""
        yield name, f"{info.get('size', 0)}-{stamp}"


class _DiskWalk:
    """Every file below a folder of a disk, each once: what lies there goes before links to it."""

    def __init__(self, base: str) -> None:
        self._base, self._real_base = base, os.path.realpath(base)
        self.files: dict[str, str] = {}  # path to version
        self._closed: list[str] = []
        self._again: list[str] = []
        self._odd: list[str] = []
        self._empty: list[str] = []
        self._seen: set[object] = set()  # real paths, and inodes of several names
        links = self._enter(base) if os.path.isdir(base) else [base]  # noqa: PTH112
        while links:
            links = [found for link in sorted(links) for found in self._follow(link)]

    def _enter(self, top: str) -> list[str]:
        """Walk a folder without following links; return them."""
        links = []
        for folder, folders, names in os.walk(top, onerror=self._refused):
            if any(_is_hidden(part) for part in folder[len(self._base) :].split("/")):
                self._hide(folder, names)
                continue
            real = os.path.realpath(folder)
            if real in self._seen:
                self._again.append(folder)
                folders.clear()
                continue
            self._seen.add(real)
            if not folders and not names:
                self._empty.append(folder)
            shown = [name for name in folders if not _is_hidden(name)]
            links += [f"{folder}/{name}" for name in shown if os.path.islink(f"{folder}/{name}")]  # noqa: PTH114
            folders.sort()
            self._hide(folder, (name for name in names if _is_hidden(name)))
            for name in sorted(name for name in names if not _is_hidden(name)):
                status = _status(f"{folder}/{name}", os.lstat)
                if status and stat.S_ISLNK(status.st_mode):
                    links.append(f"{folder}/{name}")
                else:
                    self._add(f"{folder}/{name}", f"{real}/{name}", status)
        return links

    def _hide(self, folder: str, names: Iterable[str]) -> None:
        """Count hidden files, without having seen them: links may lead to a hidden store."""
        self.files |= {f"{folder}/{name}": "" for name in names}

    def _follow(self, link: str) -> list[str]:
        """Take what a link leads to, unless it is known; return the links in it."""
        real = os.path.realpath(link)
        if real in self._seen or self._real_base.startswith(f"{real.rstrip('/')}/"):
            self._again.append(link)
            return []
        if os.path.isdir(link):  # noqa: PTH112
            return self._enter(link)
        self._add(link, real, _status(link, os.stat))
        return []

    def _add(self, path: str, real: str, status: os.stat_result | None) -> None:
        if status is None:
            self.files[path] = "unreadable"  # a link to nothing: reading it says so, tile by tile
        elif not stat.S_ISREG(status.st_mode):
            self._odd.append(path)
        else:
            ways: set[object] = {real}
            if status.st_nlink > 1:
                ways.add((status.st_dev, status.st_ino))
            if ways & self._seen:
                self._again.append(path)
            else:
                self.files[path] = f"{status.st_size}-{status.st_mtime_ns}"
            self._seen |= ways

    def _refused(self, error: OSError) -> None:
        self._closed.append(str(error.filename))

    def remarks(self) -> tuple[str, ...]:
        """Say what was found that is no file to read."""
        texts = {
            "link(s) lead to what is listed already, and were not counted again": self._again,
            "folder(s) may not be opened, so what they hold is missing (chmod -R u+rX DIR)": (
                self._closed
            ),
            "pipe(s), socket(s) or device(s) are no files": self._odd,
            "folder(s) hold nothing": self._empty,
        }
        return tuple(
            f"{len(paths)} {text}: {some(path[len(self._base) :].lstrip('/') for path in paths)}"
            for text, paths in texts.items()
            if paths
        )


def _status(path: str, look: Callable[[str], os.stat_result]) -> os.stat_result | None:
    try:
        return look(path)
    except OSError:
        return None
