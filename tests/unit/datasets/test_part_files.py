"""Features that Spark's tasks write themselves are those that Spark would have written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.backbones.featurize import FEATURE_COLUMNS
from aerial_kedro.backbones.pending import Batches, PendingFeatures
from aerial_kedro.datasets.part_files import PartFiles
from aerial_kedro.datasets.tables import FeatureStoreDataset, TableDataset

TASKS, TILES = 3, 1_300
KEY = "0f"


def compute(batches: Batches) -> Batches:
    """Two numbers a tile; tiles whose number ends with 7 cannot be read."""
    for batch in batches:
        for start in range(0, batch.num_rows, 64):
            part = batch.slice(start, 64)
            numbers = [row["id"] for row in part.to_pylist() if row["id"] % 10 != 7]
            yield rows(numbers)


def rows(numbers: list[int]) -> pa.RecordBatch:
    columns = [
        pa.array([f"tile {number}" for number in numbers], pa.string()),
        pa.array(["1" for _ in numbers], pa.string()),
        pa.array([[number, number / 3] for number in numbers], pa.list_(pa.float32())),
        pa.array([[number] for number in numbers], pa.list_(pa.float32())),
        pa.array([KEY for _ in numbers], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(FEATURE_COLUMNS))


def fail_late(batches: Batches) -> Batches:
    yield from compute(batches)
    raise ValueError("the disk is full")


def pending(session: SparkSession, tiles: int = TILES) -> PendingFeatures:
    numbers = session.range(tiles).repartition(TASKS).sortWithinPartitions("id")
    return PendingFeatures(numbers, compute, KEY, TASKS)


def store(folder: Path) -> FeatureStoreDataset:
    return FeatureStoreDataset(filepath=str(folder / "tile_features"))


def part_files(folder: Path) -> list[Path]:
    return sorted((folder / "tile_features").glob("**/*.parquet"))


def test_the_rows_are_those_that_spark_writes(spark_session: SparkSession, tmp_path: Path) -> None:
    store(tmp_path / "tasks").save(pending(spark_session))
    store(tmp_path / "spark").save(pending(spark_session).frame())
    written, expected = (
        store(tmp_path / how).load().orderBy("image_id").toPandas() for how in ("tasks", "spark")
    )
    assert len(written) == TILES * 9 / 10
    assert written.map(repr).equals(expected.map(repr))


def test_there_is_a_file_for_each_task_and_nothing_else(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    store(tmp_path).save(pending(spark_session))
    table = tmp_path / "tile_features"
    files = part_files(tmp_path)
    assert len(files) == TASKS
    assert {path.parent.name for path in files} == {f"feature_key={KEY}"}
    assert sorted(path.name for path in table.iterdir()) == ["_SUCCESS", f"feature_key={KEY}"]
    assert all("feature_key" not in pq.ParquetFile(path).schema_arrow.names for path in files)


def test_a_file_has_few_row_groups(spark_session: SparkSession, tmp_path: Path) -> None:
    """Rows come in groups of 64; a row group each would make features slow to read."""
    store(tmp_path).save(pending(spark_session))
    assert {pq.ParquetFile(path).num_row_groups for path in part_files(tmp_path)} == {1}


def test_features_are_added_to_those_that_are_there(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    store(tmp_path).save(pending(spark_session).frame().limit(5))
    before = part_files(tmp_path)
    store(tmp_path).save(pending(spark_session))
    assert set(before) < set(part_files(tmp_path))


def test_nothing_to_do_is_a_table_without_rows(spark_session: SparkSession, tmp_path: Path) -> None:
    store(tmp_path).save(pending(spark_session, tiles=0))
    assert store(tmp_path).exists()
    assert store(tmp_path).load().count() == 0
    assert part_files(tmp_path) == []


def test_a_task_that_fails_leaves_no_part_file(spark_session: SparkSession, tmp_path: Path) -> None:
    broken = PendingFeatures(pending(spark_session).tiles, fail_late, KEY, TASKS)
    with pytest.raises(DatasetError, match="the disk is full"):
        store(tmp_path).save(broken)
    assert part_files(tmp_path) == []
    assert not (tmp_path / "tile_features" / "_temporary").exists()


def test_into_blob_storage_spark_writes(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    handed_on: list[DataFrame] = []
    monkeypatch.setattr(TableDataset, "_save", lambda self, data: handed_on.append(data))
    address = "abfss://naip@account.dfs.core.windows.net/04_feature/tile_features"
    FeatureStoreDataset(filepath=address).save(pending(spark_session))
    assert [frame.columns for frame in handed_on] == [list(FEATURE_COLUMNS)]


class Count:
    """Adds as Spark's accumulators do."""

    def __init__(self) -> None:
        self.value = 0

    def add(self, term: int) -> None:
        self.value += term


def test_a_task_that_runs_twice_writes_one_file(tmp_path: Path) -> None:
    files = PartFiles.of_new_run(tmp_path, "feature_key=0f")
    done, tasks = Count(), Count()

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"id": list(range(100))})

    for _ in range(2):
        write = files.write(
            batches(), compute=compute, leave_out="feature_key", rows=done, tasks=tasks
        )
        assert [batch.to_pydict() for batch in write] == [{"rows": [90]}]
    assert len(list(tmp_path.glob("feature_key=0f/*.parquet"))) == 1
    assert (done.value, tasks.value) == (180, 2)
