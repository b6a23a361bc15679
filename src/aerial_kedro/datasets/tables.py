"""Tables: Parquet that Spark reads and writes, with the columns that the design lays down."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
from kedro_datasets._typing import TablePreview
from kedro_datasets.spark import SparkDatasetV2
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  (the name every Spark user knows)

from aerial_kedro.cluster import spark
from aerial_kedro.cluster.blob_storage import python_address
from aerial_kedro.datasets.part_files import WRITTEN_COLUMNS, PartFiles
from aerial_kedro.datasets.previews import preview_table
from aerial_kedro.datasets.progress import look_at_writing_stage, reporting_progress
from aerial_kedro.errors import AerialError
from aerial_kedro.features.pending import PendingFeatures
from aerial_kedro.schemas import TABLES
from aerial_kedro.tiles.catalog import ddl

# What makes one row of features.
_IDENTITY = ["image_id", "source_version", "feature_key"]
_PROGRESS = "Featurization", "tiles"


class TableDataset(SparkDatasetV2):
    """A table of `aerial_kedro.schemas.TABLES`, saved with exactly its columns.

    It overrides ``_load`` and ``_save``, which Kedro prefers where a parent class has them.

    Parameters
    ----------
    table
        Its name there.
    **options
        Of `kedro_datasets.spark.SparkDatasetV2`.
    """

    def __init__(self, *, table: str, **options: Any) -> None:
        super().__init__(**{"save_args": {"mode": "overwrite"}, **options})
        self._columns, self._pipeline = TABLES[table]
        self._table = table

    def _load(self) -> DataFrame:
        """Read the table.

        Raises
        ------
        AerialError
            If no run has made it yet.
        """
        session = spark.session()
        if not self._exists():
            raise AerialError(
                f"There is no {self._table} at {self._spark_path} yet. Make it with "
                f"`kedro run --pipeline={self._pipeline}`."
            )
        return session.read.schema(ddl(self._columns)).parquet(self._spark_path)

    def _save(self, data: DataFrame | pd.DataFrame) -> None:
        """Write the table; a pandas frame is taken as well."""
        session = spark.session()
        if isinstance(data, pd.DataFrame):
            ordered = data.reindex(columns=list(self._columns)).astype(object)
            rows = ordered.where(ordered.notna(), None).to_numpy().tolist()
            data = session.createDataFrame(rows, ddl(self._columns))
        options = dict(self._save_args)
        frame = data.select(*[F.col(name).cast(kind) for name, kind in self._columns.items()])
        writer = frame.write.mode(options.pop("mode")).partitionBy(*options.pop("partitionBy", []))
        writer.options(**options).parquet(self._spark_path)

    def preview(self, nrows: int = 20) -> TablePreview:
        """Show the first rows in the pipeline graph."""
        return preview_table(self._python_path, self._credentials, nrows)

    @property
    def _spark_path(self) -> str:
        # Kedro would take the account, or the container, out of an address in blob storage.
        return self._original_filepath if self._has_address else str(super()._spark_path)

    @property
    def _has_address(self) -> bool:
        return "://" in self._original_filepath

    @property
    def _python_path(self) -> str:
        return python_address(self._original_filepath)

    def _exists(self) -> bool:
        # Not by reading its schema: a table that no row was written to has none.
        filesystem, base = fsspec.core.url_to_fs(self._python_path, **self._credentials)
        filesystem.invalidate_cache()  # Spark writes without its knowing.
        finished = filesystem.exists(f"{base}/_SUCCESS")
        return bool(finished or filesystem.glob(f"{base}/**/*.parquet"))


class FeatureStoreDataset(TableDataset):
    """`tile_features`: only ever added to, one folder for each ``feature_key``.

    Every task's file is in place when the task ends (`PartFiles`; what an engine in Java computes
    is written by Spark, with Hadoop's commit algorithm 2), so that a run which is killed leaves
    what it has done, and `FeatureCheckpointDataset` finds it. A task that runs again writes its
    file under the same name. But an executor that outlives its driver may put one last file in
    place after the next run has looked what is done: such rows are there twice, and are read once.

    Parameters
    ----------
    **options
        Of `TableDataset`.
    """

    def __init__(self, **options: Any) -> None:
        arguments = {
            "mode": "append",
            "partitionBy": ["feature_key"],
            "mapreduce.fileoutputcommitter.algorithm.version": "2",
            # Features are noise to a compressor and to a dictionary: both cost time (a tenth of a
            # run's with the dictionary, which is looked up for each value) and save nothing.
            "compression": "none",
            "parquet.enable.dictionary": "false",
        }
        super().__init__(table="tile_features", save_args=arguments, **options)

    def _load(self) -> DataFrame:
        """Read the features, each image once for each version and key."""
        frame = super()._load()
        # Rows are wide and doubles rare: only the narrow columns are looked through for them.
        doubled = frame.groupBy(*_IDENTITY).count().filter("count > 1")
        return frame if doubled.isEmpty() else frame.dropDuplicates(_IDENTITY)

    def _save(self, data: DataFrame | pd.DataFrame | PendingFeatures) -> None:
        """Add rows, reporting progress."""
        if isinstance(data, PendingFeatures):
            _write_in_tasks(data, self.part_files(data.feature_key))
            return
        look = partial(look_at_writing_stage, spark.session())
        with reporting_progress(*_PROGRESS, look):
            super()._save(data)

    def part_files(self, feature_key: str) -> PartFiles:
        """Name the files of a run's tasks; workers have other working folders than the driver."""
        table = self._python_path if self._has_address else str(Path(self._python_path).absolute())
        return PartFiles.of_new_run(table, f"feature_key={feature_key}")


def _write_in_tasks(data: PendingFeatures, files: PartFiles) -> None:
    """Have each task write its features to a file of its own."""
    context = spark.session().sparkContext
    rows, tasks = context.accumulator(0), context.accumulator(0)
    write = partial(
        files.write, compute=data.compute, leave_out="feature_key", rows=rows, tasks=tasks
    )
    with reporting_progress(*_PROGRESS, lambda: (rows.value, tasks.value, data.tasks)):
        data.tiles.mapInArrow(write, WRITTEN_COLUMNS).collect()
    files.mark_written()


class FeatureCheckpointDataset(TableDataset):
    """What is already in `tile_features`; an empty table before the first run.

    Parameters
    ----------
    **options
        Of `TableDataset`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(table="tile_features", **options)

    def _load(self) -> DataFrame:
        """Read which images are done, under which key."""
        session = spark.session()
        if self._exists():
            # Resolved now: the same folder is written to while this frame is in use.
            frame = session.read.schema(ddl(self._columns)).parquet(self._spark_path)
        else:
            # An empty list would go through a Python worker, which engine=synapseml does without.
            columns = [F.lit(None).cast(kind).alias(name) for name, kind in self._columns.items()]
            frame = session.range(0).select(*columns)
        return frame.select("image_id", "source_version", "feature_key")

    def _save(self, data: DataFrame | pd.DataFrame) -> None:
        """Refuse: rows are added through `FeatureStoreDataset`."""
        raise NotImplementedError("The checkpoint is read; features are saved as tile_features.")
