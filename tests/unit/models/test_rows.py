"""Rows of fits: few in the driver, many in as many partitions as they deserve and in one order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.classification import RandomForestClassificationModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.models import rows as module
from aerial_kedro.models.calibration import cross_fit
from aerial_kedro.models.rows import FewRows, Fold, ManyRows, count_partitions, open_rows
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.stages import convert_stages
from aerial_kedro.models.training import fit_model

CLASSES = ["A", "B"]
NUMBERS = 5
SCHEMA = "image_id string, label string, block_id string, features array<float>"
REGRESSION = LogisticRegressionSettings(max_iter=5, reg_param=0.01)
# Weights of 1, since Spark adds the partitions' counts in the order in which they come.
FOREST = RandomForestSettings(num_trees=4, max_depth=2, class_weights=False)
SURE = LogisticRegressionSettings(max_iter=100, reg_param=0.01)
CORES = "spark.sql.leafNodeDefaultParallelism"


def draw(count: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    code = rng.integers(0, 2, count)
    features = code[:, None] + rng.normal(size=(count, NUMBERS))
    return pd.DataFrame(
        {
            "image_id": [f"t{number:03d}" for number in range(count)],
            "label": np.array(CLASSES, dtype=object)[code],
            "block_id": [f"b{number % 3}" for number in range(count)],
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
        with open_rows(load(), FOREST) as opened:
            assert isinstance(opened, ManyRows)
            found = opened.frame.select(
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
        stages, _ = fit_model(read(cores), FOREST, CLASSES, 1)
        assert isinstance(stages, PipelineModel)
        forest = stages.stages[-1]
        assert isinstance(forest, RandomForestClassificationModel)
        trees.append(forest.toDebugString.split("\n", 1)[1])
        unseen.append(cross_fit(read(cores), FOREST, CLASSES, 1))
    assert trees[0] == trees[1]
    pd.testing.assert_frame_equal(*unseen)


@pytest.mark.usefixtures("small_partitions")
def test_rows_are_kept_until_the_block_ends(spark_session: SparkSession) -> None:
    kept = spark_session.sparkContext._jsc.getPersistentRDDs
    before = len(kept())
    with open_rows(table(spark_session, draw()), FOREST) as opened:
        assert isinstance(opened, ManyRows)
        assert opened.frame.columns == ["image_id", "label", "block_id", "vector"]
        assert opened.frame.count() == 60
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
    with open_rows(stored, FOREST, is_shared=is_shared) as opened:
        assert isinstance(opened, ManyRows)
        assert opened.frame.count() == 60
        assert len(kept()) == before + is_shared
        assert opened.frame.rdd.getNumPartitions() == 3
        order = [row["image_id"] for row in stored.select("image_id").collect()]
        assert [row["image_id"] for row in opened.frame.collect()] == order
    assert len(kept()) == before


@pytest.mark.parametrize("settings", [REGRESSION, FOREST], ids=["regression", "forest"])
def test_few_rows_take_two_jobs_whatever_is_fitted_to_them(
    spark_session: SparkSession, settings: ClassifierSettings
) -> None:
    """One finds that they are few, one brings them; each costs some hundredth of a second."""
    context = spark_session.sparkContext
    rows = table(spark_session, draw()).coalesce(1).persist()
    rows.count()
    group = f"fits of {type(settings).__name__}"
    context.setJobGroup(group, "counted")
    try:
        with open_rows(rows, settings) as opened:
            assert isinstance(opened, FewRows)
            opened.fit(opened.count_labels(), 1)
            opened.predict_each([THIRDS[0], THIRDS[1]], CLASSES, 1)
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)
    rows.unpersist()
    jobs = context.statusTracker().getJobIdsForGroup(group)
    assert 0 < len(jobs) <= 4  # adaptive execution makes two of a job that aggregates


def test_a_lasso_is_fitted_by_spark_however_few_the_rows(spark_session: SparkSession) -> None:
    lasso = REGRESSION.model_copy(update={"elastic_net_param": 0.5})
    stages, count = fit_model(table(spark_session, draw()), lasso, CLASSES, 1)
    assert isinstance(stages, PipelineModel)
    assert count == 60


THIRDS = [Fold(np.arange(60) % 3 != part, np.arange(60) % 3 == part) for part in range(3)]


@pytest.mark.parametrize("is_few", [True, False], ids=["few", "many"])
def test_what_is_predicted_of_a_fold_is_what_a_fit_without_it_says(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch, is_few: bool
) -> None:
    """A class that no known row has gets no probability, and its rows are not learned."""
    rows = draw()
    rows.loc[rows.index[THIRDS[0].unseen][:4], "label"] = "C"
    if not is_few:
        monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 30 * NUMBERS * 8)
    with open_rows(table(spark_session, rows[::-1]), SURE) as opened:
        assert isinstance(opened, FewRows if is_few else ManyRows)
        assert opened.table["image_id"].tolist() == rows["image_id"].tolist()
        found = opened.predict_each(THIRDS, ["C", "B", "A"], 1)
    for each, fold in zip(found, THIRDS, strict=True):
        assert each["image_id"].tolist() == rows.loc[fold.unseen, "image_id"].tolist()
        chances = np.array(each["class_probabilities"].tolist())
        assert chances.sum(axis=1) == pytest.approx(1)
        named = np.array(["C", "B", "A"])[chances.argmax(axis=1)]
        assert each["pred_label"].tolist() == named.tolist()
    first, second, _ = found
    assert (np.array(first["class_probabilities"].tolist())[:, 0] == 0).all()
    assert first["learned"].tolist() == (first["label"] != "C").tolist()
    assert second["learned"].all()
    known = rows[THIRDS[1].known]
    stages, _ = fit_model(table(spark_session, known), SURE, ["A", "B", "C"], 1)
    assert not isinstance(stages, PipelineModel) or not is_few
    if is_few:
        numbers = np.array(rows.loc[THIRDS[1].unseen, "features"].tolist(), np.float32)
        alone = convert_stages(stages, "alone").probabilities(numbers.astype(np.float64))
        found_there = np.array(second["class_probabilities"].tolist())[:, ::-1]
        assert found_there == pytest.approx(alone, abs=1e-4)


def test_few_rows_do_not_depend_on_the_order_in_which_they_come(
    read: Callable[[int], DataFrame],
) -> None:
    unseen = [cross_fit(read(cores), FOREST, CLASSES, 1) for cores in (1, 6)]
    pd.testing.assert_frame_equal(*unseen)
