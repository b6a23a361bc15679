"""Listing of folders, local or in blob storage, with what tells a file's versions apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from aerial_kedro.errors import AerialError


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


def list_folder(
    root: str | None,
    parameter: str,
    remedy: str,
    credentials: dict[str, Any] | None = None,
    endings: tuple[str, ...] = ("",),
) -> list[ListedFile]:
    """List all files below a folder, sorted by path; hidden ones are left out.

    Parameters
    ----------
    root
        The folder (or one file).
    parameter, remedy
        Run parameter that names it, and what to do when it is missing, for the message.
    credentials
        Options of the storage's file system in fsspec.
    endings
        Endings of the files wanted, in small letters; large ones are as good.

    Raises
    ------
    AerialError
        If the folder is not given or does not exist.
    """
    if not root:
        raise AerialError(f"{parameter} is not set. {remedy}")
    filesystem, base = fsspec.core.url_to_fs(root, **(credentials or {}))
    if not filesystem.exists(base):
        raise AerialError(f"{parameter}={root} does not exist. {remedy}")
    address = root.rstrip("/") if urlsplit(root).scheme else base
    is_disk = isinstance(filesystem, LocalFileSystem)
    found = _walk_disk(base) if is_disk else _walk_storage(filesystem, base)
    files = []
    for name, version in sorted(found):
        path = name[len(base) :].lstrip("/") or name.rsplit("/", 1)[-1]
        hidden = any(part.startswith((".", "_")) for part in path.split("/"))
        if not hidden and path.lower().endswith(endings):
            files.append(ListedFile(path, address + name[len(base) :], version))
    return files


def _walk_storage(filesystem: fsspec.AbstractFileSystem, base: str) -> Iterator[tuple[str, str]]:
    """Find every file below a folder (or the file itself), with its version."""
    for name, info in filesystem.find(base, detail=True).items():
        stamp = info.get("etag") or info.get("last_modified") or info.get("mtime") or ""
        yield name, f"{info.get('size', 0)}-{stamp}"


def _walk_disk(base: str) -> Iterator[tuple[str, str]]:
    """Do the same on a disk: links to folders are followed, and times are exact."""
    walked = os.walk(base, followlinks=True)
    names = [os.path.join(folder, name) for folder, _, names in walked for name in names]  # noqa: PTH118
    for name in names if os.path.isdir(base) else [base]:  # noqa: PTH112
        try:
            status = os.stat(name)  # noqa: PTH116
        except OSError:
            yield name, "unreadable"  # a link to nothing: reading it says so, tile by tile
        else:
            yield name, f"{status.st_size}-{status.st_mtime_ns}"
