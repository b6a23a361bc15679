"""Folders of tiles, labelled or not."""

from dataclasses import replace
from typing import Unpack

from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.datasets.listing import check_names, list_folder
from aerial_kedro.errors import AerialError
from aerial_kedro.tiles.folders import IMAGE_SUFFIXES, TileTree, arrange_tree, list_unlabelled
from aerial_kedro.tiles.places import SUMMARIES_NAME, read_places

# Run parameter, remedy, and what makes a tree of the files.
_LABELLED = (
    "folders_root",
    "Give the folder above the class folders with --params=folders_root=DIR.",
    arrange_tree,
)
_UNLABELLED = (
    "score_root",
    "Give the folder of the tiles to score with --params=score_root=DIR.",
    list_unlabelled,
)


class TileFolderDataset(ProjectDataset[None, TileTree]):
    """A folder of tile images; loads as a `aerial_kedro.tiles.folders.TileTree`.

    Where `tile_summaries.csv` lies at its root, the tree knows the tiles' places. Kedro's
    `PartitionedDataset` would open the images here; the tree only lists them for Spark's workers.

    Parameters
    ----------
    path
        The folder above the class folders, or above ``train/`` and ``test/``; of unlabelled
        tiles: above the images.
    labelled
        Whether folders are classes.
    **options
        Options of `ProjectDataset`.
    """

    not_saved = "Tile folders are read, never written."

    def __init__(
        self, *, path: str | None, labelled: bool = True, **options: Unpack[Options]
    ) -> None:
        super().__init__(path=path, **options)
        self._labelled = labelled

    def load(self) -> TileTree:
        """List the tiles with their classes and splits, and their places."""
        parameter, remedy, arrange = _LABELLED if self._labelled else _UNLABELLED
        listing = list_folder(self._path, parameter, remedy, self._credentials)
        files = {file.path: file for file in listing.files}
        table = files.pop(SUMMARIES_NAME, None)
        images = (each for each in files.values() if each.path.lower().endswith(IMAGE_SUFFIXES))
        check_names(images, f"{parameter}={self._path}")
        entries = ((file.path, file.href, file.source_version) for file in files.values())
        try:
            tree = arrange(self._path, entries)
        except AerialError as error:
            # A class may be missing because its folder may not be opened.
            found = "".join(f" {remark}." for remark in listing.remarks)
            raise AerialError(f"{error}{found}") from error
        ignored = tuple(sorted((*tree.ignored, *listing.hidden)))
        tree = replace(tree, ignored=ignored, remarks=(*tree.remarks, *listing.remarks))
        if table is None:
            return tree
        paths = [file.path for file in tree.files]
        content = self.read_bytes(f"/{SUMMARIES_NAME}")
        return replace(tree, places=read_places(content, table.href, paths))
