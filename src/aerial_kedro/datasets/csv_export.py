"""One CSV file from a Spark frame of any length."""

from __future__ import annotations

import csv
import io
from typing import Any

import fsspec
import pandas as pd
from kedro.io import AbstractDataset
from kedro_datasets._typing import TablePreview
from pyspark.sql import DataFrame

from aerial_kedro.datasets.atomic import open_atomic


class CsvExportDataset(AbstractDataset[DataFrame, pd.DataFrame]):
    """A Spark frame written as a single CSV file, partition by partition.

    Parameters
    ----------
    path
        The file.
    credentials
        Of the storage.
    metadata
        For other tools; not read here.
    """

    def __init__(
        self,
        *,
        path: str,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path, self._credentials = path, credentials
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the file."""
        return pd.read_csv(self._path, storage_options=self._credentials)

    def save(self, data: DataFrame) -> None:
        """Write the file; one partition at a time is in memory."""
        with open_atomic(self._path, self._credentials) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            writer = csv.writer(text)
            writer.writerow(data.columns)
            writer.writerows(data.toLocalIterator())
            text.detach()

    def preview(self, nrows: int = 20) -> TablePreview:
        """Show the first rows in the pipeline graph."""
        frame = pd.read_csv(self._path, nrows=nrows, storage_options=self._credentials)
        return TablePreview(frame.to_dict(orient="split"))

    def _exists(self) -> bool:
        filesystem, name = fsspec.core.url_to_fs(self._path, **(self._credentials or {}))
        return bool(filesystem.exists(name))

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}
