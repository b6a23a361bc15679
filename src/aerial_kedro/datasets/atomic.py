"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


@contextlib.contextmanager
def open_atomic(path: str, credentials: dict[str, Any] | None = None) -> Iterator[Any]:
    """Write a file whole or not at all: under another name first, then moved.

    Parameters
    ----------
    path
        Local path or address.
    credentials
        Of the storage.
    """
    filesystem, target = fsspec.core.url_to_fs(path, **(credentials or {}))
    folder, _, name = target.rpartition("/")
    filesystem.makedirs(folder, exist_ok=True)
    draft = f"{folder}/.{name}.{secrets.token_hex(4)}"
    try:
        with filesystem.open(draft, "wb") as file:
            yield file
        _move(filesystem, draft, target)
    finally:
        if filesystem.exists(draft):
            filesystem.rm(draft)


def write_atomic(path: str, content: bytes) -> None:
    """Write what is at hand in one piece, whole or not at all.

    A blob is there when its upload has ended, so that it needs no draft, which would be copied
    and deleted. The storage's credential is found in the environment, as workers have it.

    Parameters
    ----------
    path
        Local path, or address in blob storage.
    content
        Of the file.
    """
    filesystem, target = fsspec.core.url_to_fs(path)
    if isinstance(filesystem, LocalFileSystem):
        with open_atomic(path) as file:
            file.write(content)
    else:
        filesystem.pipe_file(target, content)


def _move(filesystem: fsspec.AbstractFileSystem, draft: str, target: str) -> None:
    """Put the draft in the target's place, in one step where the storage has one."""
    if isinstance(filesystem, LocalFileSystem):
        Path(draft).replace(target)
        return
    if filesystem.exists(target):
        filesystem.rm(target)
    filesystem.mv(draft, target)
