"""The layout of exported embeddings: extents, what is left out, what is refused."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from aerial_kedro.errors import AerialError
from aerial_kedro.features.embeddings import PendingEmbeddings
from aerial_kedro.pipelines.export_embeddings import nodes
from aerial_kedro.pipelines.export_embeddings.nodes import lay_out_embeddings
from tests.unit.features.embedding_builders import (
    CATALOG,
    FEATURES,
    NORTH,
    TILE,
    WEST,
    featured,
    place,
    source_with_cells,
    source_without_cells,
)

SOURCE = source_with_cells()


def lay_out(
    spark: SparkSession, tiles: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> PendingEmbeddings:
    return lay_out_embeddings(
        spark.createDataFrame(pd.DataFrame(tiles), CATALOG),
        spark.createDataFrame(pd.DataFrame(rows), FEATURES),
        SOURCE,
    )


def test_a_raster_is_as_large_as_the_tiles_that_have_cells(
    spark_session: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    tiles = [place(WEST, NORTH), place(WEST + 2, NORTH - 1), place(WEST + 9, NORTH - 9)]
    rows = [featured(tile, SOURCE.key) for tile in tiles[:2]]
    rows.append(featured(tiles[2], SOURCE.key, has_cells=False))
    with caplog.at_level(logging.INFO):
        pending = lay_out(spark_session, tiles, rows)
    (grid,) = pending.grids
    assert (grid.rows, grid.columns) == (2, 3)
    assert (grid.xmin, grid.ymax) == (WEST * TILE, (NORTH + 1) * TILE)
    assert pending.tiles.count() == 2
    assert "Embeddings of 2 of 3 tiles" in caplog.text
    assert "1 of 3 tiles of 2018 in EPSG:26918 have no embeddings" in caplog.text


def test_a_year_without_cells_has_no_raster(spark_session: SparkSession) -> None:
    tiles = [place(WEST, NORTH, 2018), place(WEST, NORTH, 2020)]
    pending = lay_out(spark_session, tiles, [featured(tiles[1], SOURCE.key)])
    assert [grid.name for grid in pending.grids] == ["embeddings_2020_26918"]


def test_tiles_are_sorted_by_raster_and_from_north_to_south(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "_TILES_OF_PART", 3)
    tiles = [
        place(WEST + column, NORTH - row, year)
        for row in (2, 0, 1)
        for column in (1, 0)
        for year in (2020, 2018)
    ]
    pending = lay_out(spark_session, tiles, [featured(tile, SOURCE.key) for tile in tiles])
    assert pending.tiles.rdd.getNumPartitions() == 4
    found = [(row.year, -row.ymax) for row in pending.tiles.toLocalIterator()]
    assert len(found) == len(tiles)
    assert found == sorted(found)


def test_embeddings_of_other_keys_and_versions_are_left_alone(
    spark_session: SparkSession,
) -> None:
    tiles = [place(WEST, NORTH), place(WEST + 1, NORTH), place(WEST + 2, NORTH)]
    rows = [
        featured(tiles[0], SOURCE.key),
        featured(tiles[1], "another"),
        featured(tiles[2], SOURCE.key) | {"source_version": "old"},
    ]
    assert lay_out(spark_session, tiles, rows).tiles.count() == 1


def test_a_network_without_cells_is_refused(spark_session: SparkSession) -> None:
    tile = place(WEST, NORTH)
    with pytest.raises(AerialError, match="computed without embeddings of cells"):
        lay_out_embeddings(
            spark_session.createDataFrame(pd.DataFrame([tile]), CATALOG),
            spark_session.createDataFrame(pd.DataFrame([featured(tile, SOURCE.key)]), FEATURES),
            source_without_cells(),
        )


def test_features_that_were_computed_before_cells_are_refused(spark_session: SparkSession) -> None:
    tile = place(WEST, NORTH)
    rows = [featured(tile, SOURCE.key, has_cells=False)]
    with pytest.raises(AerialError, match=r"None of the 1 tiles .*--pipeline=featurization"):
        lay_out(spark_session, [tile], rows)


def test_tiles_of_class_folders_have_no_raster(spark_session: SparkSession) -> None:
    tile = place(WEST, NORTH) | {"kind": "file"}
    with pytest.raises(AerialError, match=r"class folders.*04_feature/tile_features"):
        lay_out(spark_session, [tile], [featured(tile, SOURCE.key)])
