"""SynapseML's `TrainClassifier`: the 2017 sample's way of training, its known faults avoided.

It turns every column that it is given into features, paths among them, unless it is given which
ones are: here the vector alone. The `precision` and `recall` of `ComputeModelStatistics` are added
up over all classes, and so are both the accuracy again: they are left out here, and the figures of
each class come from the confusion matrix. With more than two classes its logistic regression is one
regression for each class against the rest, which has scores and no probabilities.

The Java parts are not in Spark: see `conf/base/synapseml.yml`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pyspark.ml.classification import Classifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.functions import array_to_vector
from pyspark.ml.wrapper import JavaModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.confusion import ClassAccuracy, per_class_accuracy

_VECTOR = "features"


class SynapseForestSettings(BaseModel):
    """A random forest as the 2017 sample's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    num_trees: int = Field(gt=0)
    max_depth: int = Field(gt=0, le=30)


class SynapseRegressionSettings(BaseModel):
    """Logistic regression as the 2017 sample's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reg_param: float = Field(ge=0)
    max_iter: int = Field(gt=0)


class SynapseSettings(BaseModel):
    """The parameters ``synapseml``: settings of its two classifiers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    random_forest: SynapseForestSettings
    logistic_regression: SynapseRegressionSettings


class SynapseStatistics(BaseModel):
    """What `ComputeModelStatistics` says of a classifier.

    Parameters
    ----------
    classes
        Class names; the order of the rows and columns of ``confusion``.
    confusion
        Tile counts; rows are reference labels, columns are predicted labels.
    accuracy
        Share of the tiles whose predicted label is the reference label.
    mean_precision, mean_recall
        Means over the classes.
    per_class
        Accuracies of each class, from ``confusion``.
    has_probabilities
        Whether the classifier gives any; one regression for each class against the rest does not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: list[str]
    confusion: list[list[int]]
    accuracy: float
    mean_precision: float
    mean_recall: float
    per_class: dict[str, ClassAccuracy]
    has_probabilities: bool


class SynapseSummary(BaseModel):
    """Both classifiers on the test split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    random_forest: SynapseStatistics
    logistic_regression: SynapseStatistics


def forest(settings: SynapseForestSettings, seed: int) -> Classifier[Any]:
    """Make the forest that `train_classifier` fits."""
    return RandomForestClassifier(
        numTrees=settings.num_trees, maxDepth=settings.max_depth, seed=seed
    )


def regression(settings: SynapseRegressionSettings) -> Classifier[Any]:
    """Make the regression that `train_classifier` fits, one for each class."""
    return LogisticRegression(regParam=settings.reg_param, maxIter=settings.max_iter)


def train_classifier(rows: DataFrame, classifier: Classifier[Any]) -> JavaModel:
    """Fit a classifier with `TrainClassifier`.

    Parameters
    ----------
    rows
        Training tiles: ``label`` and ``features``.
    classifier
        Of Spark ML, with its settings.

    Returns
    -------
    JavaModel
        A `synapse.ml.train.TrainedClassifierModel`.
    """
    from synapse.ml.train import TrainClassifier  # noqa: PLC0415  (its Java parts must be there)

    estimator = TrainClassifier(model=classifier, labelCol="label", inputCols=[_VECTOR])
    model: JavaModel = estimator.fit(_prepare(rows).select("label", _VECTOR))
    return model


def score(model: JavaModel, rows: DataFrame) -> DataFrame:
    """Add the columns of a trained classifier, and ``pred_label`` in words.

    Parameters
    ----------
    model
        Its levels are the classes in the order of its ``prediction``.
    rows
        With ``label`` and ``features``.
    """
    classes = F.array(*[F.lit(name) for name in class_names(model)])
    scored: DataFrame = model.transform(_prepare(rows))
    return scored.withColumn("pred_label", classes[F.col("prediction").cast("int")])


def class_names(model: JavaModel) -> list[str]:
    """List the classes in the order of the model's predictions."""
    java: Any = model._java_obj  # Python has no other way to ask
    return [str(name) for name in java.getLevels()]


def compute_statistics(model: JavaModel, rows: DataFrame) -> SynapseStatistics:
    """Ask `ComputeModelStatistics` how well a classifier does.

    Parameters
    ----------
    model
        The classifier.
    rows
        One split, of the classes that the model knows.
    """
    from synapse.ml.train import ComputeModelStatistics  # noqa: PLC0415

    classes = class_names(model)
    scored = score(model, rows.filter(F.col("label").isin(classes)))
    found = ComputeModelStatistics().transform(scored).collect()[0]
    confusion = np.asarray(found["confusion_matrix"].toArray()).astype(int)
    return SynapseStatistics(
        classes=classes,
        confusion=confusion.tolist(),
        accuracy=found["accuracy"],
        mean_precision=found["macro_averaged_precision"],
        mean_recall=found["macro_averaged_recall"],
        per_class=dict(zip(classes, per_class_accuracy(confusion), strict=True)),
        has_probabilities="probability" in scored.columns,
    )


def _prepare(rows: DataFrame) -> DataFrame:
    return rows.withColumn(_VECTOR, array_to_vector(F.col(_VECTOR)))
