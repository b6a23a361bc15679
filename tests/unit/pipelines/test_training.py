"""What training refuses to learn from."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.training.nodes import list_classes


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
