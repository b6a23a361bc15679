"""Tiles are scored with what is to be expected of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.expectation import EXPECTATION_COLUMNS, expect_accuracy
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import LogisticRegressionSettings
from aerial_kedro.models.training import fit_model
from aerial_kedro.pipelines.scoring.nodes import map_located, score_tiles, tabulate_predictions
from aerial_kedro.schemas import PREDICTION_COLUMNS, TABLES
from aerial_kedro.tiles.catalog import ddl
from tests.builders import cell_of_origin, grid_tiles
from tests.models import make_applicability, make_card, make_source

SOURCE = make_source()
COL, ROW = cell_of_origin()
FEATURES = [[1.0, 0.0], [0.0, 1.0], [0.0, 30.0], [40.0, 0.0]]


@pytest.fixture(scope="module")
def model(spark_session: SparkSession) -> TrainedModel:
    pair = [("Forest", [1.0, 0.0]), ("Developed", [0.0, 1.0])]
    rows = [(str(number), *pair[number % 2]) for number in range(8)]
    taught = spark_session.createDataFrame(
        rows, "image_id string, label string, features array<float>"
    )
    classes = ["Forest", "Developed"]
    stages, _ = fit_model(
        taught, LogisticRegressionSettings(max_iter=5, reg_param=0.1), classes, seed=1
    )
    return TrainedModel(stages, make_card(SOURCE, classes=classes), SOURCE)


def tables(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    """Four tiles; the land cover decides the last one."""
    columns, _ = TABLES["tile_catalog"]
    tiles = grid_tiles([(COL + each, ROW) for each in range(4)]).assign(
        source_version="v1", href="a.tif", kind="window", label=[None, None, None, "Water"]
    )
    catalog = tiles.reindex(columns=list(columns)).astype(object)
    rows = catalog.where(catalog.notna(), None).itertuples(index=False, name=None)
    features = [
        (image_id, "v1", numbers, SOURCE.key)
        for image_id, numbers in zip(tiles["image_id"], FEATURES, strict=True)
    ]
    schema = "image_id string, source_version string, features array<float>, feature_key string"
    return spark.createDataFrame(list(rows), ddl(columns)), spark.createDataFrame(features, schema)


def test_what_to_expect_is_beside_each_prediction_of_the_model(
    spark_session: SparkSession, model: TrainedModel
) -> None:
    holds = replace(model, applicability=make_applicability(2, limit=20.0))
    found = score_tiles(*tables(spark_session), holds, SOURCE)
    assert found.columns == list(PREDICTION_COLUMNS)
    rows = found.orderBy("image_id").collect()
    assert [row["outside"] for row in rows] == [False, False, True, None]
    expected = [row["expected_accuracy"] for row in rows]
    assert expected[:3] == pytest.approx([0.88, 0.88, 0.3], abs=1e-6)
    assert expected[3] is None  # the land cover decided
    mapped = map_located(found, MapSettings(min_probability=0.5, smoothing=False))
    assert mapped["outside_share"].tolist()[:3] == [0, 0, 1]
    assert mapped[["expected_accuracy", "outside_share"]].isna().to_numpy()[3].all()
    # The sample's own format stays as it is.
    assert list(tabulate_predictions(found)) == ["filepath", "label", "pred_label"]


def test_a_model_that_does_not_know_says_nothing(
    spark_session: SparkSession, model: TrainedModel
) -> None:
    rows = score_tiles(*tables(spark_session), model, SOURCE).collect()
    assert [row["pred_label"] is not None for row in rows] == [True] * 4
    for name in EXPECTATION_COLUMNS:
        assert [row[name] for row in rows] == [None] * 4


def test_a_batch_may_be_empty() -> None:
    nothing = pd.Series([], dtype=object)
    found = expect_accuracy(nothing, nothing, make_applicability(2))
    assert list(found) == list(EXPECTATION_COLUMNS)
    assert found.dtypes.tolist() == [np.float64, np.bool_]
