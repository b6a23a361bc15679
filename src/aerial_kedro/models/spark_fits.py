"""Classifiers of many rows: Spark ML's."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.base import Estimator, Transformer
from pyspark.ml.classification import LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import StandardScaler, StringIndexerModel
from pyspark.ml.functions import array_to_vector
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import ArrayType, BinaryType, FloatType, StructField, StructType

from aerial_kedro.models.numbers import BYTES_OF_NUMBER, unpack_numbers
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    stage_parameters,
)


def add_vectors(rows: DataFrame, column: str) -> DataFrame:
    """Add ``vector``, as Spark ML reads it, of a column as `models.numbers` knows them."""
    added = rows.withColumn("vector", F.col(column))
    if _is_packed(rows, column):
        unpacked = StructField("vector", ArrayType(FloatType()))
        schema = StructType([*rows.schema.fields, unpacked])
        added = added.mapInArrow(partial(unpack_numbers, column="vector"), schema)
    return added.withColumn("vector", array_to_vector(F.col("vector")))


def count_numbers(rows: DataFrame, column: str) -> Column:
    """How many numbers each row has in a column as `models.numbers` knows them."""
    if _is_packed(rows, column):
        return (F.length(column) / BYTES_OF_NUMBER).cast("int")
    return F.size(column)


def _is_packed(rows: DataFrame, column: str) -> bool:
    return isinstance(rows.schema[column].dataType, BinaryType)


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
