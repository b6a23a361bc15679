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


def _move(filesystem: fsspec.AbstractFileSystem, draft: str, target: str) -> None:
    """Put the draft in the target's place, in one step where the storage has one."""
    if isinstance(filesystem, LocalFileSystem):
        Path(draft).replace(target)
        return
    if filesystem.exists(target):
        filesystem.rm(target)
    filesystem.mv(draft, target)
