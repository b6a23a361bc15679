"""Cross-validation through Spark's classifiers, on features that tell which rows were learned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.validation import CrossValidation
from aerial_kedro.errors import AerialError
from aerial_kedro.models.cross_validation import cross_validate, evaluate_random_split
from aerial_kedro.models.settings import LogisticRegressionSettings
from aerial_kedro.splits.rules import SplitRules
from tests.builders import TILE, cell_of_origin, grid_tiles

COL, ROW = cell_of_origin()
SETTINGS = LogisticRegressionSettings(max_iter=6, reg_param=0.01)
RULES = SplitRules(validation=0.2, test=0.3, block_size_m=4 * TILE, buffer_m=TILE)


def tiles_of(folds: dict[str, list[str]]) -> pd.DataFrame:
    """Rows of tiles, one row of the grid a fold, with the labels given."""
    cells = [
        (COL + c, ROW - 3 * r) for r, names in enumerate(folds.values()) for c in range(len(names))
    ]
    tiles = grid_tiles(cells)
    labels = [label for names in folds.values() for label in names]
    blocks = [fold for fold, names in folds.items() for _ in names]
    return tiles.assign(label=labels, block_id=blocks, fold=blocks, size_m=TILE)


def rows_of(spark: SparkSession, tiles: pd.DataFrame, features: np.ndarray) -> DataFrame:
    rows = list(
        zip(tiles["image_id"], tiles["label"], tiles["block_id"], features.tolist(), strict=True)
    )
    frame = spark.createDataFrame(
        rows, "image_id string, label string, block_id string, features array<float>"
    )
    return frame.withColumn("split", F.lit("train"))


def telling(tiles: pd.DataFrame) -> np.ndarray:
    """Features that separate the classes."""
    codes = tiles["label"].map({"A": 0.0, "B": 1.0, "C": 2.0}).to_numpy()
    noise = np.random.default_rng(0).normal(scale=0.05, size=(len(tiles), 2))
    return np.stack([codes == 0, codes == 1], axis=1) + noise


def validate(spark: SparkSession, tiles: pd.DataFrame) -> CrossValidation:
    rows = rows_of(spark, tiles, telling(tiles))
    return cross_validate(rows, tiles, SETTINGS, buffer_m=TILE, description="", seed=1)


def test_every_tile_is_judged_once(spark_session: SparkSession) -> None:
    tiles = tiles_of({"p": ["A", "B"] * 6, "q": ["A", "B"] * 6, "r": ["B", "A"] * 8})
    found = validate(spark_session, tiles)
    assert [fold.tiles for fold in found.folds] == [12, 12, 16]
    assert found.pooled is not None
    assert found.pooled.n == len(tiles)
    assert found.pooled.accuracy == 1.0
    assert found.pooled.blocks == 3
    # Rows of the grid lie two tiles apart, so that nobody is in the buffer of one.
    assert [fold.training_tiles for fold in found.folds] == [28, 28, 24]
    assert all(fold.remark is None for fold in found.folds)


def test_a_fold_is_judged_by_a_model_that_has_not_seen_it(spark_session: SparkSession) -> None:
    """Each fold's labels are swapped against the others': who had seen them would do better."""
    names = {"p": ["A", "B"] * 8, "q": ["A", "B"] * 8, "r": ["A", "B"] * 8}
    tiles = tiles_of(names)
    features = telling(tiles)
    swapped = (tiles["fold"] == "q").to_numpy()
    features[swapped] = features[swapped][:, ::-1]
    rows = rows_of(spark_session, tiles, features)
    found = cross_validate(rows, tiles, SETTINGS, buffer_m=0, description="", seed=1)
    assert found.folds[1].accuracy == 0.0


def test_what_makes_a_fold_weak_or_impossible_is_said(spark_session: SparkSession) -> None:
    tiles = tiles_of({"p": ["A", "B"] * 6, "q": ["A", "B"] * 6, "r": ["A", "B", "C"]})
    tiles["fold"] = pd.Categorical(tiles["fold"], categories=["p", "q", "r", "s"])
    p, _, r, s = validate(spark_session, tiles).folds
    assert p.remark is None
    assert r.unlearned == ["C"]
    assert r.accuracy == pytest.approx(2 / 3)
    assert r.remark == "only 3 tile(s); not in its training tiles: C"
    assert (s.tiles, s.accuracy, s.macro_f1) == (0, None, None)
    assert s.remark == "no labelled tile in a split"


def test_a_fold_without_two_classes_to_learn_is_not_judged(spark_session: SparkSession) -> None:
    tiles = tiles_of({"p": ["A", "B"] * 6, "q": ["A"] * 12})
    p, q = validate(spark_session, tiles).folds
    assert p.accuracy is None
    assert p.remark == "outside it are training tiles of 1 class(es) only"
    assert q.accuracy == 1.0


def test_a_random_split_has_the_shares_and_takes_rows_not_places(
    spark_session: SparkSession,
) -> None:
    first = tiles_of({"p": ["A", "B"] * 10})
    second = first.assign(image_id=first["tile_id"] + "_2020")
    tiles = pd.concat([first, second], ignore_index=True)
    rows = rows_of(spark_session, tiles, telling(tiles))
    found = evaluate_random_split(rows, SETTINGS, RULES, seed=4)
    assert found.training_tiles == 20
    assert found.training_tiles_by_place == 40
    assert found.evaluation.n == 12
    assert found.evaluation.accuracy == 1.0
    assert found.evaluation.accuracy_interval is None


def test_a_class_too_small_for_a_random_split(spark_session: SparkSession) -> None:
    tiles = tiles_of({"p": ["A", "A", "A", "B", "B"]})
    rows = rows_of(spark_session, tiles, telling(tiles))
    with pytest.raises(AerialError, match="'B' has 2"):
        evaluate_random_split(rows, SETTINGS, RULES, seed=4)
