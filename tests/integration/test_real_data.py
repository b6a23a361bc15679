"""The same pipelines on real imagery and labels (the README of that folder says whose)."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import Geod, Transformer

from tests.integration.kedro_project import FOLDERS, Project

pytestmark = pytest.mark.shared_data

CITIES = ("claremont", "long_beach", "palm_springs", "riverside", "santa_monica")
CODES = {
    "Barren": [31],
    "Forest": [41, 42, 43, 90],
    "Shrub": [51, 52],
    "Cultivated": [81, 82],
    "Herbaceous": [71, 72, 73, 74, 95],
    "Developed": [21, 22, 23, 24],
    "Water": [11, 12],
}


# California scenes on 100 m land cover -------------------------------------------------------


@pytest.fixture(scope="module")
def california(
    _kedro: None, tmp_path_factory: pytest.TempPathFactory, tracking_uri: str, shared_data: Path
) -> Project:
    """Two sites of each city in one year, and one city in another year too."""
    scenes = tmp_path_factory.mktemp("california_scenes")
    chosen = [
        path
        for city in CITIES
        for path in sorted((shared_data / "naip/california").glob(f"{city}_2018_*.tif"))[:3]
    ]
    chosen += sorted((shared_data / "naip/california").glob("riverside_2020_*.tif"))[:3]
    for path in chosen:
        shutil.copy(path, scenes)
    land_cover = tmp_path_factory.mktemp("california_land_cover")
    for number in (50, 51, 60, 61):
        shutil.copy(shared_data / f"nlcd/conus2011_100m_tile{number}.tif", land_cover)
    parameters = {
        "scenes_root": str(scenes),
        "landcover_path": str(land_cover),
        "tile_size_m": 50,
        "split": {"block_size_m": 1100},
    }
    project = Project(tmp_path_factory.mktemp("california"), parameters, tracking_uri)
    project.run("data_ingestion")
    return project


@pytest.fixture(scope="module")
def catalog(california: Project) -> pd.DataFrame:
    return california.table("03_primary/tile_catalog")


def test_each_scene_has_its_tiles(california: Project, catalog: pd.DataFrame) -> None:
    """153.6 m hold two or three tiles of 50 m each way."""
    counts = catalog.groupby("href").size()
    assert len(counts) == len(list(Path(california.parameters["scenes_root"]).iterdir()))
    assert counts.between(4, 9).all()
    assert catalog["image_id"].is_unique


def test_a_tile_lies_where_its_pixels_lie(catalog: pd.DataFrame) -> None:
    """Corners from the file's own transform, to the centimetre."""
    for href, tiles in catalog.groupby("href"):
        with rasterio.open(href) as scene:
            assert (tiles["epsg"] == scene.crs.to_epsg()).all()
            for tile in tiles.itertuples():
                window = rasterio.windows.Window(
                    tile.col_off, tile.row_off, tile.width, tile.height
                )
                found = rasterio.windows.bounds(window, scene.transform)
                expected = (tile.xmin, tile.ymin, tile.xmax, tile.ymax)
                np.testing.assert_allclose(found, expected, atol=0.01)
                assert tile.row_off >= -1e-6
                assert tile.col_off >= -1e-6
                assert tile.row_off + tile.height <= scene.height + 1e-6
                assert tile.col_off + tile.width <= scene.width + 1e-6


def test_a_tiles_centre_is_right_on_the_globe(catalog: pd.DataFrame) -> None:
    for epsg, tiles in catalog.groupby("epsg"):
        to_degrees = Transformer.from_crs(int(epsg), 4326, always_xy=True)
        x, y = (tiles["xmin"] + tiles["xmax"]) / 2, (tiles["ymin"] + tiles["ymax"]) / 2
        lon, lat = to_degrees.transform(x, y)
        np.testing.assert_allclose(tiles["lon"], lon, atol=1e-7)
        np.testing.assert_allclose(tiles["lat"], lat, atol=1e-7)
    assert catalog["lon"].between(-119, -116).all()
    assert catalog["lat"].between(33, 35).all()


def test_the_same_site_has_the_same_places_in_both_years(catalog: pd.DataFrame) -> None:
    riverside = catalog[catalog["href"].str.contains("riverside")]
    first, second = (set(riverside.loc[riverside["year"] == y, "tile_id"]) for y in (2018, 2020))
    assert first & second


def test_shares_are_those_of_the_cells_below(california: Project, catalog: pd.DataFrame) -> None:
    """Against a dense grid of points, looked up in whichever piece of the land cover has them."""
    pieces = sorted(Path(california.parameters["landcover_path"]).glob("*.tif"))
    names = {code: name for name, codes in CODES.items() for code in codes}
    steps = (np.arange(20) + 0.5) / 20
    checked = 0
    for tile in catalog.itertuples():
        x, y = np.meshgrid(
            tile.xmin + steps * (tile.xmax - tile.xmin), tile.ymin + steps * (tile.ymax - tile.ymin)
        )
        to_land_cover = Transformer.from_crs(int(tile.epsg), 5070, always_xy=True)
        points = np.stack(to_land_cover.transform(x.ravel(), y.ravel()), axis=-1)
        codes = code_at(points, pieces)
        if (codes <= 0).any():
            continue
        found = pd.Series([names[int(code)] for code in codes]).value_counts(normalize=True)
        shares = dict(tile.fractions)
        for name in {*shares, *found.index}:
            assert shares.get(name, 0.0) == pytest.approx(found.get(name, 0.0), abs=0.06)
        checked += 1
    assert checked > 0.8 * len(catalog)


def code_at(points: np.ndarray, pieces: list[Path]) -> np.ndarray:
    codes = np.zeros(len(points))
    for piece in pieces:
        with rasterio.open(piece) as raster:
            found = np.array([value[0] for value in raster.sample(points)])
        codes = np.where(codes > 0, codes, found)
    return codes


def test_the_splits_of_scattered_scenes_are_apart(california: Project) -> None:
    check = california.json("03_primary/split_check.json")
    assert check["smallest_distance_m"] >= check["required_distance_m"]


# Other scenes and land cover -----------------------------------------------------------------


def lay_tiles(
    project: Project, scenes: list[Path], land_cover: Path, folder: Path, **parameters: object
) -> pd.DataFrame:
    folder.mkdir()
    for path in scenes:
        shutil.copy(path, folder)
    given = {"scenes_root": str(folder), "landcover_path": str(land_cover), **parameters}
    project.run("data_ingestion", to_outputs=["labelled_tiles"], **given)
    return project.table("02_intermediate/labelled_tiles")


def test_two_scenes_of_a_zone_border_lay_no_place_twice(
    project: Project, shared_data: Path, tmp_path: Path
) -> None:
    """Each is in one zone's coordinates and lies, to a part, in the other zone."""
    scenes = sorted((shared_data / "naip/other").glob("m_3607[78]*.tif"))
    assert len(scenes) == 2
    tiles = lay_tiles(
        project,
        scenes,
        shared_data / "nlcd/conus2011_100m_tile41.tif",
        tmp_path / "scenes",
        tile_size_m=50,
    )
    assert tiles["tile_id"].is_unique
    assert set(tiles["href"].str.rsplit("/").str[-1]) == {path.name for path in scenes}
    zone = np.floor((tiles["lon"] + 180) / 6) + 1
    assert (tiles["epsg"] % 100 == zone).all()
    squares = np.array([to_zone_18(tile) for tile in tiles.itertuples()])
    inner, outer = shapely.STRtree(squares).query(shapely.centroid(squares), predicate="within")
    assert [(a, b) for a, b in zip(inner, outer, strict=True) if a != b] == []


def to_zone_18(tile: Any) -> shapely.Polygon:
    to_main = Transformer.from_crs(int(tile.epsg), 26918, always_xy=True)
    square = shapely.box(tile.xmin, tile.ymin, tile.xmax, tile.ymax)
    return shapely.transform(square, to_main.transform, interleaved=False)


def test_a_scene_in_web_mercator_is_cut_into_true_metres(
    project: Project, shared_data: Path, tmp_path: Path
) -> None:
    """Its pixels are 1.19 units wide, which is 0.94 m at this latitude."""
    tiles = lay_tiles(
        project,
        [shared_data / "naip/other/gis-medium_naip.tif"],
        shared_data / "nlcd/winnf_n38w123_nlcd2011_1arcsec.tif",
        tmp_path / "scenes",
        tile_size_m=224,
        year=2012,
    )
    # 1.28 x 0.78 km hold four or five tiles by two or three.
    assert 8 <= len(tiles) <= 15
    assert (tiles["epsg"] == 26910).all()
    assert tiles["gsd_m"].between(0.93, 0.95).all()
    assert tiles[["row_off", "col_off"]].isna().all(axis=None)
    geod = Geod(ellps="GRS80")
    for tile in tiles.itertuples():
        to_degrees = Transformer.from_crs(26910, 4269, always_xy=True)
        lons, lats = to_degrees.transform([tile.xmin, tile.xmax], [tile.ymin, tile.ymin])
        assert geod.inv(lons[0], lats[0], lons[1], lats[1])[2] == pytest.approx(224, abs=0.2)
    assert tiles["purity"].notna().all()
    assert set(tiles["label"].dropna()) <= {"Developed", "Forest", "Herbaceous"}


@pytest.mark.parametrize(
    "name",
    [
        "mhweber_NLCD.tif",
        "jhollist_landscape_nlcd.tif",
        "jhollist_pc_nlcd.tif",
        "spDataLarge_nlcd2011.tif",
        "winnf_n38w123_nlcd2011_1arcsec.tif",
    ],
)
def test_land_cover_as_published_is_accepted(
    project: Project, shared_data: Path, name: str
) -> None:
    """Whatever its CRS, its nodata and its kind of number."""
    given = {"landcover_path": str(shared_data / "nlcd" / name), "year": 2011}
    path = shared_data / "naip/california/riverside_2018_62.tif"
    assert path.is_file()
    project.run(
        "data_ingestion",
        to_outputs=["labelled_tiles"],
        scenes_root=str(path),
        tile_size_m=50,
        **given,
    )
    assert project.table("02_intermediate/labelled_tiles")["label"].isna().all()


def test_recoded_land_cover_is_refused_with_its_codes(project: Project, shared_data: Path) -> None:
    path = shared_data / "nlcd/spDataLarge_nlcd.tif"
    scenes = shared_data / "naip/california"
    message = project.refusal(
        "--pipeline=data_ingestion",
        f"--params=scenes_root={scenes},landcover_path={path},year=2011,tile_size_m=50",
    )
    with rasterio.open(path) as raster:
        codes = np.unique(raster.read(1, masked=True).compressed())
    assert str(path) in message
    assert ", ".join(str(code) for code in codes) in message


# Folders of labelled tiles -------------------------------------------------------------------


def test_satellite_tiles_are_told_apart(
    project: Project, shared_data: Path, tmp_path: Path
) -> None:
    """Twelve tiles of each of EuroSAT's ten classes: seven to learn from."""
    with zipfile.ZipFile(shared_data / "eurosat/eurosat_rgb_600_per_class.zip") as archive:
        by_class: dict[str, list[str]] = {}
        for name in sorted(archive.namelist()):
            if name.endswith(".jpg"):
                by_class.setdefault(name.split("/")[1], []).append(name)
        chosen = [name for names in by_class.values() for name in names[::50]]
        archive.extractall(tmp_path, members=chosen)
    assert len(chosen) == 120
    run = replace(project, parameters={**FOLDERS, "folders_root": str(tmp_path / "EuroSAT_RGB")})
    run.run("from_folders", classifier="logistic_regression")
    metrics = run.json("08_reporting/metrics.json")
    assert metrics["data"]["featurized"] == 120
    test = metrics["models"]["logistic_regression"]["test"]
    assert test["accuracy"] >= 0.5
    assert test["accuracy"] > metrics["baselines"]["majority"]["accuracy"] + 0.3
