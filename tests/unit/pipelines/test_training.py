"""What training learns from, and refuses to learn from."""

from __future__ import annotations

from typing import cast

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureRequest
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import LogisticRegressionSettings
from aerial_kedro.pipelines.training.nodes import Candidate, choose_model
from aerial_kedro.pipelines.training.selection import list_classes, select_labelled
from aerial_kedro.tiles.records import QuarantineSummary
from tests.models import make_card, make_source
from tests.unit.compared import evaluated

SETTINGS = LogisticRegressionSettings(max_iter=10, reg_param=0.01)


def test_the_order_of_tiles_does_not_come_from_that_of_features(
    spark_session: SparkSession,
) -> None:
    """A forest with the same seed is the same forest only then."""
    names, source = [f"tile-{number:04d}" for number in range(5_000)], make_source()
    catalog = spark_session.createDataFrame(
        [(name, "1", "A", "train", None) for name in names],
        "image_id string, source_version string, label string, split string, block_id string",
    )
    features = spark_session.createDataFrame(
        [(name, "1", source.key, [1.0], [2.0]) for name in names],
        "image_id string, source_version string, feature_key string, "
        "features array<float>, statistics array<float>",
    )
    all_of_them = QuarantineSummary(tiles=len(names), quarantined=0, reasons={}, examples=[])
    places = [
        select_labelled(written, catalog, source, all_of_them, FeatureRequest())
        .select("image_id", F.spark_partition_id(), F.monotonically_increasing_id())
        .toPandas()
        for written in (features, features.orderBy(F.desc("image_id")).repartition(7))
    ]
    assert sorted(places[0]["image_id"]) == names
    assert places[0].iloc[:, 1].nunique() == 5
    pd.testing.assert_frame_equal(*places)


def labelled(session: SparkSession, *tiles: tuple[str, str, list[float]]) -> DataFrame:
    rows = [(f"tile-{number}", *tile) for number, tile in enumerate(tiles)]
    return session.createDataFrame(
        rows, "image_id string, split string, label string, features array<float>"
    )


def test_classes_are_those_of_the_training_tiles(spark_session: SparkSession) -> None:
    tiles = labelled(
        spark_session,
        ("train", "B", [1.0, -2.0]),
        ("train", "A", [3.4e38, 0.0]),
        ("test", "C", [0.0, 0.0]),
    )
    assert list_classes(tiles) == ["A", "B"]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_feature_that_is_no_finite_number_is_refused(
    spark_session: SparkSession, number: float, split: str
) -> None:
    tiles = labelled(
        spark_session,
        ("train", "A", [1.0, 2.0]),
        ("train", "B", [2.0, 1.0]),
        (split, "B", [2.0, number]),
        (split, "A", [number, number]),
    )
    with pytest.raises(AerialError, match=r"2 tile\(s\) have features .* such as 'tile-2'"):
        list_classes(tiles)


def test_features_other_than_those_asked_for_are_refused(spark_session: SparkSession) -> None:
    """`--pipeline=training` alone takes the features that there are."""
    nothing, none = (
        cast("DataFrame", None),
        QuarantineSummary(tiles=0, quarantined=0, reasons={}, examples=[]),
    )
    int8 = make_source(precision="int8", calibration="0123")
    with pytest.raises(
        AerialError,
        match=r"backbone=lite, engine=onnxruntime, precision=int8.*precision=fp32.*=featurization",
    ):
        select_labelled(nothing, nothing, int8, none, FeatureRequest(precision="fp32"))
    with pytest.raises(AerialError, match="asks for backbone=heavy"):
        select_labelled(nothing, nothing, int8, none, FeatureRequest(backbone="heavy"))
    tiles = spark_session.createDataFrame(
        [(26918, 0.0, 0.0, 224.0, 224.0)], "epsg int, xmin double, ymin double, xmax double, "
        "ymax double",
    )  # fmt: skip
    with pytest.raises(AerialError, match=r"input of 224 pixels.*asks for gsd_m=2"):
        select_labelled(nothing, tiles, make_source(), none, FeatureRequest(gsd_m=2.0))


@pytest.mark.parametrize(
    ("better", "chosen"), [("logistic_regression", 0), ("random_forest", 1), (None, 0)]
)
def test_the_choice_is_made_out_of_fold(
    spark_session: SparkSession, better: str | None, chosen: int
) -> None:
    """Whatever the seven blocks of the validation split say; at a tie the first stays."""
    candidates = [
        _candidate(name, right=0.9 if name == better else 0.7, on_validation=0.1 * (1 + number))
        for number, name in enumerate(("random_forest", "logistic_regression"))
    ][::-1]
    tiles = spark_session.createDataFrame(
        [("train", 26918, 0.0, 0.0, 224.0, 224.0), ("test", 26918, 0.0, 0.0, 50.0, 50.0)],
        "split string, epsg int, xmin double, ymin double, xmax double, ymax double",
    )
    model, choice = choose_model(*candidates, tiles, seed=1)
    assert choice.name == candidates[chosen].name
    assert choice.settings is candidates[chosen].settings
    assert model.card.tile_size_m == 224
    assert choice.comparison is not None
    assert choice.comparison.blocks == 10
    assert (choice.comparison.difference > 0) == (better is not None)
    assert f"against {candidates[1 - chosen].name} 0." in choice.reason
    assert "resamples of 10 blocks" in choice.reason


def test_the_only_one_trained_is_chosen(spark_session: SparkSession) -> None:
    only = _candidate("random_forest", right=0.5, on_validation=0.5)
    tiles = spark_session.createDataFrame(
        [], "split string, epsg int, xmin double, ymin double, xmax double, ymax double"
    )
    _, choice = choose_model(Candidate("logistic_regression", SETTINGS), only, tiles, seed=1)
    assert choice.name == "random_forest"
    assert choice.comparison is None
    assert choice.reason.endswith("no other was trained")


def _candidate(name: str, *, right: float, on_validation: float) -> Candidate:
    """A candidate that is right for a share of 100 tiles in ten blocks."""
    labels = ["A", "B"] * 50
    predicted = [
        each if number < 100 * right else "BA"[each == "B"] for number, each in enumerate(labels)
    ]
    blocks = [f"block-{number % 10}" for number in range(100)]
    unseen = pd.DataFrame(
        {
            "image_id": [f"tile-{number:02d}" for number in range(100)],
            "label": labels,
            "block_id": blocks,
            "unit": blocks,
            "pred_label": predicted,
        }
    )
    validation = evaluated(round(40 * on_validation))
    card = make_card(name=name, classes=["A", "B"], validation=validation)
    return Candidate(
        name, SETTINGS, TrainedModel((), card, make_source()), seconds=1.0, unseen=unseen
    )
