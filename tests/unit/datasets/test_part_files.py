"""Features that Spark's tasks write themselves are those that Spark would have written."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.datasets.part_files import write_part
from aerial_kedro.datasets.tables import FeatureStoreDataset
from aerial_kedro.features.featurize import FEATURE_COLUMNS, Batches
from aerial_kedro.features.featurizer import PendingFeatures
from aerial_kedro.tiles.catalog import ddl

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
        pa.array([bytes([number % 256]) * 49 for number in numbers], pa.binary()),
        pa.array([bytes([number % 255]) * 49 for number in numbers], pa.binary()),
        pa.array([KEY for _ in numbers], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(FEATURE_COLUMNS))


def fail_late(batches: Batches) -> Batches:
    yield from compute(batches)
    raise ValueError("the disk is full")


def pending(session: SparkSession, tiles: int = TILES) -> PendingFeatures:
    numbers = session.range(tiles).repartition(TASKS).sortWithinPartitions("id")
    return PendingFeatures(numbers, compute, KEY, TASKS)


def through_spark(pending: PendingFeatures) -> DataFrame:
    """Hand the rows on to Spark, which then writes them."""
    return pending.tiles.mapInArrow(pending.compute, ddl(FEATURE_COLUMNS))  # type: ignore[arg-type]


def store(folder: Path) -> FeatureStoreDataset:
    return stored(str(folder / "tile_features"))


def stored(filepath: str) -> FeatureStoreDataset:
    return FeatureStoreDataset(table="tile_features", filepath=filepath)


def part_files(folder: Path) -> list[Path]:
    return sorted((folder / "tile_features").glob("**/*.parquet"))


def test_the_rows_are_those_that_spark_writes(spark_session: SparkSession, tmp_path: Path) -> None:
    store(tmp_path / "tasks").save(pending(spark_session))
    stored(f"file://{tmp_path}/address").save(pending(spark_session))
    store(tmp_path / "spark").save(through_spark(pending(spark_session)))
    written, addressed, expected = (
        stored(path).load().orderBy("image_id").toPandas().map(repr)
        for path in (
            f"{tmp_path}/tasks/tile_features", f"file://{tmp_path}/address",
            f"{tmp_path}/spark/tile_features",
        )
    )  # fmt: skip
    assert len(written) == TILES * 9 / 10
    assert written.equals(expected)
    assert addressed.equals(expected)


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
    store(tmp_path).save(through_spark(pending(spark_session)).limit(5))
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


@pytest.mark.parametrize(
    ("address", "table"),
    [
        ("abfss://naip@account.dfs.core.windows.net/features", None),
        ("wasb://naip@storageemulator/county/features", "abfs://naip/county/features"),
    ],
)
def test_tasks_write_into_blob_storage_as_python_addresses_it(
    address: str, table: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    folders, marks = [], []

    class Tiles:
        def mapInArrow(self, write: partial[Batches], _columns: str) -> Tiles:  # noqa: N802
            folders.append(write.keywords["folder"])
            return self

        def collect(self) -> None:
            """Run nothing."""

    store = stored(address)
    monkeypatch.setattr(store, "write_bytes", lambda *given: marks.append(given))
    store.save(PendingFeatures(Tiles(), compute, KEY, TASKS))  # type: ignore[arg-type]
    assert folders == [f"{table or address}/feature_key={KEY}"]
    assert marks == [(b"", "/_SUCCESS")]


class Count:
    """Adds as Spark's accumulators do."""

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, term: float) -> None:
        self.value += term


@pytest.fixture(params=["folder", "storage"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A folder, and a storage that is none."""
    if request.param == "folder":
        yield str(tmp_path / "tile_features")
        return
    yield "memory://tile_features"
    fsspec.filesystem("memory").rm("/tile_features", recursive=True)


def test_a_task_that_runs_twice_writes_one_file(table: str) -> None:
    done, tasks, busy_s = Count(), Count(), Count()

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"id": list(range(100))})

    for _ in range(2):
        write = write_part(
            batches(),
            compute=compute,
            folder=f"{table}/feature_key=0f",
            run="run",
            leave_out="feature_key",
            rows=done,
            tasks=tasks,
            busy_s=busy_s,
        )
        assert [batch.to_pydict() for batch in write] == [{"rows": [90]}]
    filesystem, folder = fsspec.core.url_to_fs(table)
    (part,) = filesystem.find(folder)
    assert part.startswith(f"{folder}/feature_key=0f/part-")
    assert pq.read_table(io.BytesIO(filesystem.cat_file(part))).num_rows == 90
    assert (done.value, tasks.value) == (180, 2)
