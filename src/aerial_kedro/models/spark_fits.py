"""Classifiers of many rows: Spark ML's."""

from collections.abc import Mapping
from typing import Any

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.base import Estimator, Transformer
from pyspark.ml.classification import LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import StandardScaler, StringIndexerModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    stage_parameters,
)


def fit_vectors(
    rows: DataFrame,
    settings: ClassifierSettings,
    classes: list[str],
    weights: Mapping[str, float] | None,
    seed: int,
) -> PipelineModel:
    """Fit a classifier on Spark.

    Parameters
    ----------
    rows
        ``label, vector``, and perhaps ``weight``.
    settings
        Settings of the classifier.
    classes
        Class names; the order of the probabilities.
    weights
        What the rows of each class count, where they have no ``weight`` of their own; None for 1.
    seed
        Seed of the forest.
    """
    weight = F.lit(1.0)
    if "weight" in rows.columns:
        weight = F.col("weight")
    elif weights is not None:
        pairs = [F.lit(each) for pair in weights.items() for each in pair]
        weight = F.create_map(*pairs)[F.col("label")]
    prepared = rows.select("label", "vector", weight.alias("weight"))
    # Indexed in the order given, so that one list of classes serves labels and probabilities.
    indexed = StringIndexerModel.from_labels(classes, inputCol="label", outputCol="label_index")
    stages: list[Estimator[Any] | Transformer]
    if isinstance(settings, LogisticRegressionSettings):
        scaler, regression = stage_parameters(settings, seed)
        stages = [StandardScaler(**scaler), LogisticRegression(**regression)]
    else:
        (forest,) = stage_parameters(settings, seed)
        stages = [RandomForestClassifier(**forest)]
    return Pipeline(stages=stages).fit(indexed.transform(prepared))
