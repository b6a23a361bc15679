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
        Below the folder listed.
    href
        Its whole address.
    source_version
        Size and ETag, or size and time: changes when the content does.
    """

    path: str
    href: str
    source_version: str


def list_folder(
    root: str | None, parameter: str, remedy: str, credentials: dict[str, Any] | None = None
) -> list[ListedFile]:
    """List all files below a folder, sorted by path; hidden ones are left out.

    Parameters
    ----------
    root
        The folder (or one file).
    parameter, remedy
        Run parameter that names it, and what to do when it is missing, for the message.
    credentials
        Of the storage.

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
    files = []
    for name, version in sorted(_walk(filesystem, base)):
        path = name[len(base) :].lstrip("/") or name.rsplit("/", 1)[-1]
        if not any(part.startswith((".", "_")) for part in path.split("/")):
            files.append(ListedFile(path, _href(root, base, name), version))
    return files


def _href(root: str, base: str, name: str) -> str:
    if not urlsplit(root).scheme:
        return name
    return root.rstrip("/") + name[len(base) :]


def _walk(filesystem: fsspec.AbstractFileSystem, base: str) -> Iterator[tuple[str, str]]:
    """Find every file below a folder (or the file itself), with its version."""
    if not isinstance(filesystem, LocalFileSystem):
        for name, info in filesystem.find(base, detail=True).items():
            stamp = info.get("etag") or info.get("last_modified") or info.get("mtime") or ""
            yield name, f"{info.get('size', 0)}-{stamp}"
        return
    # A folder of links, to folders or files, is as good as what they point to.
    found = (
        [base]
        if os.path.isfile(base)  # noqa: PTH113
        else (
            os.path.join(folder, name)  # noqa: PTH118
            for folder, _, names in os.walk(base, followlinks=True)
            for name in names
        )
    )
    for name in found:
        try:
            status = os.stat(name)  # noqa: PTH116
        except OSError:
            yield name, "unreadable"  # a link to nothing: reading it says so, tile by tile
        else:
            yield name, f"{status.st_size}-{status.st_mtime_ns}"
