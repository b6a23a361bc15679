"""SynapseML's flavour of training, by the command, in a process and a Spark session of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.ml.classification import LogisticRegression, OneVsRest, RandomForestClassifier
from pyspark.ml.feature import StringIndexerModel
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession

from tests.integration.kedro_project import PROJECT, Project, copy_of

pytestmark = pytest.mark.synapseml


@pytest.fixture(scope="module")
def trained(divided: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """``kedro run --pipeline=training_synapseml`` on the features of an earlier run."""
    project = copy_of(divided, tmp_path_factory.mktemp("synapseml"))
    cache = PROJECT / "build/ivy"
    packages = f"--conf spark.jars.ivy={cache} pyspark-shell"
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "kedro", "run", "--env=base", "--pipeline=training_synapseml"],
            cwd=PROJECT,
            env={**os.environ, **project.variables(), "PYSPARK_SUBMIT_ARGS": packages},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        if list(cache.glob("jars/*synapseml-core*.jar")):
            raise
        pytest.skip("SynapseML's Java parts did not come within five minutes")
    if "If its libraries" in answer.stderr + answer.stdout:
        pytest.skip("SynapseML's Java parts cannot be had: Spark could not fetch the packages")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return project


@pytest.fixture(scope="module")
def predicted(trained: Project) -> pd.DataFrame:
    return pd.read_parquet(trained.data / "07_model_output/synapseml_predictions.parquet")


@pytest.fixture(scope="module")
def rows(trained: Project, spark_session: SparkSession) -> DataFrame:
    """The same features, for Spark ML."""
    frame = spark_session.read.parquet(str(trained.data / "05_model_input/labelled_features"))
    vectors = frame.withColumn("vector", array_to_vector("features"))
    classes = sorted(row["label"] for row in frame.select("label").distinct().collect())
    indexer = StringIndexerModel.from_labels(classes, inputCol="label", outputCol="index")
    return indexer.transform(vectors)


def test_every_test_tile_is_predicted_by_both(trained: Project, predicted: pd.DataFrame) -> None:
    catalog = trained.table("03_primary/tile_catalog")
    test = catalog[catalog["split"] == "test"]
    assert sorted(predicted["image_id"]) == sorted(test["image_id"])
    labels = dict(zip(test["image_id"], test["label"], strict=True))
    assert predicted["label"].tolist() == [labels[each] for each in predicted["image_id"]]


@pytest.mark.parametrize("name", ["random_forest", "logistic_regression"])
def test_figures_of_each_class_are_those_of_the_predictions(
    trained: Project, predicted: pd.DataFrame, name: str
) -> None:
    """Not one precision and recall for all, which SynapseML prints as such."""
    found = trained.json("08_reporting/synapseml.json")[name]
    right = predicted[name] == predicted["label"]
    assert found["accuracy"] == pytest.approx(right.mean())
    recalls = right.groupby(predicted["label"]).mean()
    assert found["mean_recall"] == pytest.approx(recalls.mean())
    for label, recall in recalls.items():
        assert found["per_class"][label]["producers_accuracy"] == pytest.approx(recall)
    counts = pd.crosstab(predicted["label"], predicted[name]).reindex(
        index=found["classes"], columns=found["classes"], fill_value=0
    )
    np.testing.assert_array_equal(found["confusion"], counts)


def test_only_the_forest_has_probabilities(trained: Project) -> None:
    found = trained.json("08_reporting/synapseml.json")
    assert found["random_forest"]["has_probabilities"]
    assert not found["logistic_regression"]["has_probabilities"]


@pytest.mark.parametrize("name", ["random_forest", "logistic_regression"])
def test_predictions_are_those_of_spark_ml(
    predicted: pd.DataFrame, rows: DataFrame, name: str
) -> None:
    """With the same settings on the same features; trees may differ in a few tiles."""
    columns = {"featuresCol": "vector", "labelCol": "index"}
    spark_ml = {
        "random_forest": RandomForestClassifier(numTrees=20, maxDepth=5, seed=2017, **columns),
        "logistic_regression": OneVsRest(
            classifier=LogisticRegression(regParam=0.01, maxIter=10), **columns
        ),
    }[name]
    model = spark_ml.fit(rows.filter("split = 'train'"))
    test = model.transform(rows.filter("split = 'test'")).toPandas().sort_values("image_id")
    classes = sorted(set(predicted["label"]))
    expected = [classes[int(index)] for index in test["prediction"]]
    agreeing = (predicted[name].to_numpy() == np.array(expected)).mean()
    assert agreeing >= (0.9 if name == "random_forest" else 1.0)


def test_the_models_are_kept(trained: Project) -> None:
    for name in ("random_forest", "logistic_regression"):
        kept = Path(trained.data / "06_models/synapseml" / name / "metadata/part-00000")
        assert "TrainedClassifierModel" in kept.read_text(encoding="utf-8")
