"""Calibration: by predictions of tiles that were not learned, in folds of whole blocks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.errors import AerialError
from aerial_kedro.models.calibration import FOLDS, calibrate, cross_fit, evaluate_unseen, fold_tiles
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import LogisticRegressionSettings
from aerial_kedro.models.training import fit_model
from tests.models import make_card, make_source

CLASSES = ["A", "B"]
SETTINGS = LogisticRegressionSettings(max_iter=10, reg_param=0.01)


def draw(blocks: int | None, *, noise: float, seed: int = 0) -> pd.DataFrame:
    """Tiles of two classes, one feature that tells them apart and twenty that do not."""
    rng = np.random.default_rng(seed)
    number = np.arange(60)
    code = number % 2
    features = rng.normal(size=(60, 21))
    features[:, 0] = code + rng.normal(scale=noise, size=60)
    return pd.DataFrame(
        {
            "image_id": [f"tile{each}" for each in number],
            "label": np.array(["A", "B"], dtype=object)[code],
            "block_id": None if blocks is None else [f"b{each // 2 % blocks}" for each in number],
            "features": features.tolist(),
        }
    )


def table(spark: SparkSession, tiles: pd.DataFrame) -> DataFrame:
    return spark.createDataFrame(
        list(tiles.itertuples(index=False, name=None)),
        "image_id string, label string, block_id string, features array<float>",
    )


def fitted(spark: SparkSession, tiles: pd.DataFrame) -> tuple[TrainedModel, DataFrame]:
    rows = table(spark, tiles)
    card = make_card(classifier="logistic_regression", classes=["A", "B"])
    return TrainedModel(fit_model(rows, SETTINGS, card.classes, 1)[0], card, make_source()), rows


def test_blocks_stay_whole_and_every_tile_is_in_a_fold() -> None:
    tiles = draw(7, noise=1)
    folds = fold_tiles(tiles, seed=1)
    assert set(folds["image_id"]) == set(tiles["image_id"])
    assert folds["fold"].nunique() == FOLDS
    assert (folds.groupby("block_id")["fold"].nunique() == 1).all()


def test_without_blocks_each_fold_has_its_share_of_each_class() -> None:
    folds = fold_tiles(draw(None, noise=1), seed=1)
    assert (pd.crosstab(folds["fold"], folds["label"]) == 60 / 2 / FOLDS).all(axis=None)
    assert not folds["fold"].equals(fold_tiles(draw(None, noise=1), seed=2)["fold"])


def test_a_model_that_knows_its_tiles_by_heart_is_made_modest(spark_session: SparkSession) -> None:
    """On what it learned it is right and sure; on what it did not, it guesses."""
    model, rows = fitted(spark_session, draw(10, noise=100))
    learned = model.predict(rows).filter("label = pred_label").count()
    assert learned > 0.75 * 60
    assert calibrate(model, cross_fit(rows, SETTINGS, CLASSES, 1)).card.temperature > 1.5


def test_a_model_that_is_right_elsewhere_too_is_not(spark_session: SparkSession) -> None:
    model, rows = fitted(spark_session, draw(10, noise=0.01))
    assert calibrate(model, cross_fit(rows, SETTINGS, CLASSES, 1)).card.temperature < 1


def test_folds_that_leave_one_class_are_refused(spark_session: SparkSession) -> None:
    tiles = draw(2, noise=0.01)
    tiles["block_id"] = "b" + tiles["label"]
    with pytest.raises(AerialError, match="outside each part of the tiles there is one class"):
        cross_fit(table(spark_session, tiles), SETTINGS, CLASSES, 1)


def test_every_tile_is_predicted_once_by_a_fit_without_its_fold(
    spark_session: SparkSession,
) -> None:
    """A class that lives in one block alone is never learned for that block: all errors there."""
    tiles = draw(6, noise=0.01)
    tiles.loc[tiles["block_id"] == "b0", "label"] = "C"
    found = cross_fit(table(spark_session, tiles), SETTINGS, ["A", "B", "C"], 1)
    assert found["image_id"].tolist() == sorted(tiles["image_id"])
    alone = found[found["label"] == "C"]
    assert not alone["learned"].any()
    assert not (alone["pred_label"] == "C").any()
    assert all(each[2] == 0 for each in alone["class_probabilities"])
    assert found.loc[found["label"] != "C", "learned"].all()
    evaluation = evaluate_unseen(found, ["A", "B", "C"], seed=1)
    assert evaluation.per_class["C"].producers_accuracy == 0
    assert evaluation.per_class["A"].producers_accuracy > 0.7


def test_without_blocks_each_tile_is_a_block_of_its_own(spark_session: SparkSession) -> None:
    found = cross_fit(table(spark_session, draw(None, noise=0.01)), SETTINGS, CLASSES, 1)
    assert found["unit"].tolist() == found["image_id"].tolist()
    assert evaluate_unseen(found, CLASSES, seed=1).accuracy_interval is None


def test_rows_that_do_not_teach_change_nothing_and_only_some_are_predicted(
    spark_session: SparkSession,
) -> None:
    """What the rows show that teach nothing makes no difference to any other's prediction."""
    rows = draw(6, noise=0.5)
    rows["teaches"] = rows.index % 5 < 3
    rows["evaluated"] = rows.index % 4 > 0
    columns = (
        "image_id string, label string, block_id string, features array<float>, "
        "teaches boolean, evaluated boolean"
    )

    def predicted(features: pd.Series) -> pd.DataFrame:
        own = rows.assign(features=features)
        table = spark_session.createDataFrame(
            list(own.itertuples(index=False, name=None)), columns
        ).coalesce(1)
        return cross_fit(table, SETTINGS, CLASSES, 1)

    turned = [[-9 * value for value in each] for each in rows["features"]]
    found = predicted(rows["features"])
    other = predicted(rows["features"].where(rows["teaches"], pd.Series(turned)))
    assert sorted(found["image_id"]) == sorted(rows.loc[rows["evaluated"], "image_id"])
    teach = found["image_id"].isin(rows.loc[rows["teaches"], "image_id"]).to_numpy()
    assert 0 < teach.sum() < len(found)
    before, after = (np.array(each["class_probabilities"].tolist()) for each in (found, other))
    assert before[teach] == pytest.approx(after[teach], abs=1e-9)
    assert np.abs(before - after)[~teach].max() > 0.1


def test_weights_go_into_every_folds_fit(spark_session: SparkSession) -> None:
    """Two classes alike in number and hard to tell apart, of which one counts thirtyfold."""
    tiles = draw(6, noise=1)
    heavy = tiles.assign(weight=np.where(tiles["label"] == "A", 30.0, 1.0))
    columns = "image_id string, label string, block_id string, features array<float>, weight double"
    table = spark_session.createDataFrame(
        list(heavy.itertuples(index=False, name=None)), columns
    ).coalesce(1)
    found = cross_fit(table, SETTINGS, CLASSES, 1)
    assert np.array(found["class_probabilities"].tolist())[:, 0].mean() > 0.75
