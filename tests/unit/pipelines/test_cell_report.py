"""What the report shows of a map of cells, from tables of a few tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.accuracy.block_area import BlockErrors
from aerial_kedro.accuracy.ground import CellMapSummary
from aerial_kedro.accuracy.validation import ValidationSummary
from aerial_kedro.cells import describe
from aerial_kedro.cells.describe import CellInputs
from aerial_kedro.cells.grid import pack
from aerial_kedro.features.artifact import CellEmbedding
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.cells.reporting import evaluate_cell_map
from aerial_kedro.pipelines.cells.workers import count_pairs
from aerial_kedro.pipelines.reporting import cell_nodes
from aerial_kedro.pipelines.reporting.cell_areas import (
    compare_cell_areas,
    measure_cell_areas,
)
from aerial_kedro.pipelines.reporting.cell_nodes import (
    count_unsure_cells,
    draw_tile_maps,
    gather_cells,
    picture_ground,
)
from aerial_kedro.pipelines.reporting.nodes import ReportSettings
from aerial_kedro.pipelines.reporting.report import _cell_figures, build_metrics
from aerial_kedro.report.content import AreaRow
from aerial_kedro.report.pictures import NO_DATA, MapImage
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.schemas import CELL_PREDICTION_COLUMNS, PREDICTION_COLUMNS
from aerial_kedro.tiles.catalog import SPLIT_COLUMNS, TILE_COLUMNS, ddl
from aerial_kedro.tiles.records import CatalogSummary, QuarantineSummary
from tests.builders import CLASSES, ORIGIN, grid_tiles, north_up, write_land_cover
from tests.models import make_card, make_source
from tests.unit.pipelines.test_areas import RIGHT, summary_of
from tests.unit.report.test_cell_section import SUMMARY

OWN = ["Cultivated", "Forest", "Water"]  # the model's own order; the table's: Forest, Cultivated, …
FOREST, CULTIVATED, WATER = 0, 1, 3  # in the class table
EMBEDDING = CellEmbedding(
    layers=("a",), channels=9, scales=(1.0,) * 4, explained=0.9, fitted_tiles=3, fitted_on="x",
    projection_sha256="0" * 64,
)  # fmt: skip
SOURCE = make_source(cells=EMBEDDING)
INPUTS = CellInputs(scales=(1.0,) * 4, infrared=True, means=(0.0,) * 10, deviations=(1.0,) * 10)
MODEL = TrainedModel((), make_card(SOURCE, classes=OWN, cells=INPUTS, tile_size_m=224), SOURCE)
SETTINGS = ReportSettings(
    gallery_tiles=0, worst_errors=0, explained_errors=0, change_candidates=0,
    groups={"Green": ["Forest", "Cultivated"], "Blue": ["Water"]},
)  # fmt: skip


def cells(*rows: int) -> np.ndarray:
    """Cells of a tile by rows of the grid."""
    return np.repeat(np.array(rows, np.uint8)[:, None], 7, axis=1)


def tiles(year: int = 2018) -> pd.DataFrame:
    """Four tiles in two blocks. By the map the first row of cells of each is cultivated.

    By the land cover the first two rows of the first two tiles are; of the last one nothing is
    known.
    """
    columns = [2232, 2233, 2234, 2235]
    shown, labels = cells(1, *[2] * 6), cells(2, 2, *[1] * 5)
    forest, nothing = np.ones((7, 7), np.uint8), np.zeros((7, 7), np.uint8)
    chances = np.zeros((4, 7, 7, 3), np.uint8)
    chances[np.arange(4)[:, None, None], np.arange(7)[:, None], np.arange(7), shown - 1] = 255
    known = np.stack([labels, labels, forest, nothing])
    return grid_tiles([(each, 18035) for each in columns], year=year).assign(
        block_id=["a", "a", "b", "b"],
        label=["Forest", None, "Forest", None],
        purity=[0.8, 0.6, 1.0, None],
        cell_split="test",
        cell_labels=pack(known),
        cell_purity=pack(np.where(known, 100, 0).astype(np.uint8)),
        cell_classes=pack(np.stack([shown] * 4)),
        cell_confidence=pack(np.full((4, 7, 7), 99, np.uint8)),
        cell_probabilities=pack(chances),
        class_by_cells="Forest",
        probability_by_cells=0.8,
        shares=[{"Cultivated": 1 / 7, "Forest": 6 / 7}] * 4,
    )


def table(spark: SparkSession, rows: pd.DataFrame, columns: dict[str, str]) -> DataFrame:
    filled = rows.reindex(columns=list(columns)).astype(object)
    values = filled.where(filled.notna(), None).itertuples(index=False, name=None)
    return spark.createDataFrame(list(values), ddl(columns))


SETTINGS_OF_MAP = MapSettings(min_probability=0.5, smoothing=False)


def predictions(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    return table(spark, rows, CELL_PREDICTION_COLUMNS)


def test_the_ground_of_test_blocks_is_compared_with_land_cover_and_truth(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    rows = pd.concat([tiles(), tiles(2012).assign(cell_labels=pack(np.zeros((4, 7, 7), np.uint8)))])
    codes = np.full((7, 28), 41, np.uint8)
    codes[0] = 81  # the truth: as on the map
    truth = write_land_cover(tmp_path / "t.tif", codes, gsd=32.0, year=2018)
    of_tiles = rows.assign(pred_label="Forest")
    found, errors = evaluate_cell_map(
        predictions(spark_session, rows),
        table(spark_session, of_tiles, PREDICTION_COLUMNS),
        MODEL, [truth], CLASSES, SETTINGS_OF_MAP, 1,
    )  # fmt: skip
    # Three tiles of one year have labels; of the first two a row of cells in seven is wrong.
    assert found.overall is not None
    assert (found.overall.cells, found.overall.blocks) == (3 * 49, 2)
    assert found.overall.accuracy == pytest.approx((6 + 6 + 6) / 21)
    assert found.overall.tile_map_accuracy == pytest.approx((5 + 5 + 7) / 21)
    assert found.unknown_share == pytest.approx(5 / 8)
    assert list(found.agreement) == ["2018"]
    assert found.overall_truth is not None
    assert found.overall_truth == found.truth["2018"]
    assert found.overall_truth.accuracy == 1
    assert found.overall_truth.tiles_by_model_mixed == 1
    assert found.overall_land_cover is not None
    assert found.overall_land_cover.accuracy == pytest.approx((6 + 6 + 6 + 0) / 28)
    assert found.bytes_a_tile == 4 * 49
    # Rows are the map's classes, in the order of the class table.
    [first, second] = errors.of_year("2018").tolist()
    assert first[FOREST][FOREST], first[FOREST][CULTIVATED] == (70, 14)
    assert first[FOREST][CULTIVATED] == first[CULTIVATED][CULTIVATED] == 14
    assert (second[FOREST][FOREST], second[CULTIVATED][FOREST]) == (42, 7)


def test_areas_are_those_of_cells(spark_session: SparkSession) -> None:
    counts = np.zeros((2, 4, 4), np.int64)
    counts[:, FOREST, FOREST], counts[:, FOREST, CULTIVATED] = 75, 25
    counts[:, CULTIVATED, CULTIVATED] = 50
    counts[:, FOREST, WATER] = 25
    errors = BlockErrors(CLASSES.names, {"2018": counts})
    found = measure_cell_areas(predictions(spark_session, tiles()), errors, CLASSES, 1)
    forest, cultivated, water = found["2018"]
    whole = 4 * 0.224**2
    assert (forest.class_name, forest.count, forest.units) == ("Forest", 4 * 42, "cells")
    assert forest.area_km2 == pytest.approx(whole * 6 / 7)
    assert forest.adjusted_km2 == pytest.approx(whole * 6 / 7 * 0.6)
    assert forest.adjusted_interval is not None
    assert cultivated.adjusted_km2 == pytest.approx(whole * (1 / 7 + 6 / 7 * 0.2))
    # The map shows no water; by its errors there is some.
    assert (water.class_name, water.count, water.area_km2) == ("Water", 0, 0)
    assert water.adjusted_km2 == pytest.approx(whole * 6 / 7 * 0.2)


def test_without_cells_of_a_class_in_test_blocks_areas_are_not_corrected(
    spark_session: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    errors = BlockErrors(CLASSES.names, {})
    [rows] = measure_cell_areas(predictions(spark_session, tiles()), errors, CLASSES, 1).values()
    assert [row.adjusted_km2 for row in rows] == [None, None]
    assert "Areas of 2018 are not corrected" in caplog.text


def test_shares_of_cells_stand_beside_the_land_covers(spark_session: SparkSession) -> None:
    rows = tiles()
    fractions = [{"Forest": 0.7, "Cultivated": 0.3}, {"Water": 1.0}, {"Forest": 1.0}, None]
    catalog = spark_session.createDataFrame(
        [
            (name, share, None if share is None else 2019)
            for name, share in zip(rows["image_id"], fractions, strict=True)
        ],
        "image_id string, fractions map<string,double>, label_year int",
    )
    areas = {"2018": [AreaRow(class_name="Forest", count=1, area_km2=2, share=1, adjusted_km2=1)]}
    [found] = compare_cell_areas(
        predictions(spark_session, rows), catalog, areas, MODEL, SETTINGS, CLASSES
    ).values()
    assert (found.tiles, found.tiles_without_land_cover) == (4, 1)
    assert found.land_cover_years == [2019]
    shares = {row.name: (row.land_cover, row.mapped, row.adjusted) for row in found.classes}
    assert shares["Forest"] == (pytest.approx(1.7 / 3), pytest.approx(6 / 7), 0.5)
    assert shares["Cultivated"] == (pytest.approx(0.1), pytest.approx(1 / 7), None)
    assert shares["Water"][:2] == (pytest.approx(1 / 3), 0)
    # 147 cells have a label, all in the group of green classes on both sides.
    assert (found.group_agreement, found.group_agreement_count) == (1.0, 147)
    assert found.units == "cells"
    split = SETTINGS.model_copy(update={"groups": {"Trees": ["Forest"], "Crops": ["Cultivated"]}})
    [found] = compare_cell_areas(
        predictions(spark_session, rows), catalog, areas, MODEL, split, CLASSES
    ).values()
    assert found.group_agreement == pytest.approx((6 + 6 + 6) / 21)


def test_pairs_of_classes_are_counted_year_by_year() -> None:
    rows = pd.concat([tiles(), tiles(2012).head(1)])
    found = pd.concat(count_pairs(iter([rows]), mapped=3, labels=4))
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        (2012, 0, 1, 7),
        (2012, 1, 0, 35),
        (2012, 1, 1, 7),
        (2018, 0, 0, 7),
        (2018, 0, 1, 14),
        (2018, 1, 0, 112),
        (2018, 1, 1, 14),
    ]


def map_of(year: str, size: int = 28) -> dict[str, MapImage]:
    extent = (ORIGIN[0], ORIGIN[1] - 224, ORIGIN[0] + 4 * 224, ORIGIN[1])
    index = np.zeros((7, size), np.uint8)
    return {year: MapImage(class_index=index, classes=["Forest"], extent=extent, crs="EPSG:26918")}


def test_the_map_of_tiles_is_drawn_for_the_years_that_have_a_map_of_cells() -> None:
    mapped = pd.concat([tiles(2012), tiles(2018)]).assign(
        mapped_class=["Forest", "Unsure", "Water", None] * 2
    )
    [(year, found)] = draw_tile_maps(mapped, map_of("2018"), CLASSES).items()
    assert year == "2018"
    assert found.class_index.tolist() == [[FOREST, len(CLASSES.names), WATER, NO_DATA]]
    assert found.extent == map_of("2018")["2018"].extent


@pytest.mark.parametrize("most_read", [3_000, 0])
def test_the_picture_is_of_pixels_or_of_mean_colours(
    most_read: int, spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_nodes, "_MOST_READ", most_read)
    monkeypatch.setattr(cell_nodes, "_LONGEST_PX", 80)
    # The driver's: what is stored is decoded by workers, as it would take too much memory here.
    monkeypatch.setattr(describe, "decode_statistics", None)
    rows = tiles()
    catalog = table(
        spark_session,
        rows.assign(href="/nowhere.tif", kind="window", source_version="v2"),
        {**TILE_COLUMNS, **SPLIT_COLUMNS},
    )
    statistics = np.zeros((4, 7, 7, 6), np.uint8)
    statistics[:, 0, 0, :3] = (200, 100, 50)
    stored = [
        (name, version, value, key)
        for version, key, kept in (
            ("v2", SOURCE.key, statistics),
            ("v1", SOURCE.key, statistics + 5),  # of the scene before it was replaced
            ("v2", "of another source", statistics + 9),
        )
        for name, value in zip(rows["image_id"], pack(kept), strict=True)
    ]
    features = spark_session.createDataFrame(
        stored,
        "image_id string, source_version string, cell_statistics binary, feature_key string",
    )
    found = picture_ground(
        predictions(spark_session, rows), catalog, features, SOURCE, map_of("2018")
    )
    if most_read:  # the scene is gone: no pixel can be read, and nothing is made up
        assert found == {}
        return
    picture = found["2018"]
    assert picture.extent == map_of("2018")["2018"].extent
    assert picture.pixels.shape == (7, 28, 3)
    assert picture.pixels[0, 7].tolist() == [200, 100, 50]
    assert picture.pixels[1, 1].tolist() == [1, 1, 1]  # black, not white as where nothing is
    assert picture_ground(predictions(spark_session, rows), catalog, features, SOURCE, {}) == {}


def test_unsure_cells_are_counted_on_the_map() -> None:
    values = np.array([[[1, 5, 5, 0]], [[90, 40, 40, 0]]], np.uint8)
    raster = Raster(values, north_up(ORIGIN, 32), "EPSG:26918", 0)
    for smoothing, smoothed in ((False, 0), (True, None)):
        settings = MapSettings(min_probability=0.5, smoothing=smoothing)
        found = count_unsure_cells({"map_2018": lambda: raster}, CLASSES, settings)["2018"]
        assert (found.count, found.unsure, found.smoothed) == (3, 2, smoothed)
        assert found.units == "cells"


def test_the_card_says_what_a_cell_is_described_by() -> None:
    summary = CellMapSummary(unknown_share=0.0, bytes_a_tile=196)

    found = gather_cells(summary_of(RIGHT), summary, MODEL)
    assert (found.size_m, found.infrared, found.components) == (32, True, 4)


def test_metrics_begin_with_the_ground_or_with_what_is_in_no_figure() -> None:
    catalog = CatalogSummary(
        images=100, places=100, sources=1, by_year={}, by_split={}, by_label={},
        class_by_split={"Forest": {"train": 40, "none": 5}, "Water": {"none": 15}},
    )  # fmt: skip
    anything: Any = type("Anything", (), {"__getattr__": lambda self, _: self, "__call__": dict})()
    given: dict[str, Any] = {
        "training": summary_of(RIGHT), "catalog": catalog, "shares": {},
        **dict.fromkeys(("quarantine", "split", "abstention", "model", "precision"), anything),
    }  # fmt: skip

    given["validation"] = ValidationSummary()
    given["quarantine"] = QuarantineSummary(tiles=1, quarantined=0, reasons={}, examples=[])
    found = build_metrics(**given)
    assert next(iter(found)) == "labelled_tiles"
    assert found["labelled_tiles"]["share_in_no_figure"] == pytest.approx(0.55)
    found = build_metrics(**given, cells=summary_of(RIGHT), ground=SUMMARY)
    assert next(iter(found)) == "ground"
    assert next(iter(found["ground"])) == "accuracy"
    assert found["ground"]["unknown_share"] == SUMMARY.unknown_share
    assert found["ground"]["truth"]["accuracy"] == 0.929
    assert found["ground"]["unsure_share"] == 0.061


def test_metrics_of_the_land_cover_hold_nothing_of_the_model() -> None:
    summary = SUMMARY.model_copy(update={"land_cover": {"2018": SUMMARY.overall_land_cover}})
    found = _cell_figures(summary_of(RIGHT), summary)["land_cover"]["2018"]
    assert found["accuracy"] == 0.906
    assert set(found) == {
        "accuracy", "accuracy_interval", "macro_f1", "cells", "tiles", "blocks",
        "pure_accuracy", "mixed_accuracy", "tile_shares_error", "area_error",
    }  # fmt: skip
