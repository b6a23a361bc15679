"""What training learns from, and refuses to learn from."""

from __future__ import annotations

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.training.selection import list_classes, record_source, select_labelled
from aerial_kedro.tiles.records import QuarantineSummary
from tests.models import make_source


def test_the_order_of_tiles_does_not_come_from_that_of_features(
    spark_session: SparkSession,
) -> None:
    """A forest with the same seed is the same forest only then."""
    names = [f"tile-{number:04d}" for number in range(5_000)]
    catalog = spark_session.createDataFrame(
        [(name, "1", "A", "train", None) for name in names],
        "image_id string, source_version string, label string, split string, block_id string",
    )
    features = spark_session.createDataFrame(
        [(name, "1", "key", [1.0], [2.0]) for name in names],
        "image_id string, source_version string, feature_key string, "
        "features array<float>, statistics array<float>",
    )
    all_of_them = QuarantineSummary(tiles=len(names), quarantined=0, reasons={}, examples=[])
    places = [
        select_labelled(written, catalog, "key", all_of_them)
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


def test_a_model_keeps_what_computed_the_features_it_learned_from() -> None:
    source, other = make_source(), make_source("openvino")
    assert record_source(source.backbone, source.choice, source.key) == source
    with pytest.raises(AerialError, match=r"lite in fp32, run by openvino.*=featurization"):
        record_source(other.backbone, other.choice, source.key)


def test_features_in_int8_want_their_precision_again() -> None:
    """`--pipeline=training` alone takes the fp32 network, and finds the other's choice."""
    int8 = make_source(precision="int8", calibration="0123")
    with pytest.raises(AerialError, match=r"in fp32, run by onnxruntime in int8.*precision=int8"):
        record_source(make_source().backbone, int8.choice, int8.key)
