"""Tables that no run has made, features that were written twice, and addresses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from aerial_kedro.datasets.tables import FeatureStoreDataset, TableDataset
from aerial_kedro.features.featurize import FEATURE_COLUMNS
from tests.unit.datasets.refusals import refused

ROW = {
    "image_id": "a",
    "source_version": "1",
    "features": [1.0, 2.0],
    "statistics": [0.5],
    "feature_key": "key",
}


@pytest.mark.usefixtures("spark_session")
def test_rows_of_a_file_that_came_late_are_read_once(tmp_path: Path) -> None:
    store = FeatureStoreDataset(table="tile_features", filepath=str(tmp_path / "tile_features"))
    both = [ROW, ROW | {"image_id": "b"}]
    store.save(pd.DataFrame(both))
    store.save(pd.DataFrame([ROW, ROW | {"source_version": "2"}, ROW | {"feature_key": "other"}]))
    rows = store.load().toPandas()
    found = sorted(zip(rows["image_id"], rows["source_version"], rows["feature_key"], strict=True))
    assert found == [("a", "1", "key"), ("a", "1", "other"), ("a", "2", "key"), ("b", "1", "key")]


def test_doubles_are_looked_for_once_and_again_where_files_have_come(
    spark_session: SparkSession, tmp_path: Path
) -> None:
    store = FeatureStoreDataset(table="tile_features", filepath=str(tmp_path / "tile_features"))
    tracker = spark_session.sparkContext.statusTracker()

    def jobs_of_loading(name: str) -> int:
        spark_session.sparkContext.setJobGroup(name, "")
        store.load()
        return len(tracker.getJobIdsForGroup(name))

    store.save(pd.DataFrame([ROW]))
    assert jobs_of_loading("first") > 0
    assert jobs_of_loading("second") == 0
    store.save(pd.DataFrame([ROW]))
    assert jobs_of_loading("more files") > 0
    assert store.load().count() == 1


@pytest.mark.usefixtures("spark_session")
def test_a_table_that_no_run_has_made_says_what_makes_it(tmp_path: Path) -> None:
    with refused("There is no predictions at .*kedro run --pipeline=scoring"):
        TableDataset(table="predictions", filepath=str(tmp_path / "predictions")).load()


@pytest.mark.usefixtures("spark_session")
def test_what_is_done_is_nothing_before_the_first_run(tmp_path: Path) -> None:
    path = str(tmp_path / "tile_features")
    done = TableDataset(table="tile_features", filepath=path, empty_if_missing=True)
    before = done.load()
    assert before.columns == list(FEATURE_COLUMNS)
    assert before.count() == 0
    FeatureStoreDataset(table="tile_features", filepath=path).save(pd.DataFrame([ROW]))
    after = done.load()
    assert after.select("image_id", "feature_key").collect() == [("a", "key")]
    FeatureStoreDataset(table="tile_features", filepath=path).save(
        pd.DataFrame([ROW | {"image_id": "b"}])
    )
    # Its files are those that were there when it was loaded.
    assert after.count() == 1


def test_a_table_in_blob_storage_keeps_its_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    for address in (
        "wasb://naip@storageemulator/md/tile_catalog",
        "abfss://naip@account.dfs.core.windows.net/md/tile_catalog",
    ):
        assert TableDataset(table="tile_catalog", filepath=address)._spark_path == address


@pytest.mark.usefixtures("spark_session")
@pytest.mark.parametrize("move", [Path.rename, shutil.copytree])
def test_tiles_of_a_data_folder_are_found_where_it_is_now(
    tmp_path: Path, move: Callable[[Path, Path], object]
) -> None:
    """Those that lie elsewhere, beside it even, stay where they are."""
    old, new = tmp_path / "old ü", tmp_path / "deeper" / "new"
    names = ("{}/01_raw/sample/a.tif", "{}er/b.tif", "/other/c.tif", "https://host/d.tif")
    rows = [{"image_id": name[-5], "href": name.format(old), "reason": "none"} for name in names]
    path = "04_feature/quarantine"
    TableDataset(table="quarantine", filepath=str(old / path)).save(pd.DataFrame(rows))
    (old / "01_raw").mkdir()
    new.parent.mkdir()
    move(old, new)
    table = TableDataset(table="quarantine", filepath=str(new / path))
    found = {row["image_id"]: row["href"] for row in table.load().collect()}
    assert found == {
        "a": f"{new}/01_raw/sample/a.tif",
        "b": f"{old}er/b.tif",
        "c": "/other/c.tif",
        "d": "https://host/d.tif",
    }
    assert len(pq.read_table(new / path)) == len(rows), "other readers pass the note over"


@pytest.mark.usefixtures("spark_session")
def test_scenes_that_were_left_behind_are_read_where_they_are(tmp_path: Path) -> None:
    scene, path = f"{tmp_path}/one/01_raw/a.tif", "04_feature/quarantine"
    row = {"image_id": "a", "href": scene, "reason": "none"}
    TableDataset(table="quarantine", filepath=f"{tmp_path}/one/{path}").save(pd.DataFrame([row]))
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    table = TableDataset(table="quarantine", filepath=f"{tmp_path}/other/{path}")
    assert [each["href"] for each in table.load().collect()] == [scene]
