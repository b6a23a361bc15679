"""What all datasets share: a place in storage, and what is refused."""

import glob
import shutil
from pathlib import Path
from typing import Any, ClassVar, TypedDict, TypeVar

import fsspec
from kedro.io import AbstractDataset

from aerial_kedro.datasets.atomic import find_filesystem, open_atomic

_Saved = TypeVar("_Saved")
_Loaded = TypeVar("_Loaded")


class Place:
    """A path of a disk or of blob storage, and what lies there.

    Parameters
    ----------
    path
        Path of a file or folder: a local path, or an address that fsspec opens.
    credentials
        Options of the storage's file system in fsspec; without them, those that it finds in the
        environment.
    """

    def __init__(self, path: str, credentials: dict[str, Any] | None = None) -> None:
        self._path, self._credentials = path, credentials or {}

    def locate(self, name: str = "") -> tuple[fsspec.AbstractFileSystem, str]:
        """Find a file's file system, and its path there.

        Parameters
        ----------
        name
            What follows the path: ``/card.json`` for a file in its folder, ``.json`` for
            an ending that the path lacks, nothing for the path itself.
        """
        path = self._path.rstrip("/") + name if name else self._path
        return find_filesystem(path, self._credentials)

    def has(self, name: str = "") -> bool:
        """Return whether a file or folder is there; its name as in `locate`."""
        filesystem, path = self.locate(name)
        return bool(filesystem.exists(path))

    def read_bytes(self, name: str = "") -> bytes:
        """Read a file whole; its name as in `locate`.

        Raises
        ------
        FileNotFoundError
            If it is not there.
        """
        filesystem, path = self.locate(name)
        return bytes(filesystem.cat_file(path))

    def write_bytes(self, content: bytes, name: str = "") -> None:
        """Write a file whole or not at all (`open_atomic`); its name as in `locate`."""
        with open_atomic(self._path.rstrip("/") + name, self._credentials) as file:
            file.write(content)

    def write_file(self, source: Path, name: str = "") -> None:
        """Copy a file of this machine, as `write_bytes` does, without holding it in memory."""
        with (
            source.open("rb") as content,
            open_atomic(self._path.rstrip("/") + name, self._credentials) as file,
        ):
            shutil.copyfileobj(content, file)

    def glob(self, pattern: str) -> list[str]:
        """List paths of the file system, sorted; the pattern as a name in `locate`."""
        filesystem, path = self.locate()
        return sorted(filesystem.glob(glob.escape(path.rstrip("/")) + pattern))

    def remove(self, name: str = "") -> None:
        """Remove a file, or a folder with all in it, if it is there; its name as in `locate`."""
        filesystem, path = self.locate(name)
        if filesystem.exists(path):
            filesystem.rm(path, recursive=filesystem.isdir(path))


class Options(TypedDict, total=False):
    """Options of `ProjectDataset` that every dataset hands on."""

    credentials: dict[str, Any] | None
    metadata: dict[str, Any] | None


class PathOptions(Options, total=False):
    """The same with the path, of datasets that leave it as it is."""

    path: str | None


class ProjectDataset(Place, AbstractDataset[_Saved, _Loaded]):
    """A dataset at a path of a disk or of blob storage.

    One that is only read defines ``load`` and, in `not_saved`, the sentence that refuses to save.
    Kedro's description of a dataset is what its constructor was given, without the credentials.

    Parameters
    ----------
    path
        Path of the file or folder: a local path, or an address that fsspec opens. None for what
        has no place in storage.
    credentials
        Options of the storage's file system in fsspec; without them, those that it finds in the
        environment.
    metadata
        Entries for plug-ins, such as the layer that kedro-viz draws.

    Attributes
    ----------
    not_saved
        Message of a dataset that is only read: what to do instead.
    """

    not_saved: ClassVar[str] = "It is only read."

    def __init__(
        self,
        *,
        path: str | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        # The command line reads a name of digits as a number.
        super().__init__("" if path is None else str(path), credentials)
        self.metadata = metadata

    def save(self, data: _Saved) -> None:
        """Refuse to write what is only read."""
        raise NotImplementedError(self.not_saved)

    def _exists(self) -> bool:
        return bool(self._path) and self.has()

    def _describe(self) -> dict[str, Any]:
        given = self._init_config()
        # Options that a subclass hands on without naming them.
        given |= given.pop("options", {})
        left_out = ("type", "credentials", "metadata")
        return {name: given[name] for name in given if name not in left_out}
