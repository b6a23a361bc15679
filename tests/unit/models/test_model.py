"""A trained model, and features or tiles other than those that it learned from."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.model import TrainedModel, find_tile_size
from tests.models import make_card, make_source


def model(tile_size_m: float | None) -> TrainedModel:
    return TrainedModel(None, make_card(tile_size_m=tile_size_m), make_source())


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
    learned = TrainedModel(None, make_card(), make_source(input_size=112))
    assert learned.with_tile_size(224).card.gsd_m == 2
    assert learned.with_tile_size(None).card.gsd_m is None


def test_features_of_another_gsd_m_are_refused_by_that_name() -> None:
    source = make_source(input_size=112)
    learned = TrainedModel(None, make_card(source), source).with_tile_size(224)
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
    learned = TrainedModel(None, make_card(source), source).with_tile_size(224)
    with pytest.raises(AerialError, match=named) as refused:
        learned.check_features(other)
    assert "pixels of a tile, by gsd_m (112, now 224)" in str(refused.value)
