"""Listing of folders, local or in blob storage, with what tells a file's versions apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import fsspec

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
    found = filesystem.find(base, detail=True)
    files = []
    for name, info in sorted(found.items()):
        path = name[len(base) :].lstrip("/") or name.rsplit("/", 1)[-1]
        if not any(part.startswith((".", "_")) for part in path.split("/")):
            files.append(ListedFile(path, _href(root, base, name), _version(info)))
    return files


def _href(root: str, base: str, name: str) -> str:
    if not urlsplit(root).scheme:
        return name
    return root.rstrip("/") + name[len(base) :]


def _version(info: dict[str, Any]) -> str:
    stamp = info.get("etag") or info.get("mtime") or info.get("last_modified") or ""
    return f"{info.get('size', 0)}-{stamp}"
