"""Folders of tiles, labelled or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import fsspec
from kedro.io import AbstractDataset

from aerial_kedro.datasets.listing import ListedFile, list_folder
from aerial_kedro.tiles.folders import TileTree, arrange_tree, list_unlabelled
from aerial_kedro.tiles.places import SUMMARIES_NAME, read_places


class TileFolderDataset(AbstractDataset[None, TileTree]):
    """A folder of tile images; loads as a `aerial_kedro.tiles.folders.TileTree`.

    Where `tile_summaries.csv` lies at its root, the tree knows the tiles' places.

    Parameters
    ----------
    path
        The folder above the class folders, or above ``train/`` and ``test/``; of unlabelled
        tiles: above the images.
    labelled
        Whether folders are classes.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str | None,
        labelled: bool = True,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._labelled, self._credentials = path, labelled, credentials
        self.metadata = metadata

    def load(self) -> TileTree:
        """List the tiles with their classes and splits, and their places."""
        parameter, remedy, arrange = (
            (
                "folders_root",
                "Give the folder above the class folders with --params=folders_root=DIR.",
                arrange_tree,
            )
            if self._labelled
            else (
                "score_root",
                "Give the folder of the tiles to score with --params=score_root=DIR.",
                list_unlabelled,
            )
        )
        files = list_folder(self._path, parameter, remedy, self._credentials)
        tree = arrange(
            str(self._path),
            (
                (file.path, file.href, file.source_version)
                for file in files
                if file.path != SUMMARIES_NAME
            ),
        )
        return self._with_places(tree, files)

    def _with_places(self, tree: TileTree, files: list[ListedFile]) -> TileTree:
        for table in (file for file in files if file.path == SUMMARIES_NAME):
            filesystem, name = fsspec.core.url_to_fs(table.href, **(self._credentials or {}))
            paths = [file.path for file in tree.files]
            return replace(tree, places=read_places(filesystem.cat_file(name), table.href, paths))
        return tree

    def save(self, data: None) -> None:
        """Tiles are an input."""
        raise NotImplementedError("Tile folders are read, never written.")

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path, "labelled": self._labelled}
