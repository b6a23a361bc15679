"""Embeddings as rasters: what is written is what was stored, in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pytest
import rasterio
from pyspark.sql import SparkSession

from aerial_kedro.datasets.embeddings import EmbeddingFolderDataset
from aerial_kedro.pipelines.export_embeddings.nodes import lay_out_embeddings
from tests.unit.datasets.refusals import refused
from tests.unit.features.embedding_builders import (
    CATALOG,
    COMPONENTS,
    FEATURES,
    NORTH,
    TILE,
    WEST,
    cells_of_place,
    featured,
    place,
    source_with_cells,
)

DOCUMENT = Path(__file__).parents[3] / "docs" / "embeddings.md"
SOURCE = source_with_cells(COMPONENTS)
SCALES = np.array([0.5, 0.25, 0.125])


def export(
    spark: SparkSession, path: Path | str, tiles: list[dict[str, Any]], **options: Any
) -> EmbeddingFolderDataset:
    rows = [featured(tile, SOURCE.key) for tile in tiles]
    dataset = EmbeddingFolderDataset(path=str(path), **options)
    dataset.save(
        lay_out_embeddings(
            spark.createDataFrame(pd.DataFrame(tiles), CATALOG),
            spark.createDataFrame(pd.DataFrame(rows), FEATURES),
            SOURCE,
        )
    )
    return dataset


def stored_at(dataset: rasterio.DatasetReader, column: int, row: int) -> np.ndarray:
    """Cells of a place, read by its coordinates: (7, 7, components)."""
    window = rasterio.windows.from_bounds(
        column * TILE, row * TILE, (column + 1) * TILE, (row + 1) * TILE, dataset.transform
    )
    return dataset.read(window=window).transpose(1, 2, 0)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_cells_come_back_in_their_place(spark_session: SparkSession, tmp_path: Path) -> None:
    # In no order, with gaps, and a row of tiles in which there is none.
    places = [(WEST + 3, NORTH), (WEST, NORTH - 1), (WEST + 40, NORTH - 40), (WEST + 4, NORTH)]
    export(spark_session, tmp_path, [place(*each) for each in places])
    with rasterio.open(tmp_path / "embeddings_2018_26918.tif") as dataset:
        assert dataset.crs.to_epsg() == 26918
        assert dataset.res == (32, 32)
        assert dataset.bounds == (
            WEST * TILE, (NORTH - 40) * TILE, (WEST + 41) * TILE, (NORTH + 1) * TILE
        )  # fmt: skip
        for each in places:
            assert (stored_at(dataset, *each) == cells_of_place(*each)).all(), each
        assert (stored_at(dataset, WEST, NORTH) == -128).all()
        assert (dataset.read(1) != -128).sum() == 49 * len(places)


def test_other_tools_find_names_scales_and_nodata(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    export(spark_session, tmp_path, [place(WEST, NORTH)])
    with rasterio.open(tmp_path / "embeddings_2018_26918.tif") as dataset:
        assert set(dataset.dtypes) == {"int8"}
        assert dataset.nodata == -128
        assert dataset.descriptions == ("pc01", "pc02", "pc03")
        assert dataset.scales == tuple(SCALES)
        assert dataset.tags()["FEATURE_KEY"] == SOURCE.key
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_overviews_are_means_of_the_cells_with_data(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    # Large enough for overviews; alone in the first cell of one, a cell of the tile's corner.
    corners = [(WEST, NORTH), (WEST + 75, NORTH - 75)]
    export(spark_session, tmp_path, [place(*each) for each in corners])
    path = tmp_path / "embeddings_2018_26918.tif"
    with rasterio.open(path, overview_level=0) as overview:
        found = overview.read()
    cells = cells_of_place(*corners[0]).astype(float)
    assert found[:, 0, 0] == pytest.approx(cells[:2, :2].mean(axis=(0, 1)), abs=0.6)
    # The seventh row and column have a neighbour without data each: they count alone.
    assert (found[:, 3, 3] == cells[6, 6]).all()
    assert (found[:, 10, 10] == -128).all()


def test_a_raster_for_each_year_and_zone(spark_session: SparkSession, tmp_path: Path) -> None:
    tiles = [
        place(WEST + step, NORTH, year, epsg)
        for step in range(3)
        for year in (2018, 2020)
        for epsg in (26917, 26918)
    ]
    dataset = export(spark_session, tmp_path, tiles, links={"emb:model": "../backbone.json"})
    names = [f"embeddings_{year}_{epsg}" for year in (2018, 2020) for epsg in (26917, 26918)]
    assert names_in(tmp_path) == sorted(
        f"{name}.{end}" for name in names for end in ("tif", "json")
    )
    assert list(dataset.load()) == names
    for year, epsg in ((2018, 26917), (2020, 26918)):
        with rasterio.open(tmp_path / f"embeddings_{year}_{epsg}.tif") as raster:
            assert raster.crs.to_epsg() == epsg
            found = stored_at(raster, WEST + 1, NORTH)
            assert (found == cells_of_place(WEST + 1, NORTH, year, epsg)).all()
        item = json.loads((tmp_path / f"embeddings_{year}_{epsg}.json").read_text())
        assert item["assets"]["embeddings"]["href"] == f"./embeddings_{year}_{epsg}.tif"
        assert item["properties"]["start_datetime"].startswith(str(year))
        assert item["links"] == [{"rel": "emb:model", "href": "../backbone.json"}]


def test_files_of_earlier_runs_go_and_others_stay(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    dataset = export(spark_session, tmp_path, [place(WEST, NORTH, 2016)])
    (tmp_path / "notes.txt").write_text("mine")
    assert dataset.exists()
    export(spark_session, tmp_path, [place(WEST, NORTH, 2018)])
    assert names_in(tmp_path) == [
        "embeddings_2018_26918.json", "embeddings_2018_26918.tif", "notes.txt"
    ]  # fmt: skip


def test_cells_of_a_damaged_table_are_refused(spark_session: SparkSession, tmp_path: Path) -> None:
    tile = place(WEST, NORTH)
    row = featured(tile, SOURCE.key) | {"cells": bytes(49)}
    pending = lay_out_embeddings(
        spark_session.createDataFrame(pd.DataFrame([tile]), CATALOG),
        spark_session.createDataFrame(pd.DataFrame([row]), FEATURES),
        SOURCE,
    )
    with refused(r"49 bytes of cells .* 49 x 3.*04_feature/tile_features"):
        EmbeddingFolderDataset(path=str(tmp_path)).save(pending)
    assert names_in(tmp_path) == []


@pytest.fixture
def storage() -> Iterator[fsspec.AbstractFileSystem]:
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


def test_blob_storage_gets_whole_files(
    spark_session: SparkSession, storage: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    dataset = export(spark_session, "memory://naip/embeddings", [place(WEST, NORTH)])
    assert list(dataset.load()) == ["embeddings_2018_26918"]
    (tmp_path / "a.tif").write_bytes(storage.cat("/naip/embeddings/embeddings_2018_26918.tif"))
    with rasterio.open(tmp_path / "a.tif") as raster:
        assert (stored_at(raster, WEST, NORTH) == cells_of_place(WEST, NORTH)).all()
    assert not dataset._links


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return names


def test_the_lines_of_the_document_read_both_files(
    spark_session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_table, from_raster = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    data = tmp_path / "data"
    tile = place(WEST, NORTH)
    export(spark_session, data / "07_model_output/embeddings", [tile])
    (data / "06_models").mkdir()
    card = SOURCE.backbone.card.model_dump_json()
    (data / "06_models/backbone.json").write_text(card)
    folder = data / f"04_feature/tile_features/feature_key={SOURCE.key}"
    folder.mkdir(parents=True)
    without = featured(place(WEST + 1, NORTH), SOURCE.key, has_cells=False)
    rows = pd.DataFrame([featured(tile, SOURCE.key), without]).drop(columns="feature_key")
    rows.to_parquet(folder / "part-0.parquet")
    monkeypatch.chdir(tmp_path)
    expected = cells_of_place(WEST, NORTH) * SCALES
    assert run(from_table)["embeddings"][0] == pytest.approx(expected)
    found = run(from_raster)["embeddings"].filled(np.nan)
    assert found.transpose(1, 2, 0) == pytest.approx(expected)
