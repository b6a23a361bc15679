"""Rows of fits: as many partitions as they deserve, in one order, and few jobs for few rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Lock

import numpy as np
import pandas as pd
import pytest
from pyspark.ml.classification import RandomForestClassificationModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.models import rows as module
from aerial_kedro.models.calibration import cross_fit
from aerial_kedro.models.rows import ArrangedRows, arrange, count_partitions
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.training import fit_stages

CLASSES = ["A", "B"]
NUMBERS = 5
SCHEMA = "image_id string, label string, block_id string, features array<float>"
REGRESSION = LogisticRegressionSettings(max_iter=5, reg_param=0.01)
# Weights of 1, since Spark adds the partitions' counts in the order in which they come.
FOREST = RandomForestSettings(num_trees=4, max_depth=3, class_weights=False)
CORES = "spark.sql.leafNodeDefaultParallelism"


def draw(count: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    code = rng.integers(0, 2, count)
    features = code[:, None] + rng.normal(size=(count, NUMBERS))
    return pd.DataFrame(
        {
            "image_id": [f"t{number:03d}" for number in range(count)],
            "label": np.array(CLASSES, dtype=object)[code],
            "block_id": [f"b{number % 6}" for number in range(count)],
            "features": features.tolist(),
        }
    )


def table(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    return spark.createDataFrame(list(rows.itertuples(index=False, name=None)), SCHEMA)


@pytest.fixture
def small_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many rows in a partition as make four of the table's."""
    monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 15 * NUMBERS * 8)


@pytest.fixture
def read(spark_session: SparkSession, tmp_path: Path) -> Iterator[Callable[[int], DataFrame]]:
    """Read the table from its six files as a machine of so many cores does."""
    written = table(spark_session, draw()).orderBy(F.rand(1)).repartition(6)
    written.write.parquet(str(tmp_path / "rows"))

    def read_on(cores: int) -> DataFrame:
        spark_session.conf.set(CORES, str(cores))
        found = spark_session.read.schema(SCHEMA).parquet(str(tmp_path / "rows"))
        assert found.rdd.getNumPartitions() == cores
        return found

    yield read_on
    spark_session.conf.unset(CORES)


@pytest.mark.parametrize(
    ("rows", "numbers", "partitions"),
    [
        (0, 0, 1),
        (372, 1_280, 1),
        (18_483, 202, 1),
        (200_000, 202, 5),
        (44_000, 1_280, 7),
        (1_000_000, 1_280, 153),
    ],
)
def test_partitions_follow_from_the_size_of_the_rows(
    rows: int, numbers: int, partitions: int
) -> None:
    assert count_partitions(rows, numbers) == partitions


@pytest.mark.usefixtures("small_partitions")
def test_places_do_not_depend_on_how_rows_are_stored_or_on_how_many_cores_read_them(
    spark_session: SparkSession, read: Callable[[int], DataFrame]
) -> None:
    places = []
    for load in (
        partial(read, 1),
        partial(read, 6),
        partial(table, spark_session, draw()[::-1]),
    ):
        with arrange(load(), "features", 60) as arranged:
            assert arranged.partitions == 4
            found = arranged.frame.select(
                "image_id", F.spark_partition_id(), F.monotonically_increasing_id(), "vector"
            )
            places.append(found.toPandas())
    assert places[0]["SPARK_PARTITION_ID()"].nunique() == 4
    pd.testing.assert_frame_equal(places[0], places[1])
    pd.testing.assert_frame_equal(places[0], places[2])


@pytest.mark.usefixtures("small_partitions")
def test_a_forest_and_its_folds_do_not_depend_on_how_many_cores_read_the_rows(
    read: Callable[[int], DataFrame],
) -> None:
    trees, unseen = [], []
    for cores in (1, 6):
        forest = fit_stages(read(cores), FOREST, CLASSES, 1).stages[-1]
        assert isinstance(forest, RandomForestClassificationModel)
        trees.append(forest.toDebugString.split("\n", 1)[1])
        unseen.append(cross_fit(read(cores), FOREST, CLASSES, 1))
    assert trees[0] == trees[1]
    pd.testing.assert_frame_equal(*unseen)


def test_rows_are_kept_until_the_block_ends(spark_session: SparkSession) -> None:
    kept = spark_session.sparkContext._jsc.getPersistentRDDs
    before = len(kept())
    with arrange(table(spark_session, draw()), "features", 60) as arranged:
        assert arranged.frame.columns == ["image_id", "label", "block_id", "vector"]
        assert arranged.frame.count() == 60
        assert len(kept()) == before + 1
    assert len(kept()) == before


@pytest.mark.parametrize("is_shared", [True, False])
def test_large_tables_are_read_as_they_are_stored_and_kept_for_several_fits_alone(
    spark_session: SparkSession,
    read: Callable[[int], DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    is_shared: bool,
) -> None:
    monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 10 * NUMBERS * 8)
    kept = spark_session.sparkContext._jsc.getPersistentRDDs
    before = len(kept())
    stored = read(3)
    with arrange(stored, "features", 60, is_shared=is_shared) as arranged:
        assert arranged.partitions == 6
        assert arranged.frame.count() == 60
        assert len(kept()) == before + is_shared
        assert arranged.frame.rdd.getNumPartitions() == 3
        order = [row["image_id"] for row in stored.select("image_id").collect()]
        assert [row["image_id"] for row in arranged.frame.collect()] == order
    assert len(kept()) == before


@pytest.mark.parametrize(
    ("settings", "most"), [(REGRESSION, 20), (FOREST, 20)], ids=["regression", "forest"]
)
def test_a_small_fit_takes_few_jobs_of_one_task(
    spark_session: SparkSession, settings: ClassifierSettings, most: int
) -> None:
    """Each job costs some hundredth of a second, whatever it has to do."""
    context = spark_session.sparkContext
    rows = table(spark_session, draw()).repartition(6).persist()
    rows.count()
    group = f"fit of {type(settings).__name__}"
    context.setJobGroup(group, "counted")
    try:
        fit_stages(rows, settings, CLASSES, 1)
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)
    rows.unpersist()
    tracker = context.statusTracker()
    jobs = tracker.getJobIdsForGroup(group)
    assert 0 < len(jobs) <= most
    stages = [
        tracker.getStageInfo(stage)
        for job in jobs
        for stage in tracker.getJobInfo(job).stageIds  # type: ignore[union-attr]
    ]
    # Only the table as it is stored is read by more than one task. A stage whose output is there
    # already is listed again, with no task.
    assert sum(each is not None and each.numCompletedTasks > 1 for each in stages) <= 3


def side_by_side(partitions: int) -> tuple[list[int], int]:
    """Results of three fits, and how many of them ran at once."""
    running, most, lock = 0, 0, Lock()
    meeting = Barrier(3)

    def fit(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        # All three meet, or the first finds that nobody comes.
        with suppress(BrokenBarrierError):
            meeting.wait(timeout=60 if partitions == 1 else 0.5)
        with lock:
            running -= 1
        return number

    arranged = ArrangedRows(None, partitions)  # type: ignore[arg-type]
    return arranged.fit_each([partial(fit, number) for number in range(3)]), most


@pytest.mark.parametrize(("partitions", "at_once"), [(1, 3), (2, 1)])
def test_fits_of_one_task_run_at_the_same_time_and_others_in_turn(
    spark_session: SparkSession, partitions: int, at_once: int
) -> None:
    assert spark_session.sparkContext
    assert side_by_side(partitions) == ([0, 1, 2], at_once)


def test_the_error_of_a_fit_is_the_error_of_all(spark_session: SparkSession) -> None:
    assert spark_session.sparkContext

    def fail() -> int:
        raise ValueError("of the second")

    with pytest.raises(ValueError, match="of the second"):
        ArrangedRows(None, 1).fit_each([lambda: 1, fail])  # type: ignore[arg-type]
