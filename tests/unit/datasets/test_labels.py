"""Files of labels: every usual format, tables as text, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import fsspec
import geopandas as gpd
import pytest
import shapely

from aerial_kedro.datasets.labels import LabelFileDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.layer import LabelLayer, read_labels
from aerial_kedro.labels.rules import LabelRules
from tests.unit.datasets.refusals import refused

FRAME = gpd.GeoDataFrame(
    {"class": ["Corn", "NA", "Corn"], "year": [2018, 2020, 2020]},
    geometry=[shapely.Point(-76, 40), shapely.box(-76, 40, -75.9, 40.1), shapely.Point(-76, 41)],
    crs=4326,
)
TABLE = 'class,year,lon,lat\nCorn,2018,-76,40\n"NA",2020,-75.95,40.05\nCorn,2020,-76,41\n'


def write(folder: Path, name: str) -> Path:
    path = folder / name
    points = FRAME.set_geometry(FRAME.representative_point())  # a shapefile has one kind of shape
    if name.endswith(".parquet"):
        FRAME.to_parquet(path)
    elif name.endswith(".zip"):
        (folder / "shp").mkdir()
        points.to_file(folder / "shp" / "labels.shp", engine="pyogrio")
        shutil.make_archive(str(path.with_suffix("")), "zip", folder / "shp")
    elif name.endswith((".csv", ".tsv")):
        path.write_text(TABLE.replace(",", "\t") if name.endswith("tsv") else TABLE)
    else:
        (points if name.endswith(".shp") else FRAME).to_file(path, engine="pyogrio")
    return path


def load(path: str) -> LabelLayer:
    return read_labels(LabelFileDataset(path=path).load(), LabelRules(min_purity=0.7))


NAMES = ["l.gpkg", "l.geojson", "l.zip", "l.parquet", "l.shp", "l.CSV", "l.tsv", "l.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_every_format(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name.lower()).rename(tmp_path / name)
    layer = load(str(path))
    assert layer.path == str(path)
    assert layer.frame["class_name"].tolist() == ["Corn", "NA", "Corn"]
    assert layer.frame["year"].tolist() == [2018, 2020, 2020]
    assert (
        layer.frame.geometry.representative_point()[1].distance(shapely.Point(-75.95, 40.05)) < 1e-6
    )


@pytest.mark.parametrize("name", ["l.gpkg", "l.csv"])
def test_from_storage_that_is_no_disk(tmp_path: Path, name: str) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe(f"/labels/{name}", write(tmp_path, name).read_bytes())
    assert len(load(f"memory://labels/{name}").frame) == 3


def test_from_the_home_folder_and_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "l.csv")
    write(tmp_path, "l.gpkg")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for path in ("~/l.csv", "l.csv", "~/l.gpkg", "./l.gpkg"):
        assert len(load(path).frame) == 3


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + TABLE,
        TABLE.replace(",", ";"),
        TABLE.replace(",", ", "),
        TABLE.replace("\n", "\r\n"),
    ],
    ids=["byte order mark", "semicolons", "blanks", "Windows"],
)
def test_tables_as_spreadsheets_write_them(tmp_path: Path, content: str) -> None:
    (tmp_path / "l.csv").write_bytes(content.encode())
    assert load(str(tmp_path / "l.csv")).frame["class_name"].tolist() == ["Corn", "NA", "Corn"]


def test_no_path_is_no_labels() -> None:
    assert not read_labels(LabelFileDataset(path=None).load(), LabelRules(min_purity=0.7)).is_given


def test_what_is_not_there(tmp_path: Path) -> None:
    with refused(r"labels_path=.*none\.csv does not exist. Give points or polygons"):
        LabelFileDataset(path=str(tmp_path / "none.csv")).load()


@pytest.mark.parametrize("name", ["l.gpkg", "l.parquet", "l.geojson", "l.shp", "l.xyz"])
def test_what_is_no_layer(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("nothing of that kind")
    with refused(r"labels_path=.* cannot be read as a vector layer .* Give points or polygons"):
        LabelFileDataset(path=str(tmp_path / name)).load()


def test_a_folder_is_no_layer(tmp_path: Path) -> None:
    with refused("labels_path=.*cannot be read"):
        LabelFileDataset(path=str(tmp_path)).load()


@pytest.mark.parametrize(
    ("content", "remedy"),
    [(b"", "line of column names"), (b"class,lon\na,b,c,d\n1,2,3,4,5,6\n", "as many values"),
     ("class,lon,lat\nWürste,1,2\n".encode("latin-1"), "CSV UTF-8")],
)  # fmt: skip
def test_what_is_no_table(tmp_path: Path, content: bytes, remedy: str) -> None:
    (tmp_path / "l.csv").write_bytes(content)
    with refused(f"labels_path=.*cannot be read as a table .*{remedy}"):
        LabelFileDataset(path=str(tmp_path / "l.csv")).load()


def test_several_layers_are_named(tmp_path: Path) -> None:
    for layer in ("trees", "fields"):
        FRAME.to_file(tmp_path / "l.gpkg", layer=layer, engine="pyogrio")
    with refused("2 layers: trees, fields"):
        LabelFileDataset(path=str(tmp_path / "l.gpkg")).load()


def test_a_shapefile_without_its_prj(tmp_path: Path) -> None:
    path = write(tmp_path, "l.shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(
        AerialError, match=r"l\.shp has no coordinate .*\.prj.*EPSG:4326, for these"
    ):
        load(str(path))
