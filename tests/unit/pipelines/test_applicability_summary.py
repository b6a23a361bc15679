"""How far a model holds is summed up once in every run that maps or scores, and logged."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
from kedro.pipeline import Pipeline
from pyspark.sql import SparkSession

from aerial_kedro.accuracy.applicability import UNKNOWN, ApplicabilitySummary, HeldGround
from aerial_kedro.maps.drawing import BANDS
from aerial_kedro.pipelines import from_folders, score_folder
from aerial_kedro.pipelines.main_job import create_scene_pipelines
from aerial_kedro.pipelines.reporting.nodes import draw_map_images
from aerial_kedro.pipelines.reporting.report import describe_applicability
from aerial_kedro.pipelines.scoring.applicability import summarise_cells, summarise_tiles
from aerial_kedro.scenes.raster import Raster
from tests.builders import CLASSES, ORIGIN, north_up


def test_cells_are_summed_up_by_year_and_most_outside_is_a_warning(
    spark_session: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [(2012, 0.4, 1.0), (2018, 0.8, 0.5), (2018, 0.6, 0.1), (2018, None, None)]
    columns = "year int, expected_accuracy double, outside_share double"
    with caplog.at_level(logging.INFO):
        found = summarise_cells(spark_session.createDataFrame(rows, columns))
    assert found.units == "cells"
    assert found.by_year["2018"] == HeldGround(tiles=2, expected_accuracy=0.7, outside_share=0.3)
    assert found.overall is not None
    assert found.overall.tiles == 3
    warning, line = caplog.records
    assert (warning.levelname, warning.getMessage()) == ("WARNING", found.warning)
    assert (line.levelname, line.getMessage()) == ("INFO", str(found))


def test_tiles_that_the_land_cover_decided_are_left_out(spark_session: SparkSession) -> None:
    rows = [(None, 0.9, False), (None, 0.5, True), (None, None, None)]
    columns = "year int, expected_accuracy double, outside boolean"
    found = summarise_tiles(spark_session.createDataFrame(rows, columns))
    assert found.overall == HeldGround(tiles=2, expected_accuracy=0.7, outside_share=0.5)
    assert (found.units, found.by_year) == ("tiles", {})


def test_an_older_model_is_logged_not_to_know(
    spark_session: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    columns = "year int, expected_accuracy double, outside_share double"
    with caplog.at_level(logging.INFO):
        found = summarise_cells(spark_session.createDataFrame([(2012, None, None)], columns))
    assert caplog.messages == [UNKNOWN]
    assert describe_applicability(found) is None
    assert describe_applicability(None) is None


PIPELINES: dict[str, Callable[[], Pipeline]] = {
    "cells": lambda: create_scene_pipelines("cell")["__default__"],
    "tiles": lambda: create_scene_pipelines("tile")["__default__"],
    "own labels": lambda: create_scene_pipelines(labels="own")["__default__"],
    "score_scenes": lambda: create_scene_pipelines("cell")["score_scenes"],
    "score_scenes of tiles": lambda: create_scene_pipelines("tile")["score_scenes"],
    "score_cells": score_folder.create_cells_pipeline,
    "score_folder": score_folder.create_pipeline,
    "from_folders": from_folders.create_pipeline,
}


@pytest.mark.parametrize("name", PIPELINES)
def test_every_run_that_scores_sums_it_up_once(name: str) -> None:
    pipeline = PIPELINES[name]()
    (node,) = (each for each in pipeline.nodes if "applicability_summary" in each.outputs)
    of_cells = name in {"cells", "own labels", "score_scenes", "score_cells"}
    assert node.inputs == ["cell_predictions" if of_cells else "predictions"]
    reports = [each for each in pipeline.nodes if {"report", "metrics"} & set(each.outputs)]
    assert len(reports) == (0 if name.startswith("score") else 2)
    assert all("applicability_summary" in each.inputs for each in reports)


def test_figures_are_those_of_the_summary() -> None:
    ground = HeldGround(tiles=2, expected_accuracy=0.7, outside_share=0.3)
    found = describe_applicability(ApplicabilitySummary.of_years("cells", [(2018, ground)]))
    assert found is not None
    assert found["units"] == "cells"
    assert found["overall"] == found["by_year"]["2018"] == ground.model_dump()


@pytest.mark.parametrize("bands", [2, 4])
def test_bands_of_a_map_are_found_by_name(bands: int) -> None:
    pixels = np.array([[[1, 2, 0]], [[90, 40, 0]], [[70, 0, 0]], [[0, 1, 0]]], np.uint8)[:bands]
    raster = Raster(pixels, north_up(ORIGIN, 32), "EPSG:26918", 0, BANDS[:bands])
    image = draw_map_images({"map_2018": lambda: raster}, CLASSES)["2018"]
    assert image.confidence is not None
    np.testing.assert_array_equal(image.confidence, [[0.9, 0.4, np.nan]])
    if bands == 2:
        assert (image.expected, image.outside) == (None, None)
        return
    assert image.outside is not None
    np.testing.assert_array_equal(np.asarray(image.expected), [[0.7, np.nan, np.nan]])
    np.testing.assert_array_equal(image.outside, [[False, True, False]])
