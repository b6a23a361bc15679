"""Tables: Parquet that Spark reads and writes, with the columns that the design lays down."""

import logging
import operator
import re
import time
import uuid
from functools import partial, reduce
from pathlib import Path
from typing import ClassVar, Unpack

import pandas as pd
from kedro_datasets._typing import TablePreview
from pyarrow import dataset as arrow
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  (the name every Spark user knows)

from aerial_kedro.cluster import spark
from aerial_kedro.cluster.blob_storage import python_address
from aerial_kedro.cluster.paths import literal
from aerial_kedro.datasets.base import Options, ProjectDataset
from aerial_kedro.datasets.part_files import WRITTEN_COLUMNS, write_part
from aerial_kedro.datasets.progress import look_at_writing_stage, reporting_progress
from aerial_kedro.errors import AerialError
from aerial_kedro.features.featurizer import PendingFeatures
from aerial_kedro.schemas import TABLES
from aerial_kedro.tiles.catalog import ddl

LOGGER = logging.getLogger(__name__)
# What makes one row of features.
_IDENTITY = ["image_id", "source_version", "feature_key"]
_PARTITION = "feature_key"
_LONGEST_TEXT = 80  # of a preview
_HREF = "href"
# Where a table with addresses was when it was written. Spark and pyarrow pass such names over.
_PLACE = "/_place"
_DATA_FOLDER = re.compile(r"(.*)/0\d_[a-z_]+/")  # of a path in one of its layers


class TableDataset(ProjectDataset[DataFrame | pd.DataFrame, DataFrame]):
    """A table of `aerial_kedro.schemas.TABLES`, saved and loaded with exactly its columns.

    Kedro's `SparkDatasetV2` drops the container from an address in blob storage, saves whatever
    columns come, and finds no table where no row was written.

    Parameters
    ----------
    table
        Its name there.
    filepath
        The folder, as Spark writes it.
    empty_if_missing
        Whether a table that no run has made yet loads as one without rows.
    **options
        Options of `ProjectDataset`.
    """

    _SINGLE_PROCESS = True
    _mode: ClassVar[str] = "overwrite"
    _partitions: ClassVar[list[str]] = []
    _options: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        *,
        table: str,
        filepath: str,
        empty_if_missing: bool = False,
        **options: Unpack[Options],
    ) -> None:
        # Workers have other working folders than the driver.
        is_address = "://" in filepath
        path = python_address(filepath) if is_address else str(Path(filepath).absolute())
        super().__init__(path=path, **options)
        self._spark_path = filepath if is_address else f"file://{path}"
        self._columns, self._pipeline = TABLES[table]
        self._table, self._empty_if_missing = table, empty_if_missing

    def load(self) -> DataFrame:
        """Read the table; its files are listed now, what is written later is not seen.

        Raises
        ------
        AerialError
            If no run has made it yet.
        """
        session = spark.session()
        if self._exists():
            found = session.read.schema(ddl(self._columns)).parquet(literal(self._spark_path))
            return self._with_present_addresses(found)
        if self._empty_if_missing:
            # An empty list would go through a Python worker, which engine=synapseml does without.
            columns = [F.lit(None).cast(kind).alias(name) for name, kind in self._columns.items()]
            return session.range(0).select(*columns)
        raise AerialError(
            f"There is no {self._table} at {self._spark_path} yet. Make it with "
            f"`kedro run --pipeline={self._pipeline}`."
        )

    def save(self, data: DataFrame | pd.DataFrame) -> None:
        """Write the table; a pandas frame is taken as well."""
        session = spark.session()
        if isinstance(data, pd.DataFrame):
            ordered = data.reindex(columns=list(self._columns)).astype(object)
            rows = ordered.where(ordered.notna(), None).to_numpy().tolist()
            data = session.createDataFrame(rows, ddl(self._columns))
        frame = data.select(*[F.col(name).cast(kind) for name, kind in self._columns.items()])
        writer = frame.write.mode(self._mode).partitionBy(*self._partitions)
        writer.options(**self._options).parquet(self._spark_path)
        if _HREF in self._columns and "://" not in self._path:
            self.write_bytes(self._path.encode(), _PLACE)

    def _with_present_addresses(self, frame: DataFrame) -> DataFrame:
        """Look for files of the data folder where it is now, if it was moved or copied with them.

        Of a layer that was left behind, as scenes may be when results are copied, they stay there.
        """
        if _HREF not in self._columns or not self.has(_PLACE):
            return frame
        places = (self.read_bytes(_PLACE).decode(), self._path)
        former, present = (_DATA_FOLDER.match(place) for place in places)
        if former is None or present is None or former[1] == present[1]:
            return frame
        layers = [each.name for each in Path(present[1]).iterdir() if each.is_dir()]
        address = F.col(_HREF)
        is_here = [address.startswith(f"{former[1]}/{layer}/") for layer in layers]
        moved = F.concat(F.lit(present[1]), F.expr(f"substring({_HREF}, {len(former[1]) + 1})"))
        return frame.withColumn(
            _HREF, F.when(reduce(operator.or_, is_here), moved).otherwise(address)
        )

    def preview(self, nrows: int = 20) -> TablePreview:
        """Show the first rows in the pipeline graph, without Spark; long values are cut."""
        filesystem, base = self.locate()
        table = arrow.dataset(base, filesystem=filesystem, format="parquet")
        rows = table.head(nrows, batch_readahead=0, fragment_readahead=0).to_pylist()
        data = [[_brief(value) for value in row.values()] for row in rows]
        return TablePreview(
            {"index": list(range(len(rows))), "columns": table.schema.names, "data": data}
        )

    def _exists(self) -> bool:
        # Not by reading its schema: a table that no row was written to has none.
        filesystem, _ = self.locate()
        filesystem.invalidate_cache()  # Spark writes without its knowing.
        return self.has("/_SUCCESS") or bool(self.glob("/**/*.parquet"))


class FeatureStoreDataset(TableDataset):
    """`tile_features`: only ever added to, one folder for each ``feature_key``.

    Every task's file is in place when the task ends (`write_part`; what an engine in Java computes
    is written by Spark, with Hadoop's commit algorithm 2), so that a run which is killed leaves
    what it has done, and the next one finds it. A task that runs again writes its file under the
    same name. But an executor that outlives its driver may put one last file in place after the
    next run has looked what is done: such rows are there twice, and are read once.
    """

    _mode = "append"
    _partitions: ClassVar[list[str]] = [_PARTITION]
    _options: ClassVar[dict[str, str]] = {
        "mapreduce.fileoutputcommitter.algorithm.version": "2",
        # Features are noise to a compressor and to a dictionary: both cost time (a tenth of a
        # run's with the dictionary, which is looked up for each value) and save nothing.
        "compression": "none",
        "parquet.enable.dictionary": "false",
    }
    # What is in a file stays, so that doubles are looked for again where files have come. A run
    # reads features ten times.
    _looked_at: tuple[str, ...] = ()
    _has_doubles = False

    def load(self) -> DataFrame:
        """Read the features, each image once for each version and key."""
        # Listed before they are read: one that comes meanwhile is new to the next look.
        self.locate()[0].invalidate_cache()
        files = tuple(self.glob("/**/*.parquet"))
        frame = super().load()
        if files != self._looked_at:
            # Rows are wide and doubles rare: only narrow columns are looked through for them.
            found = frame.groupBy(*_IDENTITY).count().filter("count > 1")
            self._looked_at, self._has_doubles = files, not found.isEmpty()
        return frame.dropDuplicates(_IDENTITY) if self._has_doubles else frame

    def save(self, data: DataFrame | pd.DataFrame | PendingFeatures) -> None:
        """Add rows, reporting progress; pending ones are computed and written by Spark's tasks."""
        session = spark.session()
        if not isinstance(data, PendingFeatures):
            with reporting_progress(partial(look_at_writing_stage, session)):
                super().save(data)
            return
        rows, tasks = session.sparkContext.accumulator(0), session.sparkContext.accumulator(0)
        busy_s, start = session.sparkContext.accumulator(0.0), time.perf_counter()
        folder = f"{self._path}/{_PARTITION}={data.feature_key}"
        write = partial(
            write_part,
            compute=data.compute,
            folder=folder,
            run=uuid.uuid4().hex,
            leave_out=_PARTITION,
            rows=rows,
            tasks=tasks,
            busy_s=busy_s,
        )
        with reporting_progress(lambda: (rows.value, tasks.value, data.tasks)):
            data.tiles.mapInArrow(write, WRITTEN_COLUMNS).collect()
        if rows.value and data.engine_s is not None:
            LOGGER.info(
                "Featurization: %s tiles/s; the network took %.0f %% of the workers' time",
                f"{rows.value / (time.perf_counter() - start):,.0f}",
                100 * data.engine_s.value / busy_s.value,
            )
        # As Spark does: the table is there, even if it has no row.
        self.write_bytes(b"", "/_SUCCESS")


def _brief(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} …"
