"""Featurization says where the network sees finer pixels than the scenes have."""

from __future__ import annotations

import logging

import pytest
from pyspark.sql import SparkSession

from aerial_kedro.pipelines.featurization.nodes import featurize_tiles
from aerial_kedro.tiles.catalog import TILE_COLUMNS, ddl
from tests.models import make_source


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
    rows = [
        {
            **dict.fromkeys(TILE_COLUMNS),
            **{"image_id": str(number), "kind": "window", "epsg": 26918, "gsd_m": gsd_m},
            **{"xmin": 0.0, "xmax": 224.0, "ymin": 0.0, "ymax": 224.0, "source_version": "v1"},
        }
        for number, gsd_m in enumerate(scenes_m)
    ]
    tiles = spark_session.createDataFrame(rows, ddl(TILE_COLUMNS))
    done = spark_session.createDataFrame(
        [], "image_id string, source_version string, feature_key string"
    )
    with caplog.at_level(logging.WARNING, logger="aerial_kedro"):
        featurize_tiles(tiles, done, make_source(input_size=input_size), 0.05)
    assert (warned in caplog.text) if warned else not caplog.records
