"""Stages in Spark ML's files, without Spark: Spark reads what is written here, and the reverse."""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from fsspec.implementations.local import LocalFileSystem
from pyspark.ml import PipelineModel
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import SparkSession

from aerial_kedro.cluster.paths import literal
from aerial_kedro.datasets.spark_stages import read_stages, write_stages
from aerial_kedro.errors import AerialError
from aerial_kedro.models.few_rows import fit_few, fitting
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.stages import StoredStage, convert_stages

CLASSES = ["A", "B", "C"]
CLASSIFIERS = [
    LogisticRegressionSettings(max_iter=50, reg_param=0.01),
    LogisticRegressionSettings(max_iter=50, reg_param=0.01, standardise=False),
    RandomForestSettings(num_trees=4, max_depth=3),
]
KINDS = ["standardised regression", "regression", "forest"]
RNG = np.random.default_rng(2)
NUMBERS = RNG.normal(size=(60, 5))
LABELS = [CLASSES[each] for each in NUMBERS[:, :3].argmax(axis=1)]


def fit(settings: ClassifierSettings) -> tuple[StoredStage, ...]:
    with fitting():
        return fit_few(NUMBERS, LABELS, np.ones(60), settings, classes=CLASSES, seed=1)


@pytest.mark.parametrize("settings", CLASSIFIERS, ids=KINDS)
@pytest.mark.parametrize("name", ["model", "a [1] %20"])
def test_spark_reads_what_is_written(
    spark_session: SparkSession, tmp_path: Path, settings: ClassifierSettings, name: str
) -> None:
    stages = fit(settings)
    folder = str(tmp_path / name)
    write_stages(LocalFileSystem(), folder, stages)
    rows = [(number, each.tolist()) for number, each in enumerate(NUMBERS)]
    frame = spark_session.createDataFrame(rows, "number int, features array<double>").withColumn(
        "vector", array_to_vector("features")
    )
    scored = PipelineModel.load(literal(folder)).transform(frame)
    found = scored.select(
        "number", "model_prediction", vector_to_array("model_probability").alias("p")
    ).toPandas()
    found = found.sort_values("number")
    expected = convert_stages(stages, "own").probabilities(NUMBERS)
    assert np.array(found["p"].tolist()) == pytest.approx(expected, abs=1e-12)
    assert found["model_prediction"].tolist() == expected.argmax(axis=1).tolist()


@pytest.mark.parametrize("settings", CLASSIFIERS, ids=KINDS)
def test_what_is_written_is_read_as_it_was(settings: ClassifierSettings) -> None:
    """In storage too; and what was there before is gone."""
    filesystem, folder = fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}/stages"
    write_stages(filesystem, folder, fit(CLASSIFIERS[0]))
    stages = fit(settings)
    write_stages(filesystem, folder, stages)
    found = read_stages(filesystem, folder, "oak")
    assert [each.kind for each in found] == [each.kind for each in stages]
    for one, other in zip(found, stages, strict=True):
        assert one.settings == other.settings
        assert one.sizes == other.sizes
        assert one.table.to_pylist() == other.table.to_pylist()


def test_what_spark_wrote_is_written_again(spark_session: SparkSession, tmp_path: Path) -> None:
    """As where a model of the store becomes one of the registry."""
    write_stages(LocalFileSystem(), str(tmp_path / "own/stages"), fit(CLASSIFIERS[2]))
    loaded = PipelineModel.load(str(tmp_path / "own/stages"))
    loaded.write().save(str(tmp_path / "spark/stages"))
    read = read_stages(LocalFileSystem(), str(tmp_path / "spark/stages"), "oak")
    write_stages(LocalFileSystem(), str(tmp_path / "again/stages"), read)
    again = PipelineModel.load(str(tmp_path / "again/stages"))
    assert (
        again.stages[0].toDebugString.split("\n")[1:]
        == loaded.stages[0].toDebugString.split("\n")[1:]
    )  # type: ignore[attr-defined]
    assert spark_session.sparkContext


def test_a_folder_without_stages_is_no_model() -> None:
    with pytest.raises(AerialError, match="The model oak has no stages: train it again"):
        read_stages(fsspec.filesystem("memory"), "/nothing", "oak")


def test_another_kind_of_stage_is_not_written() -> None:
    with pytest.raises(KeyError):
        write_stages(
            fsspec.filesystem("memory"),
            "/other",
            [StoredStage("GBTClassificationModel", {}, pa.table({}))],
        )
