"""Files that are there whole or not at all."""

import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


def find_filesystem(
    path: str, credentials: dict[str, Any] | None = None
) -> tuple[fsspec.AbstractFileSystem, str]:
    """Find a path's file system, and its path there.

    Parameters
    ----------
    path
        Local path, or address that fsspec opens. In a local one, ``::`` is part of the name; in an
        address, fsspec takes it for a chain of file systems.
    credentials
        Options of the storage's file system in fsspec; without them, those that it finds in the
        environment.
    """
    if "://" in path:
        found: tuple[fsspec.AbstractFileSystem, str] = fsspec.core.url_to_fs(
            path, **(credentials or {})
        )
        return found
    return fsspec.filesystem("file"), str(LocalFileSystem._strip_protocol(path))


@contextlib.contextmanager
def open_atomic(path: str, credentials: dict[str, Any] | None = None) -> Iterator[IO[bytes]]:
    """Open a file to be written whole or not at all; the old one is kept until then.

    On a disk it is a draft that is moved into place. A blob is there once its upload has ended, so
    that it is collected here and uploaded at the end; storage has no rename, and a copy may still
    be going on when its source is deleted.

    Parameters
    ----------
    path
        Local path, or address in blob storage.
    credentials
        Options of the storage's file system in fsspec; without them, those that it finds in the
        environment, as workers do.
    """
    filesystem, target = find_filesystem(path, credentials)
    if not isinstance(filesystem, LocalFileSystem):
        with tempfile.NamedTemporaryFile() as collected:
            yield collected
            collected.flush()
            filesystem.put_file(collected.name, target)
        return
    place = Path(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
