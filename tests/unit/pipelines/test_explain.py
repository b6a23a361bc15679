"""Which tiles are explained, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.errors import AerialError
from aerial_kedro.explain.tiles import HEAT_COLUMNS
from aerial_kedro.pipelines.explain import images
from aerial_kedro.pipelines.explain.images import _heat, _nearest_training_tiles
from aerial_kedro.pipelines.explain.nodes import ExplainSettings, choose_images
from aerial_kedro.tiles.catalog import TILE_COLUMNS, ddl

COLUMNS = (
    "image_id string, tile_id string, href string, year int, lon double, lat double, label string, "
    "split string, pred_label string, decided_by string, probabilities map<string,double>"
)


def settings(tiles: Any) -> ExplainSettings:
    return ExplainSettings(tiles=tiles, patches=2, neighbours=1)


@pytest.fixture(scope="module")
def predictions(spark_session: SparkSession) -> DataFrame:
    """Two places in two years; the land cover decided on one of them."""
    rows = [
        (f"{tile}-{year}", tile, "a.tif", year, -71.0, 42.0, None, None, "Water", "land_cover",
         {"Forest": 0.25, "Shrub": 0.75})
        for tile in ("z18-1", "z18-2") for year in (2018, 2012)
    ]  # fmt: skip
    return spark_session.createDataFrame(rows, COLUMNS)


@pytest.mark.parametrize("given", ["a/b", " a / b ", ["a", "b"]])
def test_names_come_from_the_command_line_or_a_file(given: str | list[str]) -> None:
    assert settings(given).tiles == ("a", "b")


def test_a_name_of_digits_is_a_name() -> None:
    assert settings(2018).tiles == ("2018",)


def test_images_come_in_the_order_of_the_names_and_years(predictions: DataFrame) -> None:
    found = choose_images(predictions, settings("z18-2/z18-1-2018"))
    assert found["image_id"].tolist() == ["z18-2-2012", "z18-2-2018", "z18-1-2018"]
    # The model's own likeliest class is explained, whatever the map shows.
    assert found["model_label"].tolist() == ["Shrub"] * 3
    assert found["probability"].tolist() == [0.75] * 3


@pytest.mark.parametrize("given", [[], "", None])
def test_no_name_says_how_to_give_one(predictions: DataFrame, given: Any) -> None:
    with pytest.raises(AerialError, match=r"--params=explain\.tiles=A/B"):
        choose_images(predictions, settings(given))


def test_a_name_that_is_not_there_is_answered_with_the_nearest(predictions: DataFrame) -> None:
    with pytest.raises(AerialError, match=r"'z18-1-2017'.*did you mean 'z18-1-201[28]'"):
        choose_images(predictions, settings("z18-2/z18-1-2017"))


def test_more_than_a_page_takes_is_refused(spark_session: SparkSession) -> None:
    rows = [
        (f"a-{year}", "a", "a.tif", year, None, None, None, None, "B", "model", {"B": 1.0})
        for year in range(1950, 2000)
    ]
    with pytest.raises(AerialError, match="names 50 images"):
        choose_images(spark_session.createDataFrame(rows, COLUMNS), settings("a"))


def test_a_training_tile_is_not_its_own_neighbour(spark_session: SparkSession) -> None:
    tiles = spark_session.createDataFrame(
        [("a", "A", [1.0, 0.0]), ("b", "B", [1.0, 0.1]), ("c", "C", [0.0, 1.0])],
        "image_id string, label string, features array<float>",
    )
    found = _nearest_training_tiles({"a": [1.0, 0.0], "c": [0.0, 1.0]}, tiles, 1)
    assert dict(zip(found["image_id"], found["neighbour"], strict=True)) == {"a": "b", "c": "b"}


def test_each_image_is_a_task_of_its_own(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a hash of their names three of six were one task's, which the others waited for."""

    def name_task(frames: Iterator[pd.DataFrame], **_: object) -> Iterator[pd.DataFrame]:
        for frame in frames:
            tasks = [float(TaskContext.get().partitionId())] * len(frame)
            values = (frame["image_id"], [b""] * len(frame), tasks)
            yield pd.DataFrame(dict(zip(HEAT_COLUMNS, values, strict=True)))

    monkeypatch.setattr(images, "explain_tiles", name_task)
    names = [f"tile_{number}" for number in range(6)]
    rows = [(name, *[None] * (len(TILE_COLUMNS) - 1)) for name in names]
    catalog = spark_session.createDataFrame(rows, ddl(TILE_COLUMNS)).coalesce(1)
    asked = pd.DataFrame({"image_id": names, "pred_label": "Forest"})
    model: Any = None
    found = _heat(catalog, asked, model, 2)
    assert {drop for _, drop in found.values()} == set(map(float, range(6)))
