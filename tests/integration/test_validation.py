"""Other divisions of the county's tiles: at random, by folds of blocks, and by regions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from aerial_kedro.tiles.squares import smallest_distance_m
from tests.integration.kedro_project import COUNTY, Project, copy_of

NAMES = ["Ash", "Birch", "St. Cedar", "Dogwood"]


def metrics_of(project: Project) -> dict[str, Any]:
    return dict(project.json("08_reporting/metrics.json"))


class TestRandomSplit:
    """Every run from scenes compares; the county's takes no more than its settings ask for."""

    def test_the_same_tiles_are_divided_anew(self, county: Project) -> None:
        found = metrics_of(county)["random_split"]
        # Not those of the catalog: tiles without image have no features.
        counts = county.table("05_model_input/labelled_features")["label"].value_counts()
        assert found["n"] == sum(round(0.25 * count) for count in counts)
        validation = sum(round(0.15 * count) for count in counts)
        assert found["training_tiles"] == counts.sum() - found["n"] - validation
        assert 0 < found["accuracy"] <= 1
        assert 0 < found["macro_f1"] <= 1

    def test_the_report_has_both_side_by_side(self, county: Project) -> None:
        report = (county.data / "08_reporting/report.html").read_text(encoding="utf-8")
        assert "What a random split would have said" in report
        for name in ("split by place", "split at random"):
            assert f'<th scope="row">{name}</th>' in report

    def test_folds_are_not_made_unless_asked_for(self, county: Project) -> None:
        metrics = metrics_of(county)
        assert metrics["cross_validation"] is None
        assert metrics["leave_one_region_out"] is None


def write_regions(county: Project, path: Path) -> Path:
    """Four regions over the county but for a strip in the south, drawn in degrees."""
    tiles = county.table("03_primary/tile_catalog")
    west, east = tiles["lon"].min() - 0.01, tiles["lon"].max() + 0.01
    south, north = tiles["lat"].quantile(0.1), tiles["lat"].max() + 0.01
    x, y = tiles["lon"].median(), tiles["lat"].quantile(0.55)
    boxes = [(west, y, x, north), (x, y, east, north), (west, south, x, y), (x, south, east, y)]
    frame = gpd.GeoDataFrame(
        {"COUNTY": NAMES}, geometry=[shapely.box(*each) for each in boxes], crs=4326
    )
    # In another CRS than any of the tiles'.
    frame.to_crs(5070).to_file(path, engine="pyogrio")
    return path


@pytest.fixture(scope="module")
def by_region(county: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The county divided anew by regions, its features taken as they are."""
    folder = tmp_path_factory.mktemp("by_region")
    project = copy_of(county, folder)
    parameters: dict[str, Any] = {
        "scenes_root": str(county.data / "01_raw/sample/scenes"),
        "landcover_path": str(county.data / "01_raw/sample/land_cover"),
        "regions_path": str(write_regions(county, folder / "regions.gpkg")),
        "split": {
            "buffer_m": COUNTY["split"]["buffer_m"],
            "unit": "region",
            "region_column": "COUNTY",
            "test_regions": "St. Cedar",
        },
        "classifier": "logistic_regression",
        "logistic_regression": {"max_iter": 10},
        "image_statistics": {"max_iter": 5},
        "grain": "tile",
    }
    project.run("data_ingestion", **parameters)
    asked = {"folds": 2, "leave_one_region_out": True, "random_split": False}
    project.run("training", validation=asked, **parameters)
    # The county's own predictions know a class that these regions' training tiles lack.
    project.run("scoring", **parameters)
    project.run("reporting", to_outputs=["metrics"], **parameters)
    return project


@pytest.fixture(scope="module")
def catalog(by_region: Project) -> pd.DataFrame:
    return by_region.table("03_primary/tile_catalog")


def test_a_tile_is_in_the_region_of_its_centre(
    county: Project, by_region: Project, catalog: pd.DataFrame
) -> None:
    regions = gpd.read_file(by_region.data.parent / "regions.gpkg", engine="pyogrio")
    x, y = Transformer.from_crs(4326, 5070, always_xy=True).transform(
        catalog["lon"], catalog["lat"]
    )
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=5070)
    expected = gpd.sjoin(points, regions, how="left")["COUNTY"]
    slugs = dict(zip(NAMES, ["ash", "birch", "st-cedar", "dogwood"], strict=True))
    found = catalog["block_id"].astype(object).where(catalog["block_id"].notna(), None)
    assert found.tolist() == [slugs.get(each) for each in expected]
    assert found.isna().any()
    assert set(catalog["epsg"]) == {26917, 26918}


def test_a_region_goes_to_one_split_and_the_buffer_holds(catalog: pd.DataFrame) -> None:
    divided = catalog[catalog["split"].notna()].assign(size_m=COUNTY["tile_size_m"])
    assert (divided.groupby("block_id")["split"].nunique() == 1).all()
    assert set(divided.loc[divided["split"] == "test", "block_id"]) == {"st-cedar"}
    for first, second in [("train", "test"), ("train", "validation"), ("validation", "test")]:
        distance = smallest_distance_m(
            divided[divided["split"] == first], divided[divided["split"] == second]
        )
        assert distance is not None
        assert distance >= COUNTY["split"]["buffer_m"] - 0.01


def test_every_region_is_left_out_once(by_region: Project) -> None:
    found = metrics_of(by_region)["leave_one_region_out"]
    # Not the catalog: its tiles without image have no features.
    divided = by_region.table("05_model_input/labelled_features")
    counts = divided.groupby("block_id").size()
    assert {fold["name"]: fold["tiles"] for fold in found["folds"]} == counts.to_dict()
    for fold in found["folds"]:
        assert fold["training_tiles"] + fold["in_buffer"] == len(divided) - fold["tiles"]
        assert 0 <= fold["accuracy"] <= 1
    assert found["pooled"]["n"] == len(divided)
    evaluated = [fold["accuracy"] for fold in found["folds"]]
    assert found["mean_accuracy"] == pytest.approx(np.mean(evaluated))
    assert found["spread_accuracy"] == pytest.approx(np.std(evaluated, ddof=1))


def test_folds_hold_whole_regions(by_region: Project) -> None:
    found = metrics_of(by_region)["cross_validation"]
    divided = by_region.table("05_model_input/labelled_features")
    counts = divided.groupby("block_id").size().tolist()
    first, second = (fold["tiles"] for fold in found["folds"])
    assert first + second == sum(counts) == found["pooled"]["n"]
    subsets = {0}
    for count in counts:
        subsets |= {each + count for each in subsets}
    assert first in subsets
    assert metrics_of(by_region)["random_split"] is None


def test_what_needs_regions_is_refused_without(project: Project) -> None:
    by_region = "split.unit=region,split.region_column=NAME"
    assert "regions_path" in project.refusal(f"--params={by_region}")
    assert "split.unit=region" in project.refusal("--params=validation.leave_one_region_out=true")
    assert "one fold" in project.refusal("--params=validation.folds=1")


def test_a_layer_elsewhere_is_refused(county: Project, tmp_path: Path) -> None:
    elsewhere = gpd.GeoDataFrame({"NAME": ["Far"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    elsewhere.to_file(tmp_path / "far.geojson", engine="pyogrio")
    copied = copy_of(county, tmp_path)
    message = copied.refusal(
        "--pipeline=data_ingestion",
        "--params="
        f"scenes_root={county.data}/01_raw/sample/scenes,tile_size_m=112,"
        f"landcover_path={county.data}/01_raw/sample/land_cover,regions_path={tmp_path}/far.geojson,"
        "split.unit=region,split.region_column=NAME",
    )
    assert "regions_path" in message
    assert "lies in a region" in message
