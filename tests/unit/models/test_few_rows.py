"""What scikit-learn fits to few rows against what Spark ML fits to the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame, SparkSession
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from aerial_kedro.models import rows as module
from aerial_kedro.models.classifiers import ForestClassifier, LinearClassifier
from aerial_kedro.models.few_rows import fit_few, fitting, inverse_penalty
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.stages import StoredStage, convert_stages
from aerial_kedro.models.training import fit_model

CLASSES = ["A", "B", "C"]
RIDGE = LogisticRegressionSettings(max_iter=500, reg_param=0.01)
FOREST = RandomForestSettings(num_trees=25, max_depth=5, min_instances_per_node=3, max_bins=8)


def draw(classes: int = 3, count: int = 150) -> tuple[np.ndarray, list[str]]:
    """Overlapping classes, unlike in number, in numbers of different scales; one never varies."""
    rng = np.random.default_rng(5)
    code = rng.choice(classes, count, p=np.arange(1, classes + 1) / sum(range(classes + 1)))
    numbers = rng.normal(size=(classes, 6))[code] + rng.normal(size=(count, 6))
    numbers *= [0.3, 1.0, 1.0, 3.0, 1.0, 1.0]
    numbers[:, 4] = 2.5
    return numbers, [CLASSES[each] for each in code]


def table(spark: SparkSession, numbers: np.ndarray, labels: list[str]) -> DataFrame:
    rows = [
        (f"t{place:03d}", label, each.tolist())
        for place, (label, each) in enumerate(zip(labels, numbers, strict=True))
    ]
    schema = "image_id string, label string, features array<double>"
    return spark.createDataFrame(rows, schema).coalesce(1)


def fit(
    settings: ClassifierSettings, numbers: np.ndarray, labels: list[str], seed: int = 1
) -> tuple[StoredStage, ...]:
    classes = sorted(set(labels))
    with fitting():
        return fit_few(numbers, labels, np.ones(len(labels)), settings, classes=classes, seed=seed)


def chances(stages: tuple[StoredStage, ...], numbers: np.ndarray) -> np.ndarray:
    return convert_stages(stages, "few").probabilities(numbers)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "settings",
    [
        RIDGE,
        RIDGE.model_copy(update={"class_weights": False, "reg_param": 0.3}),
        RIDGE.model_copy(update={"standardise": False, "reg_param": 0.1}),
    ],
    ids=["standardised", "unweighted", "own scale"],
)
def test_the_regression_is_sparks(
    spark_session: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    settings: LogisticRegressionSettings,
    classes: int,
) -> None:
    """One problem, one optimum: whoever finds it, to a thousandth of a probability."""
    numbers, labels = draw(classes)
    rows = table(spark_session, numbers, labels)
    few, _ = fit_model(rows, settings, CLASSES[:classes], 1)
    monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 4000)  # two partitions
    many, _ = fit_model(rows, settings, CLASSES[:classes], 1)
    assert not isinstance(few, PipelineModel)
    assert isinstance(many, PipelineModel)
    scored = many.transform(rows.withColumn("vector", array_to_vector("features")))
    by_spark = scored.select("image_id", vector_to_array("model_probability").alias("p"))
    expected = by_spark.toPandas().sort_values("image_id")["p"].tolist()
    assert chances(few, numbers) == pytest.approx(np.array(expected), abs=1e-3)


def test_a_number_that_never_varies_says_nothing() -> None:
    numbers, labels = draw()
    few = convert_stages(fit(RIDGE, numbers, labels), "few")
    assert isinstance(few, LinearClassifier)
    assert few.scale[4] == 0
    turned = numbers.copy()
    turned[:, 4] = -99
    np.testing.assert_array_equal(few.probabilities(turned), few.probabilities(numbers))


def test_without_a_penalty_the_loss_alone_counts() -> None:
    """Drawn apart, classes get probabilities without bounds; the penalty keeps them modest."""
    numbers = np.array([[-1.0], [1.0]] * 5)
    labels = ["A", "B"] * 5
    modest, sure = (
        chances(fit(RIDGE.model_copy(update={"reg_param": each}), numbers, labels), numbers)
        for each in (1.0, 0.0)
    )
    assert modest.max() < 0.9
    assert sure.max() > 0.999


def test_the_forest_splits_at_the_edges_of_ranges_that_hold_equally_many() -> None:
    """A tree that may grow without bounds is the one over ranges, at the numbers themselves."""
    numbers, labels = draw()
    few = convert_stages(fit(FOREST, numbers, labels), "few")
    assert isinstance(few, ForestClassifier)
    edges = np.quantile(numbers, np.arange(1, 8) / 8, axis=0)
    inner = few.left != np.arange(len(few.left))
    assert inner.any()
    for feature, threshold in zip(few.feature[inner], few.threshold[inner], strict=True):
        assert threshold in edges[:, feature]
    # A number at an edge goes to the left, as in the ranges that were learned from.
    ranges = (numbers[:, None] > edges).sum(axis=1)
    once = RandomForestSettings(num_trees=1, max_depth=1, max_bins=8)
    stump = convert_stages(fit(once, numbers, labels), "stump")
    assert isinstance(stump, ForestClassifier)
    feature, threshold = int(stump.feature[0]), float(stump.threshold[0])
    at = float(np.flatnonzero(edges[:, feature] == threshold)[0])
    np.testing.assert_array_equal(numbers[:, feature] <= threshold, ranges[:, feature] <= at)


def test_the_forest_learns_as_well_as_sparks(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, labels = draw(count=400)
    rows = table(spark_session, numbers, labels)
    few, _ = fit_model(rows, FOREST, CLASSES, 1)
    monkeypatch.setattr(module, "_BYTES_OF_PARTITION", 10_000)  # two
    many, _ = fit_model(rows, FOREST, CLASSES, 1)
    assert not isinstance(few, PipelineModel)
    assert isinstance(many, PipelineModel)
    scored = many.transform(rows.withColumn("vector", array_to_vector("features")))
    columns = scored.select("image_id", vector_to_array("model_probability").alias("p"))
    expected = np.array(columns.toPandas().sort_values("image_id")["p"].tolist())
    found = chances(few, numbers)
    assert np.abs(found - expected).mean() < 0.08
    right = [
        np.mean(each.argmax(axis=1) == pd.Categorical(labels).codes) for each in (found, expected)
    ]
    assert right[0] == pytest.approx(right[1], abs=0.04)


def test_the_forest_keeps_to_its_settings_and_its_seed() -> None:
    numbers, labels = draw()
    (stage,) = fit(FOREST, numbers, labels)
    nodes = stage.table["nodeData"].to_pylist()
    assert stage.sizes == {"numFeatures": 6, "numClasses": 3, "numTrees": 25}
    assert set(stage.table["treeID"].to_pylist()) == set(range(25))
    assert min(each["rawCount"] for each in nodes) >= 3
    assert max(len(each["split"]["leftCategoriesOrThreshold"]) for each in nodes) == 1
    assert all((each["gain"] == -1) == (each["leftChild"] == -1) for each in nodes)
    assert all(each["gain"] > -1e-9 for each in nodes if each["leftChild"] > 0)
    found = chances((stage,), numbers)
    np.testing.assert_array_equal(found, chances(fit(FOREST, numbers, labels), numbers))
    assert (found != chances(fit(FOREST, numbers, labels, seed=2), numbers)).any()


def test_the_forest_is_laid_down_as_it_was_learned() -> None:
    """Every row gets what scikit-learn's own forest over the ranges says of it."""
    numbers, labels = draw()
    edges = np.quantile(numbers, np.arange(1, 8) / 8, axis=0)
    ranges = (numbers[:, None] > edges).sum(axis=1)
    forest = RandomForestClassifier(25, max_depth=5, min_samples_leaf=3, random_state=4).fit(
        ranges, labels, sample_weight=np.ones(len(labels))
    )
    found = chances(fit(FOREST, numbers, labels, seed=4), numbers)
    assert found == pytest.approx(forest.predict_proba(ranges), abs=1e-12)


def test_weights_are_learned_from() -> None:
    numbers, labels = draw(2)
    heavy = np.where(np.array(labels) == "A", 50.0, 1.0)
    for settings in (RIDGE, FOREST):
        with fitting():
            stages = fit_few(numbers, labels, heavy, settings, classes=["A", "B"], seed=1)
        light = chances(fit(settings, numbers, labels), numbers)[:, 0].mean()
        assert chances(stages, numbers)[:, 0].mean() > light + 0.1


def test_another_kind_of_settings_is_refused() -> None:
    numbers, labels = draw()
    with pytest.raises(TypeError, match="no classifier has the settings ClassifierSettings"):
        fit(ClassifierSettings(), numbers, labels)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("penalty", [0.03, 0.3])
def test_what_stands_for_a_fit_has_its_penalty(classes: int, penalty: float) -> None:
    """As where a penalty is chosen, and where labels are left out, by scikit-learn itself."""
    numbers, labels = draw(classes)
    strength = inverse_penalty(penalty, len(labels), classes)
    standing = LogisticRegression(C=strength, max_iter=500, tol=1e-8).fit(numbers, labels)
    own = LogisticRegressionSettings(
        max_iter=500, reg_param=penalty, standardise=False, class_weights=False
    )
    found = chances(fit(own, numbers, labels), numbers)
    assert standing.predict_proba(numbers) == pytest.approx(found, abs=1e-4)
