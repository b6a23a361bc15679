"""The main job from a few labels of one's own, without land cover, and the page to label more."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from pyproj import Transformer

from aerial_kedro.cells.grid import COUNT, unpack
from aerial_kedro.cells.places import centres_of_cells, name_cells_of_tiles
from tests.integration.kedro_project import COUNTY, Project

LABELS_A_CLASS = 12
UNSURE_ROWS = 3


def draw_labels(county: Project, path: Path) -> pd.DataFrame:
    """Label some cells of each class by the county's truth, as the labelling page would."""
    tiles = county.table("03_primary/tile_catalog")
    tiles = tiles[tiles["year"] == 2018].reset_index(drop=True)
    number = np.tile(np.arange(COUNT), len(tiles))
    of_cell = tiles.loc[tiles.index.repeat(COUNT)].reset_index(drop=True)
    lon, lat = centres_of_cells(of_cell, number)
    with rasterio.open(county.data / "01_raw/sample/truth/truth_2018.tif") as truth:
        legend = dict(each.split(" ", 1) for each in truth.tags()["CLASSES"].split(", "))
        x, y = Transformer.from_crs(4326, truth.crs, always_xy=True).transform(lon, lat)
        codes = [code for (code,) in truth.sample(zip(x, y, strict=True))]
    cells = pd.DataFrame(
        {
            "cell_id": name_cells_of_tiles(of_cell["tile_id"].to_numpy(), number),
            "year": 2018,
            "lon": lon,
            "lat": lat,
            "class": [legend.get(str(code)) for code in codes],
        }
    ).dropna()
    drawn = cells.groupby("class").sample(LABELS_A_CLASS, random_state=1)
    others = cells.drop(drawn.index).sample(UNSURE_ROWS, random_state=1)
    found = pd.concat([drawn.assign(remark=""), others.assign(remark="unsure; a shadow")])
    # Classes of the user's own: no table of the project knows them.
    found["class"] = found["class"].str.lower() + " land"
    found.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL)
    return drawn


@pytest.fixture(scope="module")
def labelled(county: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("labelled")
    draw_labels(county, folder / "labels.csv")
    parameters = {
        **COUNTY,
        "scenes_root": str(county.data / "01_raw/sample/scenes"),
        "labels_path": str(folder / "labels.csv"),
        "labels": {"colours": {"water land": "#123456"}},
        "classifier": "logistic_regression",
        "own_labels": {"folds": 3, "curve_shares": [0.5], "max_iter": 30},
        "suggest": {"cells": 12, "candidates": 300},
        "model_name": "mine",
    }
    project = Project(folder / "data", parameters)
    project.run()
    return project


def test_the_map_has_the_classes_and_colours_of_the_labels(labelled: Project) -> None:
    metrics = labelled.json("08_reporting/metrics.json")
    names = list(metrics["labels"]["summary"]["classes"])
    assert len(names) > 3
    assert all(name.endswith(" land") for name in names)
    for year in (2012, 2018):
        with rasterio.open(labelled.data / f"07_model_output/map_{year}.tif") as raster:
            legend = raster.tags()["CLASSES"]
            values = raster.read(1)
            colour = raster.colormap(1)[1 + names.index("water land")]
        assert [each.split(" ", 1)[1] for each in legend.split(", ")][: len(names)] == names
        assert len(np.unique(values)) > 3
        assert colour[:3] == (0x12, 0x34, 0x56)


def test_nothing_but_the_labels_teaches(labelled: Project) -> None:
    catalog = labelled.table("03_primary/tile_catalog")
    assert catalog[["label", "fractions", "label_year", "split"]].isna().all(axis=None)
    taught = catalog[catalog["cell_labels"].notna()]
    assert set(taught["year"]) == {2018}  # the file says so
    count = (unpack(taught["cell_labels"].tolist()) > 0).sum()
    summary = labelled.json("03_primary/label_summary.json")
    assert count == sum(sum(each["cells"].values()) for each in summary["classes"].values())
    assert count == len(summary["classes"]) * LABELS_A_CLASS
    assert summary["left_out"] == {"marked unsure": UNSURE_ROWS}


def test_every_label_is_tested_where_it_was_not_learned(labelled: Project) -> None:
    metrics = labelled.json("08_reporting/metrics.json")
    labels, found = metrics["labels"], metrics["models"]["logistic_regression"]["out_of_fold"]
    assert found["n"] == labels["labels"]
    assert labels["accuracy"] == found["accuracy"]
    assert labels["accuracy"] > labels["most_frequent"]
    assert (labels["units"], labels["folds"]) == ("blocks", 3)
    assert [point["share"] for point in labels["curve"]] == [0.5, 1.0]
    low, high = labels["accuracy_interval"]["lower"], labels["accuracy_interval"]["upper"]
    assert low < labels["accuracy"] < high


def test_the_report_says_what_its_figure_is_of(labelled: Project) -> None:
    page = (labelled.data / "08_reporting/report.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "of the labels found where the map had not seen them" in text
    assert "not the share of the land that is right" in text
    assert "Rows marked unsure: 3." in text
    assert "Would more labels help?" in text
    assert "agreement with the land cover" not in text


def test_its_tables_are_those_of_any_map(labelled: Project) -> None:
    tiles = pd.read_parquet(labelled.data / "07_model_output/tiles.parquet")
    assert {"class_by_cells", "share_water land", "geometry"} <= set(tiles.columns)
    change = pd.read_parquet(labelled.data / "07_model_output/change.parquet")
    assert {"tile_id", "changed_share", "expected_share", "shares_after"} <= set(change.columns)
    predictions = pd.read_csv(labelled.data / "07_model_output/predictions.csv")
    assert list(predictions.columns) == ["filepath", "label", "pred_label"]
    assert len(predictions) == len(tiles)


def test_the_page_asks_for_more_without_computing_features_again(labelled: Project) -> None:
    before = labelled.feature_files()
    labelled.run("suggest_labels")
    page = (labelled.data / "08_reporting/label.html").read_text(encoding="utf-8")
    assert "12 cells to label" in page
    assert "water land" in page
    assert labelled.feature_files() == before


def test_answers_to_a_reference_sample_never_teach(labelled: Project, tmp_path: Path) -> None:
    rows = pd.read_csv(labelled.parameters["labels_path"])
    rows.assign(stratum="a", inclusion_probability=0.1).to_csv(tmp_path / "r.csv", index=False)
    scenes = labelled.parameters["scenes_root"]
    said = labelled.refusal(
        f"--params=labels_path={tmp_path / 'r.csv'},scenes_root={scenes},tile_size_m=112"
    )
    assert "reference sample" in said
    assert "suggest_labels" in said
