"""Catalog rows of a folder's images."""

from __future__ import annotations

import pandas as pd

from aerial_kedro.tiles.folders import TileTree, list_unlabelled, remarks_on, rows_of_files
from aerial_kedro.tiles.places import SQUARE_COLUMNS, FolderPlaces

SQUARE = [26919, 302_000.0, 4_690_000.0, 302_224.0, 4_690_224.0, -71.4, 42.4]
SQUARES = pd.DataFrame([SQUARE], columns=SQUARE_COLUMNS, index=["a.png"])


def tree_of(*paths: str, root: str = "/tiles", places: FolderPlaces | None = None) -> TileTree:
    tree = list_unlabelled(root, [(path, f"{root}/{path}", "12-34") for path in paths])
    return TileTree(tree.files, tree.ignored, places)


def test_tiles_without_a_place_have_none_in_any_column() -> None:
    rows = rows_of_files(tree_of("a.png", "b.png", places=FolderPlaces(SQUARES)), None)
    spatial = ["epsg", "xmin", "ymin", "xmax", "ymax", "lon", "lat"]
    assert rows.loc[0, spatial].tolist() == SQUARE
    assert rows.loc[1, spatial].isna().all()
    assert rows[["year", "label", "split"]].isna().all(axis=None)
    assert str(rows["epsg"].dtype) == "Int64"


def test_the_year_is_that_of_all() -> None:
    assert rows_of_files(tree_of("a.png", "b.png"), 2018)["year"].tolist() == [2018, 2018]


def test_the_same_name_below_another_root_is_another_version() -> None:
    """Archives unpack to files of one size and time; their features must not be mixed up."""
    first, second = (rows_of_files(tree_of("a.png", root=root), None) for root in ("/x", "/y"))
    assert first["image_id"].tolist() == second["image_id"].tolist()
    assert first["source_version"].tolist() != second["source_version"].tolist()
    again = rows_of_files(tree_of("a.png", root="/x"), None)
    assert again["source_version"].tolist() == first["source_version"].tolist()


def test_what_is_passed_over_is_told() -> None:
    places = FolderPlaces(SQUARES, without_file=("gone.png",), repeated=2)
    remarks = remarks_on(tree_of("a.png", "b.png", "notes.txt", places=places))
    assert remarks == [
        "1 file(s) were passed over: 1 .txt (notes.txt): they are no images that are read, "
        "or hidden",
        "1 of 2 tile(s) have no row in tile_summaries.csv and so no coordinates: b.png",
        "1 row(s) of tile_summaries.csv name no image here: gone.png",
        "2 row(s) of tile_summaries.csv are repeated",
    ]
    assert remarks_on(tree_of("a.png")) == []
