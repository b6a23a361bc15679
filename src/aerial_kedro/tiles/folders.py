"""Folders of tiles: their image files, with class, split and place of each, and catalog rows."""

import hashlib
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.names import count_suffixes, passed_over, some
from aerial_kedro.tiles.layout import Layout, check_class_names, read_layout
from aerial_kedro.tiles.places import SQUARE_COLUMNS, FolderPlaces

LOGGER = logging.getLogger(__name__)
IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff"),
    *(".bmp", ".gif", ".jp2", ".webp"),
)


@dataclass(frozen=True)
class TileFile:
    """A tile image in a folder.

    Parameters
    ----------
    href
        Address of the file.
    path
        Path of the file below the folder's root.
    source_version
        Version of the file's content.
    label
        Class folder that it lies in; None in a folder of unlabelled tiles.
    split
        Split of the folder that it lies in; None in a tree without split folders.
    """

    href: str
    path: str
    source_version: str
    label: str | None
    split: str | None


@dataclass(frozen=True)
class TileTree:
    """The tiles of a folder.

    Parameters
    ----------
    files
        The images.
    ignored
        Files that were passed over because they are no images.
    places
        Content of `tile_summaries.csv`; None where there is none.
    remarks
        Sentences on what else was found in the folder.
    """

    files: tuple[TileFile, ...]
    ignored: tuple[str, ...]
    places: FolderPlaces | None = None
    remarks: tuple[str, ...] = ()


def list_unlabelled(root: str, entries: Iterable[tuple[str, str, str]]) -> TileTree:
    """Take every image of a folder as a tile without label, however deep it lies.

    Parameters
    ----------
    root, entries
        As for `arrange_tree`.

    Raises
    ------
    AerialError
        If there is no image.
    """
    images, ignored = _separate_images(
        root, entries, "Give the folder of the tiles to score with --params=score_root=DIR."
    )
    files = tuple(
        TileFile(href, path, source_version, label=None, split=None)
        for path, href, source_version in images
    )
    return TileTree(files, ignored)


def arrange_tree(root: str, entries: Iterable[tuple[str, str, str]]) -> TileTree:
    """Determine classes and splits from the paths of a folder.

    Parameters
    ----------
    root
        The folder, for messages.
    entries
        ``(path below the root, href, source_version)`` of every file.

    Returns
    -------
    TileTree
        ``<Class>/…`` without splits, or with them ``train/<Class>/…`` and ``test/<Class>/…``
        (``validation/<Class>/…`` if there), or ``<Class>/train/…``; see `tiles.layout`.

    Raises
    ------
    AerialError
        If there is no image, an image outside a class folder, class names that read the same,
        fewer than two classes, or training without test tiles.
    """
    images, ignored = _separate_images(
        root, entries, "Give the folder above the class folders with --params=folders_root=DIR."
    )
    layout = read_layout(root, [path for path, _, _ in images], ignored)
    files = tuple(
        TileFile(href, path, source_version, *layout.places[path])
        for path, href, source_version in images
    )
    lost = _classes_without_image(ignored, layout)
    check_class_names(root, layout.classes)
    if len(layout.classes) < 2:  # noqa: PLR2004
        raise AerialError(
            f"The folder {root} has one class only ({layout.classes[0]!r}); a classifier needs "
            f"two. {' '.join([*lost, 'Give the folder whose own folders are the classes.'])}"
        )
    if layout.splits:
        _check_splits(root, files)
    return TileTree(files, ignored, remarks=(*layout.remarks(), *lost))


def _separate_images(
    root: str, entries: Iterable[tuple[str, str, str]], remedy: str
) -> tuple[list[tuple[str, str, str]], tuple[str, ...]]:
    """Return the images, in order of their paths, and the paths of other files."""
    images: list[tuple[str, str, str]] = []
    ignored: list[str] = []
    for entry in sorted(entries):
        if entry[0].lower().endswith(IMAGE_SUFFIXES):
            images.append(entry)
        else:
            ignored.append(entry[0])
    if not images:
        raise AerialError(
            f"The folder {root} holds no tile image ({', '.join(IMAGE_SUFFIXES)})"
            + (f", only other files: {count_suffixes(ignored)}" if ignored else "")
            + f". {remedy}"
        )
    return images, tuple(ignored)


def _check_splits(root: str, files: Sequence[TileFile]) -> None:
    in_split = {
        split: {str(file.label) for file in files if file.split == split}
        for split in ("train", "validation", "test")
    }
    for needed in ("train", "test"):
        if not in_split[needed]:
            raise AerialError(
                f"The folder {root} has no {needed}/ folder with images beside the other one. "
                f"Add {needed}/<Class>/; or give the folder of one split alone, or remove the "
                "split folders, to have a split made."
            )
    for split in ("validation", "test"):
        unseen = sorted(in_split[split] - in_split["train"])
        if unseen:
            raise AerialError(
                f"The classes {unseen} are in {root} among the {split} tiles but not among the "
                f"training tiles, so no model can know them. Add training tiles, or remove them "
                f"from {split}."
            )


def _classes_without_image(ignored: Sequence[str], layout: Layout) -> list[str]:
    """Name the class folders that hold other files only."""
    others: dict[str, list[str]] = defaultdict(list)
    for path in ignored:
        if label := layout.class_of(path):
            others[label].append(path)
    return [
        f"The class folder {label!r} holds no image that is read, only {count_suffixes(paths)}: "
        f"there is no such class here. Convert them to PNG, JPEG or TIFF."
        for label, paths in sorted(others.items())
        if label not in layout.classes
    ]


def image_id_of(path: str) -> str:
    """Name a folder tile: its path in letters, digits and ``_ -``, and a hash that makes it unique.

    Examples
    --------
    >>> image_id_of("train/Forest/tile 1.png")
    'train_forest_tile_1-99860c09'
    """
    stem = re.sub(r"[^a-z0-9_-]+", "_", path.rsplit(".", 1)[0].lower()).strip("_")
    return f"{stem[-100:]}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def rows_of_files(tree: TileTree, year: int | None) -> pd.DataFrame:
    """Make one row a tile image; what was passed over, or has no place, is logged.

    Parameters
    ----------
    tree
        The files of the folder, with their places where `tile_summaries.csv` gives them.
    year
        Year of all of them, if it is known.

    Returns
    -------
    pandas.DataFrame
        ``image_id, tile_id, href, source_version, kind, label, split, year`` and ``epsg, xmin,
        ymin, xmax, ymax, lon, lat``, which are missing for tiles without a place.
    """
    for remark in remarks_on(tree):
        LOGGER.warning("%s", remark)
    rows = pd.DataFrame(list(tree.files))
    ids = [image_id_of(path) for path in rows["path"]]
    # An equal path, size and time below another root is another version.
    addresses = [hashlib.sha256(href.encode()).hexdigest()[:8] for href in rows["href"]]
    squares = tree.places.squares if tree.places else pd.DataFrame(columns=SQUARE_COLUMNS)
    return (
        rows.assign(image_id=ids, tile_id=ids, kind="file", year=year)
        .assign(source_version=rows["source_version"] + "-" + addresses)
        .join(squares, on="path")
        .drop(columns="path")
        # Whole numbers also where some are missing.
        .astype({"epsg": "Int64", "year": "Int64"})
    )


def remarks_on(tree: TileTree) -> list[str]:
    """List in words what of a folder was passed over, or has no place."""
    remarks = list(tree.remarks)
    if tree.ignored:
        remarks.append(f"{passed_over(tree.ignored)}: they are no images that are read, or hidden")
    if tree.places is None:
        return remarks
    placed = tree.places.squares.index
    without_row = [file.path for file in tree.files if file.path not in placed]
    if without_row:
        remarks.append(
            f"{len(without_row)} of {len(tree.files)} tile(s) have no row in tile_summaries.csv "
            f"and so no coordinates: {some(without_row)}"
        )
    if tree.places.without_file:
        remarks.append(
            f"{len(tree.places.without_file)} row(s) of tile_summaries.csv name no image here: "
            f"{some(tree.places.without_file)}"
        )
    if tree.places.repeated:
        remarks.append(f"{tree.places.repeated} row(s) of tile_summaries.csv are repeated")
    return remarks
