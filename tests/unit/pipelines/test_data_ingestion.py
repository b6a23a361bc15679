"""The check of the pipeline: no training ground within the buffer of test ground."""

from __future__ import annotations

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.data_ingestion.nodes import check_splits, lay_tiles
from aerial_kedro.splits.rules import SplitRules
from tests.builders import TILE, cell_of_origin, grid_tiles

RULES = SplitRules(validation=0.2, test=0.2, block_size_m=1120, buffer_m=TILE)
COL, ROW = cell_of_origin()
# Columns of tiles; each place has a gap of one tile to the next.
PURE = {0: "train", 9: "validation", 18: "test"}


def catalog(
    session: SparkSession, ground: dict[int, str] | None, pure: dict[int, str] = PURE
) -> object:
    """Labelled tiles at some columns, and the ground of those and more; two years of each."""
    columns = sorted({*pure, *(ground or {})})
    tiles = grid_tiles([(COL + column, ROW) for column in columns])
    tiles = tiles.assign(
        split=[pure.get(column) for column in columns],
        cell_split=[(ground or {}).get(column) for column in columns],
    )
    both = pd.concat([tiles, tiles.assign(year=2012, split=None)], ignore_index=True)
    columns = ["tile_id", "split", "cell_split", "lon", "lat", "xmin", "xmax"]
    rows = both[columns].astype(object).to_numpy().tolist()
    ddl = "tile_id string, split string, cell_split string, lon double, lat double, "
    return session.createDataFrame(rows, f"{ddl}xmin double, xmax double")


def test_the_distance_is_of_all_ground(spark_session: SparkSession) -> None:
    ground = {**PURE, 1: "train", 14: "test"}
    check = check_splits(catalog(spark_session, ground), RULES)
    assert check.places == 5
    assert check.smallest_distance_m == pytest.approx(12 * TILE, abs=0.01)


@pytest.mark.parametrize(
    ("column", "split", "pair"),
    [(17, "train", "test tile lies 0 m from a train"), (1, "test", "test tile lies 0 m from a tr")],
)
def test_mixed_tiles_keep_the_distance_too(
    spark_session: SparkSession, column: int, split: str, pair: str
) -> None:
    with pytest.raises(AerialError, match=pair):
        check_splits(catalog(spark_session, {**PURE, column: split}), RULES)


def test_ground_does_not_stand_for_tiles_to_learn_from(spark_session: SparkSession) -> None:
    pure = {column: split for column, split in PURE.items() if split != "validation"}
    with pytest.raises(AerialError, match="No tile is left in the validation split"):
        check_splits(catalog(spark_session, PURE, pure), RULES)


def test_a_folder_has_splits_of_tiles_alone(spark_session: SparkSession) -> None:
    check = check_splits(catalog(spark_session, None), RULES)
    assert check.places == 3
    assert check.smallest_distance_m == pytest.approx(17 * TILE, abs=0.01)


def test_scenes_are_laid_by_as_many_tasks_as_they_come_in(spark_session: SparkSession) -> None:
    """Divided anew by their names, a few would be one task's, whatever the number of cores."""
    scenes = spark_session.createDataFrame([("a.tif",), ("b.tif",)], "href string")
    plan = lay_tiles(scenes, TILE, 1.0, 0)._jdf.queryExecution().executedPlan().toString()
    assert "MapInPandas" in plan
    assert "REPARTITION" not in plan
