"""A trained model, and features or tiles other than those that it learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.datasets.spark_stages import read_stages
from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models import rows as module
from aerial_kedro.models.model import TrainedModel, find_tile_size
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.training import fit_model
from tests.models import make_card, make_source


def model(tile_size_m: float | None) -> TrainedModel:
    return TrainedModel((), make_card(tile_size_m=tile_size_m), make_source())


def tiles(spark: SparkSession, *sizes: float | None) -> DataFrame:
    """Squares, the least bit askew: wider than high."""
    rows = [
        (None,) * 5 if size is None else (32610, 500.0, 0.0, 501.0 + size, size - 1.0)
        for size in sizes
    ]
    columns = "epsg int, xmin double, ymin double, xmax double, ymax double"
    return spark.createDataFrame(rows, columns)


def test_the_size_of_tiles_is_that_of_those_with_a_place(spark_session: SparkSession) -> None:
    assert find_tile_size(tiles(spark_session, 224, 224.25, None, 223.75)) == 224
    assert find_tile_size(tiles(spark_session, None, None)) is None


def test_tiles_of_another_size_are_remarked_on(spark_session: SparkSession) -> None:
    remark = model(224).remark_on_tile_size(tiles(spark_session, 50, 50))
    assert remark is not None
    assert "'county'" in remark
    assert "tiles of 224 m and these are of 50 m" in remark
    assert "--params=tile_size_m=224" in remark


@pytest.mark.parametrize(
    ("learned", "found"), [(224, 224.02), (224, None), (None, 50), (None, None)]
)
def test_nothing_is_said_of_the_same_size_or_of_none(
    learned: float | None, found: float | None, spark_session: SparkSession
) -> None:
    assert model(learned).remark_on_tile_size(tiles(spark_session, found)) is None


def test_the_card_knows_how_much_ground_a_pixel_covered() -> None:
    learned = TrainedModel((), make_card(), make_source(input_size=112))
    assert learned.with_tile_size(224).card.gsd_m == 2
    assert learned.with_tile_size(None).card.gsd_m is None


def test_features_of_another_gsd_m_are_refused_by_that_name() -> None:
    source = make_source(input_size=112)
    learned = TrainedModel((), make_card(source), source).with_tile_size(224)
    learned.check_features(source)
    with pytest.raises(
        AerialError,
        match=r"'county' was trained on features .*by gsd_m \(112, now 224\)\..*gsd_m=2 included",
    ):
        learned.check_features(make_source())


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (make_source(weights_sha256="b" * 64), r"weights \(aaaaaaaa, now bbbbbbbb\)"),
        (make_source(precision="int8"), r"precision \(fp32, now int8\)"),
        (make_source(engine="openvino"), r"engine \(onnxruntime, now openvino\)"),
        (make_source(stages=("blocks.1",)), r"layers \(the last, now blocks\.1\)"),
    ],
)
def test_where_more_differs_all_of_it_is_named(other: FeatureSource, named: str) -> None:
    source = make_source(input_size=112)
    learned = TrainedModel((), make_card(source), source).with_tile_size(224)
    with pytest.raises(AerialError, match=named) as refused:
        learned.check_features(other)
    assert "pixels of a tile, by gsd_m (112, now 224)" in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        LogisticRegressionSettings(max_iter=50, reg_param=0.01),
        RandomForestSettings(num_trees=5, max_depth=3),
    ],
    ids=["regression", "forest"],
)
def test_a_model_says_the_same_before_and_after_it_is_stored(
    spark_session: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    settings: ClassifierSettings,
) -> None:
    """What Spark has fitted is applied by Spark, and once it is stored by numpy."""
    classes = ["C", "A", "B"]
    numbers = np.random.default_rng(1).normal(size=(90, 4))
    rows = spark_session.createDataFrame(
        [
            (f"t{place:02d}", classes[each.argmax() % 3], each.tolist())
            for place, each in enumerate(numbers)
        ],
        "image_id string, label string, features array<float>",
    ).coalesce(1)
    monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 1500)  # two partitions
    stages, _ = fit_model(rows, settings, classes, 1)
    assert isinstance(stages, PipelineModel)
    stages.write().save(str(tmp_path / "stages"))
    stored = read_stages(LocalFileSystem(), str(tmp_path / "stages"), "oak")
    card = make_card(classes=classes, temperature=2.5)
    before, after = (
        TrainedModel(each, card, make_source()).predict(rows).toPandas().sort_values("image_id")
        for each in (stages, stored)
    )
    columns = ["image_id", "label", "features", "pred_label", "probability", "class_probabilities"]
    assert before.columns.tolist() == after.columns.tolist() == columns
    assert before["pred_label"].tolist() == after["pred_label"].tolist()
    one, other = (np.array(each["class_probabilities"].tolist()) for each in (before, after))
    assert one == pytest.approx(other, abs=1e-9)
    assert after["probability"].tolist() == pytest.approx(other.max(axis=1))
    sharp = TrainedModel(stages, card.model_copy(update={"temperature": 1.0}), make_source())
    assert sharp.predict(rows).toPandas()["probability"].mean() > before["probability"].mean()


def test_what_is_spark_s_alone_is_not_taken_for_stored(spark_session: SparkSession) -> None:
    assert spark_session.sparkContext
    learned = TrainedModel(PipelineModel([]), make_card(), make_source())
    with pytest.raises(ValueError, match="'county' is still Spark's: store it first"):
        learned.to_numpy()
