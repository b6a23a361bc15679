"""What of the ground the map of cells has right: which cells count, and against what."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from aerial_kedro.cells.grid import pack
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import CellEmbedding
from aerial_kedro.labels.land_cover import LandCoverRaster
from aerial_kedro.maps.mapping import MapSettings
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.cells.reporting import describe_agreement, evaluate_cell_map
from aerial_kedro.schemas import CELL_PREDICTION_COLUMNS
from aerial_kedro.tiles.catalog import ddl
from tests.builders import CLASSES, ORIGIN, cell_of_origin, grid_tiles, write_land_cover
from tests.models import make_card, make_source

# In the class table Forest is 1, Cultivated 2, Developed 3, Water 4; the model has its own order.
OWN = ["Developed", "Forest", "Water"]
CODE = {"Forest": 41, "Cultivated": 82, "Developed": 23, "Water": 11}
SOURCE = make_source(
    cells=CellEmbedding(
        layers=("a",), channels=9, scales=(1.0,) * 5, explained=0.9, fitted_tiles=3,
        fitted_on="tiles", projection_sha256="c" * 64,
    )
)  # fmt: skip
COL, ROW = cell_of_origin()
MAPPING = MapSettings(min_probability=0.55, smoothing=True)


def area(year: int = 2018) -> pd.DataFrame:
    """Four tiles of test blocks, that the map calls Forest; the land cover knows half of one."""
    tiles = grid_tiles([(COL + number, ROW) for number in range(4)], year=year)
    labels = np.full((4, 7, 7), 1 + CLASSES.names.index("Forest"), np.uint8)
    labels[1, :, 3:] = 1 + CLASSES.names.index("Developed")
    labels[2, 2:] = 0
    labels[3] = 1 + CLASSES.names.index("Cultivated")  # a class that the model never learned
    predicted = np.full((4, 7, 7), 1 + OWN.index("Forest"), np.uint8)
    predicted[1, :, 5:] = 1 + OWN.index("Developed")
    chances = 255 * np.eye(3)[predicted - 1]
    return tiles.assign(
        image_id=tiles["tile_id"] + f"-{year}",
        block_id=["b1", "b1", "b2", "b3"],
        label=["Forest", None, None, "Cultivated"],
        purity=0.9,
        cell_split="test",
        cell_labels=pack(labels),
        cell_purity=pack(np.where(labels > 0, 100, 0).astype(np.uint8)),
        cell_classes=pack(predicted),
        cell_confidence=pack(np.full((4, 7, 7), 90, np.uint8)),
        cell_probabilities=pack(chances.astype(np.uint8)),
        class_by_cells="Forest",
        probability_by_cells=0.9,
        **dict.fromkeys(("cell_expected", "cell_outside", "expected_accuracy", "outside_share")),
        shares=[{"Forest": 1.0}] * 4,
        pred_label="Forest",
    )


def evaluate(
    spark: SparkSession, tiles: pd.DataFrame, maps: list[LandCoverRaster] | None = None
) -> Any:
    """Evaluate the map of these tiles."""
    cells, whole = (
        spark.createDataFrame(list(rows.itertuples(index=False, name=None)), schema)
        for rows, schema in (
            (tiles[list(CELL_PREDICTION_COLUMNS)], ddl(CELL_PREDICTION_COLUMNS)),
            (tiles[["image_id", "pred_label"]], "image_id string, pred_label string"),
        )
    )
    model = TrainedModel((), make_card(SOURCE, classes=OWN), SOURCE)
    found, _ = evaluate_cell_map(cells, whole, model, maps or [], CLASSES, MAPPING, 1)
    return found


def truth(path: Path, name: str, year: int) -> LandCoverRaster:
    """Everything under the tiles is of one class."""
    codes = np.full((20, 40), CODE[name], np.uint8)
    left, upper = ORIGIN
    origin = (left - 100, upper + 100)
    return write_land_cover(path / f"truth_{year}.tif", codes, gsd=32.0, origin=origin, year=year)


def test_cells_are_compared_with_the_land_cover_by_name(spark_session: SparkSession) -> None:
    """The model's classes stand in another order than the class table's."""
    found = evaluate(spark_session, area())
    # Of 14 known cells of the third tile all are right; of the fourth none is.
    right, known = 49 + (21 + 14) + 14, 49 + 49 + 14 + 49
    assert found.overall.cells == known
    assert found.overall.accuracy == pytest.approx(right / known)
    assert found.overall.tile_map_accuracy == pytest.approx((49 + 21 + 14) / known)
    assert (found.overall.tiles, found.overall.blocks) == (4, 3)
    assert found.agreement == {"2018": found.overall}
    assert found.unknown_share == pytest.approx(35 / 196)
    assert found.bytes_a_tile == 5 * 49
    assert (found.truth, found.land_cover) == ({}, {})
    said = describe_agreement(found.overall)
    assert f"{100 * right / known:.1f} %" in said
    assert said.startswith("The map agrees with the land cover on")


def test_unsure_cells_are_those_that_the_map_leaves_open(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    confidence = np.full((4, 7, 7), 55, np.uint8)
    confidence[1, :, 2:4] = 54  # a column that is right, and one that is wrong
    tiles = area().assign(cell_confidence=pack(confidence))
    found = evaluate(spark_session, tiles, [truth(tmp_path, "Developed", 2018)])
    assert found.overall.unsure_share == pytest.approx(14 / 161)
    assert found.overall.sure_accuracy == pytest.approx((49 + 28 + 14) / (161 - 14))
    assert found.overall.accuracy == pytest.approx((49 + 35 + 14) / 161)
    assert found.truth["2018"].unsure_share == pytest.approx(14 / 196)
    assert found.land_cover["2018"].unsure_share == 0


@pytest.mark.parametrize("split", ["train", "validation", None])
def test_only_ground_of_test_blocks_counts(spark_session: SparkSession, split: str | None) -> None:
    tiles = area()
    tiles.loc[3, "cell_split"] = split
    tiles["cell_split"] = (
        tiles["cell_split"].astype(object).where(tiles["cell_split"].notna(), None)
    )
    found = evaluate(spark_session, tiles)
    assert found.overall.tiles == 3
    assert found.overall.accuracy == pytest.approx((49 + 35 + 14) / 112)
    assert found.unknown_share == pytest.approx(35 / 147)


def test_years_are_apart_and_together(spark_session: SparkSession) -> None:
    later = area(2020).assign(cell_labels=[b"\1" * 49] * 4, cell_purity=[b"\x64" * 49] * 4)
    found = evaluate(spark_session, pd.concat([area(), later], ignore_index=True))
    first, second = found.agreement["2018"], found.agreement["2020"]
    assert second.accuracy == pytest.approx((4 * 49 - 14) / (4 * 49))
    together = (first.accuracy * first.cells + second.accuracy * second.cells) / found.overall.cells
    assert found.overall.accuracy == pytest.approx(together)


def test_the_truth_of_a_year_is_compared_with_that_year_and_with_the_land_cover(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    maps = [truth(tmp_path, "Water", 2020), truth(tmp_path, "Developed", 2018)]
    found = evaluate(spark_session, area(), maps)
    assert list(found.truth) == list(found.land_cover) == ["2018"]
    assert found.truth["2018"].cells == 196
    assert found.truth["2018"].accuracy == pytest.approx(14 / 196)
    # Where the land cover says nothing it is wrong.
    assert found.land_cover["2018"].accuracy == pytest.approx(28 / 196)
    assert found.land_cover["2018"].cells == 196
    assert found.overall.cells == 161


def test_a_legend_may_list_what_its_map_never_shows(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    shown = truth(tmp_path, "Developed", 2018)
    listed = dataclasses.replace(shown, legend=((5, "Sand"), (CODE["Developed"], "Developed")))
    found = evaluate(spark_session, area(), [listed])
    assert found.truth["2018"].accuracy == pytest.approx(14 / 196)
    sand = dataclasses.replace(shown, legend=((5, "Forest"), (CODE["Developed"], "Sand")))
    with pytest.raises(AerialError, match="show the classes Sand, which are not in the class"):
        evaluate(spark_session, area(), [sand])


def test_without_any_label_there_is_no_agreement_and_all_is_unknown(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    tiles = area().assign(cell_labels=None, cell_purity=None)
    found = evaluate(spark_session, tiles, [truth(tmp_path, "Forest", 2018)])
    assert found.overall is None
    assert (found.agreement, found.land_cover) == ({}, {})
    assert found.unknown_share == 1
    assert found.truth["2018"].accuracy == pytest.approx((196 - 14) / 196)
