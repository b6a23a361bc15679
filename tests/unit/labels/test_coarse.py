"""Land cover coarser than a cell: labels stay possible, and what they mean is said."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession

from aerial_kedro.cells.grid import unpack
from aerial_kedro.features.precision_loss import PrecisionSummary
from aerial_kedro.labels.coarse import remark_on_coarse_pixels
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.labels.land_cover import label_tiles as label_frames
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.data_ingestion.nodes import label_tiles
from aerial_kedro.pipelines.reporting.nodes import describe_scenes
from aerial_kedro.pipelines.reporting.report import write_report
from aerial_kedro.report.content import RunFacts
from aerial_kedro.splits.regions import RegionLayer
from aerial_kedro.splits.rules import SplitRules
from aerial_kedro.tiles.catalog import TILE_COLUMNS, ddl
from tests.builders import CLASSES, cell_of_origin, grid_tiles, random_codes, write_land_cover
from tests.models import make_card, make_source

RULES = LabelRules(min_purity=0.7)
SPLIT = SplitRules(block_size_m=1120, buffer_m=224, validation=0.2, test=0.2)
SAID = "pixels of 100 m, and cells are 32 m wide"


@pytest.fixture
def hectares(tmp_path: Path) -> LandCoverRaster:
    """Land cover of 100 m pixels under a tile."""
    found = write_land_cover(tmp_path / "nlcd_2019.tif", random_codes((9, 9)), gsd=100.0)
    return replace(found, pixel_m=100.0)


def test_cells_of_a_coarse_land_cover_have_the_class_of_their_square(
    hectares: LandCoverRaster,
) -> None:
    col, row = cell_of_origin()
    (tiles,) = label_frames(iter([grid_tiles([(col, row)])]), [hectares], CLASSES, RULES)
    labels, purity = (unpack(tiles[name].tolist()) for name in ("cell_labels", "cell_purity"))
    assert labels.all()
    assert len(np.unique(labels[0, :3, :3])) == 1
    assert (purity == 100).mean() > 0.5


@pytest.mark.parametrize(
    ("pixel_m", "tile_size_m", "grain", "said"),
    [
        (100.0, 224.0, "cell", SAID),
        (30.0, 112.0, "cell", "pixels of 30 m, and cells are 16 m wide"),
        (100.0, 224.0, "tile", None),
        (30.02, 224.0, "cell", None),
        (33.0, 224.0, "cell", None),
        (None, 224.0, "cell", None),
    ],
)
def test_only_what_is_coarser_than_a_cell_is_remarked_on(
    pixel_m: float | None, tile_size_m: float, grain: str, said: str | None
) -> None:
    fine = LandCoverRaster("fine.tif", 2011, "", (0, 0, 9, 9), (), pixel_m=10.0)
    raster = LandCoverRaster("coarse.tif", 2019, "", (0, 0, 9, 9), (), pixel_m=pixel_m)
    remark = remark_on_coarse_pixels([fine, raster, fine], tile_size_m, grain)
    assert (remark is None) == (said is None)
    if remark and said:
        assert remark.startswith(f"The land cover coarse.tif has {said}: a cell is labelled")
    assert remark_on_coarse_pixels([], tile_size_m, grain) is None


@pytest.mark.parametrize("grain", ["cell", "tile"])
def test_it_is_logged_when_labels_are_made(
    spark_session: SparkSession,
    hectares: LandCoverRaster,
    caplog: pytest.LogCaptureFixture,
    grain: str,
) -> None:
    tiles, layer = spark_session.createDataFrame([], ddl(TILE_COLUMNS)), RegionLayer("", None)
    with caplog.at_level(logging.WARNING):
        label_tiles(tiles, [hectares], layer, CLASSES, RULES, SPLIT, 224.0, grain)
    assert (SAID in caplog.text) == (grain == "cell")


@pytest.mark.parametrize("grain", ["cell", "tile"])
def test_it_is_a_caveat_of_the_report(
    spark_session: SparkSession, hectares: LandCoverRaster, grain: str
) -> None:
    scenes = spark_session.createDataFrame(
        [(2018, 1.0, "")], "year int, gsd_m double, description string"
    )
    facts = describe_scenes(scenes, [hectares], "scenes", "cover", 224.0, grain, 1)
    source = make_source()
    run: Any = RunFacts(created="today", python="3.11", processor="any", versions={})
    page = write_report(
        facts,
        run,
        TrainedModel((), make_card(source), source),
        PrecisionSummary(engine="onnxruntime", precision="fp32"),
    )
    assert (SAID in page) == (grain == "cell")
