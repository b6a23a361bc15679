"""Change against known truth, the land's shares and the maps of errors, on the made-up county."""

from __future__ import annotations

import dataclasses
import json
import logging

import numpy as np
import pandas as pd
import pytest
import rasterio
from pyproj import Transformer
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.cells.grid import unpack
from aerial_kedro.change.reference import find_true_classes
from aerial_kedro.datasets.land_cover import LandCoverDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.examples.county.landcover import TRUTH_CODES
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LandCoverRaster
from tests.integration.kedro_project import Project

CLASSES = LandCoverClasses(
    codes={str(name): [100 + code] for name, code in TRUTH_CODES.items()}, excluded=["Water"]
)


@pytest.fixture(scope="module")
def change(county: Project) -> pd.DataFrame:
    return pd.read_parquet(county.data / "07_model_output/change.parquet")


@pytest.fixture(scope="module")
def tiles(county: Project, spark_session: SparkSession) -> DataFrame:
    return spark_session.read.parquet(str(county.data / "03_primary/tile_catalog"))


@pytest.fixture(scope="module")
def truth_maps(county: Project) -> list[LandCoverRaster]:
    return LandCoverDataset(path=str(county.data / "01_raw/sample/truth")).load()


@pytest.fixture(scope="module")
def truth(
    change: pd.DataFrame, tiles: DataFrame, truth_maps: list[LandCoverRaster]
) -> pd.DataFrame:
    return find_true_classes(change, tiles, truth_maps, CLASSES)


def test_true_classes_are_those_that_the_county_was_drawn_with(
    county: Project, change: pd.DataFrame, truth: pd.DataFrame
) -> None:
    """By a way of its own: the class of most of the cells whose centre lies in the tile."""
    places = county.table("03_primary/tile_catalog").drop_duplicates("tile_id")
    names = {value: str(name) for name, value in TRUTH_CODES.items()}
    with rasterio.open(county.data / "01_raw/sample/truth/truth_2018.tif") as dataset:
        codes = dataset.read(1)
        rows, cols = np.indices(codes.shape)
        x, y = dataset.transform @ (cols.ravel() + 0.5, rows.ravel() + 0.5)
        crs = dataset.crs
    same = []
    for epsg, own in places.merge(truth, on="tile_id").groupby("epsg"):
        there_x, there_y = Transformer.from_crs(crs, int(epsg), always_xy=True).transform(x, y)
        for tile in own.itertuples():
            inside = (there_x > tile.xmin) & (there_x < tile.xmax)
            inside &= (there_y > tile.ymin) & (there_y < tile.ymax)
            counts = np.bincount(codes.ravel()[inside])
            same.append(names[int(counts.argmax())] == tile.true_after)
    assert len(same) == len(truth) > 0.7 * len(change)
    assert np.mean(same) > 0.97  # two classes of nearly one share can go either way


def test_metrics_judge_the_change(
    county: Project, change: pd.DataFrame, truth: pd.DataFrame
) -> None:
    found = county.json("08_reporting/metrics.json")["change"]
    assert (found["before"], found["after"], found["places"]) == (2012, 2018, len(change))
    assert found["expected_changes"] == pytest.approx(change["probability"].sum())
    assert [each["first"] for each in found["first"]] == [
        first for first in (10, 20, 50) if first <= len(change)
    ]
    evaluated, known = found["assessment"], change.merge(truth, on="tile_id")
    changed = known["true_before"] != known["true_after"]
    above = known["probability"] > 0.5
    assert (evaluated["places"], evaluated["true_changes"]) == (len(known), changed.sum())
    assert evaluated["detection"]["recall"]["cases"] == changed.sum()
    assert evaluated["detection"]["precision"]["cases"] == above.sum()
    assert evaluated["detection"]["precision"]["hits"] == (above & changed).sum()
    first = evaluated["candidates"][0]
    assert first["expected"] == pytest.approx(known["probability"][: first["first"]].sum())
    assert first["precision"]["hits"] == changed[: first["first"]].sum()


def test_metrics_set_the_shares_beside_the_land_covers(county: Project) -> None:
    areas = county.json("08_reporting/metrics.json")["areas"]
    assert set(areas) == {"2012", "2018"}
    catalog = county.table("03_primary/tile_catalog")
    cells = county.table("07_model_output/cell_predictions").merge(
        catalog[["image_id", "fractions"]], on="image_id"
    )
    own = cells[(cells["year"] == 2018) & cells["fractions"].notna()]
    forest = sum(dict(each).get("Forest", 0.0) for each in own["fractions"])
    whole = sum(sum(dict(each).values()) for each in own["fractions"])
    rows = {row["name"]: row for row in areas["2018"]["classes"]}
    assert rows["Forest"]["land_cover"] == pytest.approx(forest / whole)
    mapped = np.mean([dict(each).get("Forest", 0.0) for each in own["shares"]])
    assert rows["Forest"]["mapped"] == pytest.approx(mapped)
    assert [row["name"] for row in areas["2018"]["groups"]] == [
        "Developed", "Cultivated", "Undeveloped", "Other",
    ]  # fmt: skip
    (card,) = (county.data / "06_models/cells").glob("*/model.json")
    classes = json.loads(card.read_text(encoding="utf-8"))["classes"]
    predicted, known = (unpack(list(own[name])) for name in ("cell_classes", "cell_labels"))
    table = ["Barren", "Forest", "Shrub", "Cultivated", "Herbaceous", "Developed", "Water"]
    group = {"Developed": "built", "Cultivated": "fields", "Water": "water"}
    same = [
        group.get(classes[a - 1], "wild") == group.get(table[b - 1], "wild")
        for a, b in zip(predicted.ravel().tolist(), known.ravel().tolist(), strict=True)
        if b and table[b - 1] != "Water"
    ]
    assert areas["2018"]["units"] == "cells"
    assert areas["2018"]["group_agreement"] == pytest.approx(np.mean(same))
    assert areas["2018"]["group_agreement_count"] == len(same)


def test_the_report_has_the_sections(county: Project) -> None:
    report = (county.data / "08_reporting/report.html").read_text(encoding="utf-8")
    for heading in (
        "Beside the land cover's own shares",
        "How many of these are real?",
        "Where the errors are",
    ):
        assert heading in report or heading.replace("'", "&#39;") in report
    assert "Found (recall)" in report
    assert "test tiles are wrong" in report


@pytest.mark.parametrize(
    ("altered", "reason"),
    [
        ({"year": 2016}, "the maps are of 2016, the scenes of 2012 and 2018"),
        ({"bounds": (0.0, 0.0, 10.0, 10.0)}, "cover none of the places"),
        (None, "there are no reference maps"),
    ],
)
def test_maps_of_other_land_or_years_are_left_out_with_a_reason(
    change: pd.DataFrame,
    tiles: DataFrame,
    truth_maps: list[LandCoverRaster],
    caplog: pytest.LogCaptureFixture,
    *,
    altered: dict[str, object] | None,
    reason: str,
) -> None:
    maps = [dataclasses.replace(each, **altered) for each in truth_maps] if altered else []  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO):
        found = find_true_classes(change, tiles, maps, CLASSES)
    assert not len(found)
    assert reason in caplog.text


def test_a_class_that_the_table_lacks_is_refused(
    change: pd.DataFrame, tiles: DataFrame, truth_maps: list[LandCoverRaster]
) -> None:
    maps = [
        dataclasses.replace(
            each, legend=tuple((code, name.replace("Forest", "Wood")) for code, name in each.legend)
        )
        for each in truth_maps
    ]
    with pytest.raises(AerialError, match="show the classes Wood, which are not in the class"):
        find_true_classes(change, tiles, maps, CLASSES)
