"""The layer of a reference sample, and the filled file in each form that it may come back in."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from kedro.io import DatasetError

from aerial_kedro.datasets.reference import AnswerFileDataset, GeoPackageDataset

ROWS = [
    {"sample_id": "ab-0001", "year": "2018", "class": "NA", "remark": "unsure; <b>dark</b>, wet"},
    {"sample_id": "ab-0002", "year": "2018", "class": "", "remark": ""},
]


def read(path: Path | None) -> list[dict[str, str]]:
    return AnswerFileDataset(path=None if path is None else str(path)).load().rows


def layer() -> gpd.GeoDataFrame:
    table = pd.DataFrame(ROWS).assign(year=2018)
    return gpd.GeoDataFrame(table, geometry=[shapely.box(0, 0, 1, 1)] * 2, crs="OGC:CRS84")


def test_tables_are_read_as_text(tmp_path: Path) -> None:
    table = pd.DataFrame(ROWS)
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "b.CSV", index=False, sep=";", encoding="utf-8-sig")
    assert read(tmp_path / "a.csv") == read(tmp_path / "b.CSV") == ROWS


def test_layers_are_read_alike(tmp_path: Path) -> None:
    GeoPackageDataset(path=str(tmp_path / "a.gpkg")).save(layer())
    layer().to_file(tmp_path / "b.geojson", driver="GeoJSON", engine="pyogrio")
    assert read(tmp_path / "a.gpkg") == read(tmp_path / "b.geojson") == ROWS
    again = GeoPackageDataset(path=str(tmp_path / "a.gpkg")).load()
    assert again.geometry.iloc[0].bounds == (0, 0, 1, 1)


def test_a_layer_with_gaps_and_a_year_of_fractions(tmp_path: Path) -> None:
    table = layer().assign(year=[2018.0, 2018.0], remark=[None, "x"])
    table.to_file(tmp_path / "a.gpkg", driver="GPKG", engine="pyogrio")
    assert [(row["year"], row["remark"]) for row in read(tmp_path / "a.gpkg")] == [
        ("2018", ""), ("2018", "x"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, r"gone.csv does not exist\. Give the file that the page"),
        ("a.xlsx", b"PK", "of no kind that is read"),
        ("a.csv", b" \n", "a.csv is empty"),
        ("a.csv", "Gebäude".encode("latin-1"), "is not UTF-8"),
        ("a.csv", b"a,b\n1,2,3,4\n1,2\n1,2,3,4,5,6\n", "cannot be read as a table"),
        ("a.gpkg", b"nothing", "cannot be read as a vector layer"),
    ],
)
def test_what_cannot_be_read(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read(tmp_path / name)


def test_no_file_is_asked_for() -> None:
    with pytest.raises(DatasetError, match=r"--params=reference_labels=FILE"):
        read(None)
