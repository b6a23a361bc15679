"""Layers of regions: every usual format, locally and from storage, and none at all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import geopandas as gpd
import pytest
import shapely

from aerial_kedro.datasets.regions import RegionLayerDataset
from tests.unit.datasets.refusals import refused

FRAME = gpd.GeoDataFrame(
    {"NAME": ["Añasco", "Lee"]},
    geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)],
    crs="EPSG:4269",
)


def write(folder: Path, name: str) -> Path:
    path = folder / name
    if name.endswith(".parquet"):
        FRAME.to_parquet(path)
    elif name.endswith(".zip"):
        (folder / "shp").mkdir()
        FRAME.to_file(folder / "shp" / "counties.shp", engine="pyogrio")
        shutil.make_archive(str(path.with_suffix("")), "zip", folder / "shp")
    elif name.endswith(".geojson"):
        FRAME.to_crs(4326).to_file(path, engine="pyogrio")
    else:
        FRAME.to_file(path, engine="pyogrio")
    return path


NAMES = ["c.gpkg", "c.geojson", "c.zip", "c.parquet", "c.shp", "c.fgb"]


@pytest.mark.parametrize("name", NAMES)
def test_every_format(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name)
    layer = RegionLayerDataset(path=str(path)).load()
    assert layer.path == str(path)
    assert layer.frame is not None
    assert sorted(layer.frame["NAME"]) == ["Añasco", "Lee"]
    assert layer.frame.crs is not None


@pytest.mark.parametrize("name", [name for name in NAMES if name != "c.shp"])
def test_from_storage_that_is_no_disk(tmp_path: Path, name: str) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe(f"/layers/{name}", write(tmp_path, name).read_bytes())
    layer = RegionLayerDataset(path=f"memory://layers/{name}").load()
    assert layer.frame is not None
    assert len(layer.frame) == 2


@pytest.fixture
def _fiona() -> Iterator[None]:
    before, gpd.options.io_engine = gpd.options.io_engine, "fiona"
    yield
    gpd.options.io_engine = before


@pytest.mark.usefixtures("_fiona")
def test_whatever_engine_others_have_chosen(tmp_path: Path) -> None:
    """Kedro's geopandas dataset, which the catalog has, turns geopandas to fiona."""
    path = write(tmp_path, "c.gpkg")
    layer = RegionLayerDataset(path=str(path)).load()
    assert layer.frame is not None
    assert len(layer.frame) == 2


def test_no_path_is_no_regions() -> None:
    layer = RegionLayerDataset(path=None).load()
    assert layer.path is None
    assert layer.frame is None


def test_what_is_not_there(tmp_path: Path) -> None:
    with refused("regions_path=.*none.gpkg does not exist"):
        RegionLayerDataset(path=str(tmp_path / "none.gpkg")).load()


@pytest.mark.parametrize("name", ["c.gpkg", "c.parquet", "c.geojson", "c.txt"])
def test_what_is_no_layer(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("nothing of that kind")
    with refused("cannot be read as a vector layer"):
        RegionLayerDataset(path=str(tmp_path / name)).load()


def test_a_table_without_geometries(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("NAME,area\nLee,3\n")
    with refused("without geometries"):
        RegionLayerDataset(path=str(tmp_path / "c.csv")).load()


def test_several_layers(tmp_path: Path) -> None:
    for layer in ("states", "counties"):
        FRAME.to_file(tmp_path / "c.gpkg", layer=layer, engine="pyogrio")
    with refused("2 layers: states, counties"):
        RegionLayerDataset(path=str(tmp_path / "c.gpkg")).load()
