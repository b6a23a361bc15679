"""What featurization says and counts, and how often it asks Spark."""

from __future__ import annotations

import logging

import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.errors import AerialError
from aerial_kedro.features.featurize import QUARANTINE_COLUMNS
from aerial_kedro.features.featurizer import PendingFeatures
from aerial_kedro.pipelines.featurization.nodes import check_quarantine, featurize_tiles
from aerial_kedro.tiles.catalog import TILE_COLUMNS, ddl
from tests.models import make_source

DONE = "image_id string, source_version string, feature_key string"


def catalog(session: SparkSession, scenes_m: tuple[float | None, ...]) -> DataFrame:
    rows = [
        {
            **dict.fromkeys(TILE_COLUMNS),
            **{"image_id": str(number), "kind": "window", "epsg": 26918, "gsd_m": gsd_m},
            **{"xmin": 0.0, "xmax": 224.0, "ymin": 0.0, "ymax": 224.0, "source_version": "v1"},
        }
        for number, gsd_m in enumerate(scenes_m)
    ]
    return session.createDataFrame(rows, ddl(TILE_COLUMNS))


@pytest.mark.parametrize(
    ("scenes_m", "input_size", "warned"),
    [
        ((1.0, 2.0), 224, "pixels of 1 m, finer than scenes of 2 m"),
        ((2.0, 2.0), 112, None),
        ((1.0, 0.6), 224, None),
        ((None, None), 224, None),
    ],
)
def test_pixels_finer_than_the_scenes_are_in_the_log(
    scenes_m: tuple[float | None, ...],
    input_size: int,
    warned: str | None,
    spark_session: SparkSession,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tiles = catalog(spark_session, scenes_m)
    done = spark_session.createDataFrame([], DONE)
    with caplog.at_level(logging.WARNING, logger="aerial_kedro"):
        featurize_tiles(tiles, done, make_source(input_size=input_size), 0.05)
    assert (warned in caplog.text) if warned else not caplog.records


def test_where_nothing_is_missing_spark_does_not_look_for_it(spark_session: SparkSession) -> None:
    tiles, source = catalog(spark_session, (1.0, 1.0)), make_source(input_size=224)
    for names, is_known in ((["0", "1"], True), (["0"], False)):
        rows = [(name, "v1", source.key) for name in names]
        pending = featurize_tiles(tiles, spark_session.createDataFrame(rows, DONE), source, 0.05)
        assert isinstance(pending, PendingFeatures)
        plan = pending.tiles._jdf.queryExecution().optimizedPlan().toString()
        assert plan.startswith("LocalRelation <empty>") == is_known
        assert pending.tiles.count() == 2 - len(names)


def test_no_quarantine_is_known_from_one_count(spark_session: SparkSession) -> None:
    tiles = catalog(spark_session, (1.0, 1.0, 1.0))
    nothing = spark_session.range(0).selectExpr(*[f"'' as {name}" for name in QUARANTINE_COLUMNS])
    spark_session.sparkContext.setJobGroup("no quarantine", "")
    summary = check_quarantine(nothing, tiles, 0.05, 0.01)
    jobs = spark_session.sparkContext.statusTracker().getJobIdsForGroup("no quarantine")
    assert (summary.tiles, summary.quarantined) == (3, 0)
    assert (summary.reasons, summary.examples) == ({}, [])
    assert len(jobs) <= 2  # of one query: rows are counted, then the counts added up


def test_a_quarantine_is_counted_by_reason(spark_session: SparkSession) -> None:
    tiles = catalog(spark_session, (1.0, 1.0, 1.0))
    rows = [("2", "c.tif", "late"), ("0", "a.tif", "broken"), ("1", "b.tif", "broken")]
    found = spark_session.createDataFrame(rows, ddl(QUARANTINE_COLUMNS))
    summary = check_quarantine(found, tiles, 0.05, 1.0)
    assert (summary.tiles, summary.quarantined) == (3, 3)
    assert summary.reasons == {"broken": 2, "late": 1}
    assert summary.examples == [rows[1], rows[2], rows[0]]
    with pytest.raises(AerialError, match="3 of 3 tiles could not be read"):
        check_quarantine(found, tiles, 0.05, 0.5)
