"""The made-up county's map: where it is unsure, how it is smoothed, how its file is laid out."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
from rasterio.enums import ColorInterp

from aerial_kedro.maps.drawing import BANDS
from tests.integration.kedro_project import COUNTY, Project, copy_of, predictions_of

YEARS = (2012, 2018)
LIMIT = 0.5  # as conf/base has it


def read_tiles(project: Project) -> gpd.GeoDataFrame:
    return gpd.read_parquet(project.data / "07_model_output/tiles.parquet")


@pytest.fixture(scope="module")
def tiles(county: Project) -> gpd.GeoDataFrame:
    return read_tiles(county)


@pytest.fixture(scope="module")
def smoothed(county: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The county's tiles scored once more, for a map of them with another limit and smoothing."""
    data = tmp_path_factory.mktemp("smoothed") / "data"
    shutil.copytree(county.data, data, ignore=shutil.ignore_patterns("mlflow", "08_reporting"))
    project = Project(data, COUNTY, tracking_uri=f"sqlite:///{county.data / 'mlflow/mlflow.db'}")
    project.run(
        "scoring",
        to_outputs=["maps", "mapped_tiles"],
        grain="tile",
        mapping={"min_probability": 0.7, "smoothing": True},
    )
    return project


def test_geoparquet_is_in_longitude_and_latitude(county: Project, tiles: gpd.GeoDataFrame) -> None:
    assert tiles.crs.to_string() == "OGC:CRS84"
    assert tiles.crs.to_authority() == ("OGC", "CRS84")
    assert {"mapped_class", "pred_label", "probability", "decided_by"} <= set(tiles.columns)
    footer = pq.read_schema(county.data / "07_model_output/tiles.parquet").metadata
    assert b'"primary_column"' in footer[b"geo"]
    west, south, east, north = tiles.total_bounds
    assert -79 < west < east < -77
    assert 20 < south < north < 50


def test_tiles_below_the_limit_are_unsure(tiles: gpd.GeoDataFrame) -> None:
    expected = tiles["pred_label"].mask(
        (tiles["decided_by"] == "model") & (tiles["probability"] < LIMIT), "Unsure"
    )
    assert tiles["mapped_class"].tolist() == expected.tolist()
    assert 0 < (tiles["mapped_class"] == "Unsure").mean() < 1
    assert "Unsure" not in set(tiles["pred_label"])
    water = tiles[tiles["decided_by"] == "land_cover"]
    assert len(water)
    assert set(water["mapped_class"]) == {"Water"}


@pytest.mark.parametrize("year", YEARS)
def test_the_map_is_a_cloud_optimized_geotiff_with_plain_bands(county: Project, year: int) -> None:
    with rasterio.open(county.data / f"07_model_output/map_{year}.tif") as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        others = raster.count - 1
        assert raster.colorinterp == (ColorInterp.palette, *[ColorInterp.undefined] * others)
        assert raster.nodata == 0
        names = raster.tags()["CLASSES"].split(", ")
        assert names[-1] == "8 Unsure"
        assert raster.colormap(1)[8] == (0x4A, 0x4A, 0x55, 255)
        # The last two where the model knows where it holds.
        assert raster.descriptions in (BANDS, BANDS[:2])
        classes, percent, *_ = raster.read()
    assert percent.max() <= 100
    assert (percent[classes == 8] < 100 * LIMIT + 1).all()
    assert (classes == 8).any()


def test_scenes_of_the_sample_stay_plain_files(county: Project) -> None:
    scene = sorted((county.data / "01_raw/sample/scenes").glob("*.tif"))[0]
    with rasterio.open(scene) as raster:
        assert "LAYOUT" not in raster.tags(ns="IMAGE_STRUCTURE")


def test_metrics_say_what_abstention_wins(county: Project) -> None:
    metrics = county.json("08_reporting/metrics.json")
    found = county.table("07_model_output/test_predictions")
    sure = found["probability"] >= LIMIT
    right = found["label"] == found["pred_label"]
    assert metrics["abstention"] == {
        "min_probability": LIMIT,
        "share_unsure": pytest.approx(1 - sure.mean()),
        "accuracy_sure": pytest.approx(right[sure].mean()) if sure.any() else None,
    }


def test_the_report_counts_unsure_cells(county: Project) -> None:
    page = Path(county.data / "08_reporting/report.html").read_text(encoding="utf-8")
    assert "Where the model is unsure" in page
    assert "Areas count the likeliest class of every cell" in page
    for year in YEARS:
        with rasterio.open(county.data / f"07_model_output/map_{year}.tif") as raster:
            shown = raster.read(1)
        mapped, unsure = (shown != 0).sum(), (shown == 8).sum()
        assert 0 < unsure < mapped
        assert (
            f'<tr><th scope="row">{year}</th><td class="num">{mapped:,}</td>'
            f'<td class="num">{unsure:,}</td>'
        ) in page


def test_smoothing_leaves_predictions_as_they_are(
    smoothed: Project, tiles: gpd.GeoDataFrame
) -> None:
    columns = ["image_id", "pred_label", "probability"]
    found = pd.DataFrame(read_tiles(smoothed)[columns])
    pd.testing.assert_frame_equal(found, pd.DataFrame(tiles[columns]))


def test_smoothing_makes_the_map_calmer(smoothed: Project) -> None:
    """Each tile that was changed has the commonest class around it, found by places."""
    found = read_tiles(smoothed)
    before = found["pred_label"].mask(
        (found["decided_by"] == "model") & (found["probability"] < 0.7), "Unsure"
    )
    changed = (found["mapped_class"] != before).to_numpy()
    assert changed.any()
    assert not (changed & (found["decided_by"] == "land_cover").to_numpy()).any()
    size = COUNTY["tile_size_m"]
    for i in np.flatnonzero(changed):
        near = (
            (found["year"] == found["year"].iloc[i])
            & (found["epsg"] == found["epsg"].iloc[i])
            & ((found["xmin"] - found["xmin"].iloc[i]).abs() < 1.5 * size)
            & ((found["ymin"] - found["ymin"].iloc[i]).abs() < 1.5 * size)
        )
        votes = before[near & (before != "Unsure")].value_counts()
        assert found["mapped_class"].iloc[i] == votes.index[0]
        assert len(votes) == 1 or votes.iloc[0] > votes.iloc[1]


@pytest.mark.parametrize("year", YEARS)
def test_a_map_of_tiles_shows_the_smoothed_class_of_each_where_it_lies(
    smoothed: Project, year: int
) -> None:
    found = read_tiles(smoothed)
    with rasterio.open(smoothed.data / f"07_model_output/map_{year}.tif") as raster:
        assert raster.nodata == 0
        assert raster.res == (COUNTY["tile_size_m"], COUNTY["tile_size_m"])
        assert raster.transform.c % COUNTY["tile_size_m"] == 0
        assert raster.transform.f % COUNTY["tile_size_m"] == 0
        # The other zone's tiles are on it too.
        count = int((raster.read(1) != 0).sum())
        assert count == pytest.approx((found["year"] == year).sum(), rel=0.1)
        own = found[(found["year"] == year) & (found["epsg"] == raster.crs.to_epsg())]
        centres = zip((own["xmin"] + own["xmax"]) / 2, (own["ymin"] + own["ymax"]) / 2, strict=True)
        values = [str(int(cell[0])) for cell in raster.sample(centres)]
        names = dict(part.split(" ") for part in raster.tags()["CLASSES"].split(", "))
    assert [names[value] for value in values] == own["mapped_class"].tolist()


def test_scoring_alone_gives_the_same_map(county: Project, tmp_path: Path) -> None:
    """``kedro run --pipeline=scoring`` with the model's name, in a second session."""
    again = copy_of(county, tmp_path)
    shutil.rmtree(again.data / "07_model_output")
    (name,) = {path.parent.name for path in (county.data / "06_models").glob("*/model.json")}
    again.run("scoring", model_name=name)
    pd.testing.assert_frame_equal(predictions_of(again), predictions_of(county))
    for year in (2012, 2018):
        first, second = (
            (each.data / f"07_model_output/map_{year}.tif").read_bytes() for each in (county, again)
        )
        assert first == second
