"""Folders of labelled tiles."""

from __future__ import annotations

from typing import Any

from kedro.io import AbstractDataset

from aerial_kedro.datasets.listing import list_folder
from aerial_kedro.tiles.folders import TileTree, arrange_tree


class TileFolderDataset(AbstractDataset[None, TileTree]):
    """A folder of class folders; loads as a `aerial_kedro.tiles.folders.TileTree`.

    Parameters
    ----------
    path
        The folder above the class folders, or above ``train/`` and ``test/``.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str | None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._credentials = path, credentials
        self.metadata = metadata

    def load(self) -> TileTree:
        """List the tiles with their classes and splits."""
        files = list_folder(
            self._path,
            "folders_root",
            "Give the folder above the class folders with --params=folders_root=DIR.",
            self._credentials,
        )
        return arrange_tree(
            str(self._path), ((file.path, file.href, file.source_version) for file in files)
        )

    def save(self, data: None) -> None:
        """Tiles are an input."""
        raise NotImplementedError("Tile folders are read, never written.")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}
