"""The cells drawn to learn from: what is said of each is of that very cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.cells.describe import describe_cells
from aerial_kedro.cells.drawing import CellRules, draw_cells
from aerial_kedro.cells.grid import pack
from aerial_kedro.cells.statistics import decode_statistics
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import CellEmbedding
from aerial_kedro.models.numbers import stack_numbers
from aerial_kedro.pipelines.cells.sampling import measure_inputs, plan_draw, sample_cells
from aerial_kedro.schemas import CELL_SAMPLE_COLUMNS
from tests.builders import CLASSES, grid_tiles
from tests.models import make_source

RULES = CellRules(min_purity=0.8, max_per_class=60, max_evaluated=40)
SOURCE = make_source(
    cells=CellEmbedding(
        layers=("a",), channels=9, scales=(0.5, 0.25), explained=0.9, fitted_tiles=3,
        fitted_on="tiles", projection_sha256="c" * 64,
    )
)  # fmt: skip
CATALOG = {
    "image_id": "string", "source_version": "string", "block_id": "string", "epsg": "int",
    "year": "int", "xmin": "double", "ymin": "double", "xmax": "double", "ymax": "double",
    "cell_split": "string", "cell_labels": "binary", "cell_purity": "binary",
}  # fmt: skip
FEATURES = {
    "image_id": "string", "source_version": "string", "cells": "binary",
    "cell_statistics": "binary", "feature_key": "string",
}  # fmt: skip


def area() -> pd.DataFrame:
    """Tiles of training, validation and test blocks, and two in none or without land cover."""
    rng = np.random.default_rng(3)
    tiles = grid_tiles([(col, row) for col in range(14, 18) for row in range(30, 34)])
    count = len(tiles)
    labels = rng.choice(4, (count, 7, 7), p=[0.1, 0.6, 0.28, 0.02]).astype(np.uint8)
    purity = (rng.integers(60, 101, labels.shape) * (labels > 0)).astype(np.uint8)
    split = ["train"] * 8 + ["validation"] * 3 + ["test"] * 3 + [None, "train"]
    return tiles.assign(
        source_version="v1",
        block_id=[f"b{number // 4}" for number in range(count)],
        cell_split=split,
        cell_labels=[*pack(labels)[:-1], None],
        cell_purity=[*pack(purity)[:-1], None],
        cells=pack(rng.integers(-127, 128, (count, 7, 7, 2)).astype(np.int8)),
        cell_statistics=pack(rng.integers(0, 256, (count, 7, 7, 6)).astype(np.uint8)),
        feature_key=SOURCE.key,
    )


def table(spark: SparkSession, tiles: pd.DataFrame, columns: dict[str, str]) -> DataFrame:
    own = tiles[list(columns)].astype(object)
    rows = list(own.where(own.notna(), None).itertuples(index=False, name=None))
    return spark.createDataFrame(
        rows, ", ".join(f"{name} {kind}" for name, kind in columns.items())
    )


def test_each_row_is_of_the_cell_that_it_names(spark_session: SparkSession) -> None:
    tiles = area()
    catalog, features = (table(spark_session, tiles, each) for each in (CATALOG, FEATURES))
    quotas = plan_draw(catalog, RULES, CLASSES, 1)
    inputs = measure_inputs(features, catalog, SOURCE, 1)
    assert (inputs.scales, inputs.infrared) == ((0.5, 0.25), False)
    training = tiles[tiles["cell_split"] == "train"]  # labelled or not
    known = np.concatenate([np.frombuffer(each, np.uint8) for each in training["cell_statistics"]])
    decoded = decode_statistics(known.reshape(-1, 6))
    assert inputs.means == pytest.approx(decoded.mean(axis=0), rel=1e-4)
    assert inputs.deviations == pytest.approx(decoded.std(axis=0), rel=1e-4)

    found = sample_cells(features, catalog, SOURCE, inputs, quotas, RULES, CLASSES, 1)
    assert found.columns == list(CELL_SAMPLE_COLUMNS)
    # To sort rows, Spark looks for ranges first, and would describe every cell for that as well.
    assert "rangepartitioning" not in found._jdf.queryExecution().toString()
    rows = found.toPandas().set_index("image_id")
    placed = tiles.assign(
        column=(tiles["xmin"] / 224).round().astype(int),
        row=(tiles["ymin"] / 224).round().astype(int),
    )
    numbers = describe_cells(placed, inputs).reshape(len(tiles), 49, -1)
    labelled = tiles["cell_labels"].notna() & tiles["cell_split"].notna()
    teaches, evaluated = draw_cells(tiles[labelled], RULES, quotas, 1)
    expected = {}
    for number, at in enumerate(np.flatnonzero(labelled)):
        for cell in np.flatnonzero(teaches[number] | evaluated[number]):
            name = f"{tiles['image_id'][at]}#{cell:02d}"
            expected[name] = (at, cell, teaches[number, cell], evaluated[number, cell])
    assert sorted(rows.index) == sorted(expected)
    for name, (at, cell, does_teach, is_evaluated) in expected.items():
        own, tile = rows.loc[name], tiles.loc[at]
        code = tile["cell_labels"][cell]
        assert own["label"] == CLASSES.names[code - 1]
        assert own["purity"] == pytest.approx(tile["cell_purity"][cell] / 100)
        assert (own["split"], own["block_id"]) == (tile["cell_split"], tile["block_id"])
        assert (own["teaches"], own["evaluated"]) == (does_teach, is_evaluated)
        features, statistics = (
            stack_numbers(pd.Series([own[each]]))[0] for each in ("features", "statistics")
        )
        assert features == pytest.approx(numbers[at, cell], abs=1e-5)
        assert statistics == pytest.approx(numbers[at, cell, 6:], abs=1e-5)
        if does_teach:
            assert own["weight"] == quotas.weights[code]
    counts = rows[rows["teaches"] & (rows["split"] == "train")].groupby("label").size()
    assert counts.max() == RULES.max_per_class > counts.min()


def test_one_class_is_no_map(spark_session: SparkSession) -> None:
    tiles = area()
    tiles["cell_labels"] = [b"\2" * 49] * len(tiles)
    tiles["cell_purity"] = [b"\x64" * 49] * len(tiles)
    with pytest.raises(AerialError, match=r"1 class\(es\) \(Cultivated\)"):
        plan_draw(table(spark_session, tiles, CATALOG), RULES, CLASSES, 1)


def test_features_without_cells_are_refused(spark_session: SparkSession) -> None:
    catalog, features = (table(spark_session, area(), each) for each in (CATALOG, FEATURES))
    with pytest.raises(AerialError, match="embeds no cells"):
        measure_inputs(features, catalog, make_source(), 1)


def test_where_only_some_scenes_have_near_infrared_it_is_not_read(
    spark_session: SparkSession,
) -> None:
    tiles = area()
    catalog = table(spark_session, tiles, CATALOG)
    four = tiles.assign(cell_statistics=[bytes(range(49)) * 10] * len(tiles))
    some = tiles.assign(
        cell_statistics=[*four["cell_statistics"][:9], *tiles["cell_statistics"][9:]]
    )
    # Stored, but not of the catalog: another scene's tile, and what a scene was before.
    old = tiles.iloc[:1]
    more = pd.concat([four, old.assign(image_id="away"), old.assign(source_version="v0")])
    for rows, infrared, count in ((four, True, 10), (more, True, 10), (some, False, 6)):
        found = measure_inputs(table(spark_session, rows, FEATURES), catalog, SOURCE, 1)
        assert (found.infrared, len(found.means), len(found.deviations)) == (infrared, count, count)


def test_the_numbers_of_a_cell_are_no_array() -> None:
    """Spark takes each apart: ten million numbers, eight seconds of a core to write them."""
    assert not [name for name, kind in CELL_SAMPLE_COLUMNS.items() if "array" in kind]
