"""Featurization handed to Spark: what tasks are sent, and what they count."""

import logging
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyspark.cloudpickle import dumps
from pyspark.sql import SparkSession

from aerial_kedro.datasets.tables import FeatureStoreDataset
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.cell_projection import without_cells
from aerial_kedro.features.featurizer import PendingFeatures, featurize
from aerial_kedro.features.source import EngineChoice, FeatureSource
from aerial_kedro.tiles.catalog import TILE_COLUMNS, ddl
from aerial_kedro.tiles.reading import SOURCE_COLUMNS

_TILES = 5


@pytest.fixture
def source(lite0: Backbone) -> FeatureSource:
    return FeatureSource(without_cells(lite0), EngineChoice(engine="onnxruntime", precision="fp32"))


@pytest.fixture
def pending(source: FeatureSource, spark_session: SparkSession, tmp_path: Path) -> PendingFeatures:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(_TILES):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(path)
        row = dict.fromkeys(SOURCE_COLUMNS) | {"image_id": str(number), "source_version": "1"}
        rows.append(tuple((row | {"href": str(path), "kind": "file"}).values()))
    columns = {name: TILE_COLUMNS[name] for name in SOURCE_COLUMNS}
    found = featurize(spark_session.createDataFrame(rows, ddl(columns)), source, 2)
    assert isinstance(found, PendingFeatures)
    return found


def test_the_network_is_sent_apart_from_tasks(
    pending: PendingFeatures, source: FeatureSource
) -> None:
    """A worker unpacks what a task is sent for each of its tasks, what is broadcast once."""
    assert len(dumps(pending.compute)) < 20_000 < len(source.backbone.onnx)


def test_the_share_of_the_network_in_the_time_is_logged(
    pending: PendingFeatures, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = tmp_path / "tile_features"
    with caplog.at_level(logging.INFO, "aerial_kedro"):
        FeatureStoreDataset(table="tile_features", filepath=str(table)).save(pending)
    assert pq.read_table(table).num_rows == _TILES
    assert pending.engine_s is not None
    assert pending.engine_s.value > 0
    [line] = [each for each in caplog.messages if "the network took" in each]
    share = int(line.rpartition("took ")[2].partition(" %")[0])
    assert 0 < share < 100
