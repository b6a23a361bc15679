"""Features that were written twice are read once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aerial_kedro.datasets.tables import FeatureStoreDataset, TableDataset

ROW = {
    "image_id": "a",
    "source_version": "1",
    "features": [1.0, 2.0],
    "statistics": [0.5],
    "feature_key": "key",
}


@pytest.mark.usefixtures("spark_session")
def test_rows_of_a_file_that_came_late_are_read_once(tmp_path: Path) -> None:
    store = FeatureStoreDataset(filepath=str(tmp_path / "tile_features"))
    both = [ROW, ROW | {"image_id": "b"}]
    store.save(pd.DataFrame(both))
    store.save(pd.DataFrame([ROW, ROW | {"source_version": "2"}, ROW | {"feature_key": "other"}]))
    rows = store.load().toPandas()
    found = sorted(zip(rows["image_id"], rows["source_version"], rows["feature_key"], strict=True))
    assert found == [("a", "1", "key"), ("a", "1", "other"), ("a", "2", "key"), ("b", "1", "key")]


def test_a_table_in_blob_storage_keeps_its_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    for address in (
        "wasb://naip@storageemulator/md/tile_catalog",
        "abfss://naip@account.dfs.core.windows.net/md/tile_catalog",
    ):
        assert TableDataset(table="tile_catalog", filepath=address)._spark_path == address
