"""Rows of the tile catalog for the images of a folder."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, fields

import pandas as pd

from aerial_kedro.tiles.folders import TileFile, TileTree, image_id_of
from aerial_kedro.tiles.places import GroundSquare

_SPATIAL = [field.name for field in fields(GroundSquare)]
_SHOWN = 5


def rows_of_files(tree: TileTree, year: int | None) -> pd.DataFrame:
    """Make one row a tile image.

    Parameters
    ----------
    tree
        The files of the folder.
    year
        Year of all of them, if it is known.

    Returns
    -------
    pandas.DataFrame
        ``image_id, tile_id, href, source_version, kind, label, split, year`` and ``epsg, xmin,
        ymin, xmax, ymax, lon, lat``, which are missing for tiles without a place.
    """
    squares = tree.places.squares if tree.places else {}
    no_place = dict.fromkeys(_SPATIAL)
    rows = []
    for file in tree.files:
        square = squares.get(file.path)
        image_id = image_id_of(file.path)
        rows.append(
            {
                "image_id": image_id,
                "tile_id": image_id,
                "href": file.href,
                "source_version": _version_at_address(file),
                "kind": "file",
                "label": file.label,
                "split": file.split,
                "year": year,
                **(asdict(square) if square else no_place),
            }
        )
    # Whole numbers also where some are missing.
    return pd.DataFrame(rows).astype({"epsg": "Int64", "year": "Int64"})


def _version_at_address(file: TileFile) -> str:
    """Return a version that differs from that of an equal path, size and time in another root."""
    return f"{file.source_version}-{hashlib.sha256(file.href.encode()).hexdigest()[:8]}"


def remarks_on(tree: TileTree) -> list[str]:
    """List in words what of a folder was passed over, or has no place."""
    remarks = []
    if tree.ignored:
        remarks.append(
            f"{len(tree.ignored)} file(s) that are no images were passed over: "
            f"{_some(tree.ignored)}"
        )
    if tree.places is None:
        return remarks
    without_row = [file.path for file in tree.files if file.path not in tree.places.squares]
    if without_row:
        remarks.append(
            f"{len(without_row)} of {len(tree.files)} tile(s) have no row in tile_summaries.csv "
            f"and so no coordinates: {_some(without_row)}"
        )
    if tree.places.without_file:
        remarks.append(
            f"{len(tree.places.without_file)} row(s) of tile_summaries.csv name no image here: "
            f"{_some(tree.places.without_file)}"
        )
    if tree.places.repeated:
        remarks.append(f"{tree.places.repeated} row(s) of tile_summaries.csv are repeated")
    return remarks


def _some(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
