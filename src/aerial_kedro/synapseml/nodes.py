"""Nodes of SynapseML's `TrainClassifier`: the 2017 sample's training, its known faults avoided.

It turns every column that it is given into features, paths among them, unless it is given which
ones are: here the vector alone. The `precision` and `recall` of `ComputeModelStatistics` are added
up over all classes, and so are both the accuracy again: they are left out here, and the figures of
each class come from the confusion matrix. With more than two classes its logistic regression is one
regression for each class against the rest, which has scores and no probabilities.

The Java parts are not in Spark: see `conf/base/synapseml.yml`.
"""

import logging
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field
from pyspark.ml.classification import Classifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.functions import array_to_vector
from pyspark.ml.wrapper import JavaModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.confusion import ClassAccuracy, per_class_accuracy
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.tracking.record import RunRecord

LOGGER = logging.getLogger(__name__)


class SynapseForestSettings(CheckedModel):
    """A random forest as the 2017 sample's."""

    num_trees: int = Field(gt=0)
    max_depth: int = Field(gt=0, le=30)


class SynapseRegressionSettings(CheckedModel):
    """Logistic regression as the 2017 sample's."""

    reg_param: float = Field(ge=0)
    max_iter: int = Field(gt=0)


class SynapseSettings(CheckedModel):
    """The parameters ``synapseml``: settings of its two classifiers."""

    random_forest: SynapseForestSettings
    logistic_regression: SynapseRegressionSettings


class SynapseStatistics(CheckedModel):
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

    classes: list[str]
    confusion: list[list[int]]
    accuracy: float
    mean_precision: float
    mean_recall: float
    per_class: dict[str, ClassAccuracy]
    has_probabilities: bool


class SynapseSummary(CheckedModel):
    """Both classifiers on the test split."""

    random_forest: SynapseStatistics
    logistic_regression: SynapseStatistics


def train_forest(labelled_features: DataFrame, settings: SynapseSettings, seed: int) -> JavaModel:
    """Fit the random forest on the training split."""
    own = settings.random_forest
    return _train(
        labelled_features,
        RandomForestClassifier(numTrees=own.num_trees, maxDepth=own.max_depth, seed=seed),
    )


def train_regression(labelled_features: DataFrame, settings: SynapseSettings) -> JavaModel:
    """Fit logistic regression on the training split: one for each class against the rest."""
    own = settings.logistic_regression
    return _train(
        labelled_features, LogisticRegression(regParam=own.reg_param, maxIter=own.max_iter)
    )


def _train(labelled_features: DataFrame, classifier: Classifier[Any]) -> JavaModel:
    """Fit one of Spark ML's classifiers with `TrainClassifier`: a `TrainedClassifierModel`."""
    from synapse.ml.train import TrainClassifier

    estimator = TrainClassifier(model=classifier, labelCol="label", inputCols=["features"])
    model: JavaModel = estimator.fit(_part(labelled_features, "train").drop("image_id"))
    return model


def summarise(
    random_forest: JavaModel,
    logistic_regression: JavaModel,
    labelled_features: DataFrame,
) -> SynapseSummary:
    """Evaluate both classifiers on the test split."""
    test = _part(labelled_features, "test")
    summary = SynapseSummary(
        random_forest=_compute_statistics(random_forest, test),
        logistic_regression=_compute_statistics(logistic_regression, test),
    )
    by_name = {
        "random forest": summary.random_forest,
        "logistic regression": summary.logistic_regression,
    }
    for name, found in by_name.items():
        remark = "" if found.has_probabilities else " (one against the rest: no probabilities)"
        LOGGER.info(
            "SynapseML, %s%s, test: accuracy %.3f, mean precision %.3f, mean recall %.3f",
            name,
            remark,
            found.accuracy,
            found.mean_precision,
            found.mean_recall,
        )
    return summary


def record_run(summary: SynapseSummary) -> RunRecord:
    """List the figures that the run history keeps."""
    return RunRecord(
        metrics={
            f"synapseml.{name}.test.{figure}": getattr(statistics, figure)
            for name, statistics in summary
            for figure in ("accuracy", "mean_precision", "mean_recall")
        }
    )


def predict_test(
    random_forest: JavaModel,
    logistic_regression: JavaModel,
    labelled_features: DataFrame,
) -> pd.DataFrame:
    """List what both classifiers make of the test tiles.

    Returns
    -------
    pandas.DataFrame
        ``image_id, label, random_forest, logistic_regression``, by ``image_id``.
    """
    test = _part(labelled_features, "test")
    first, second = (
        _score(model, test).select("image_id", "label", "pred_label").toPandas()
        for model in (random_forest, logistic_regression)
    )
    both = first.merge(second.drop(columns="label"), on="image_id", suffixes=("_forest", ""))
    named = both.rename(
        columns={"pred_label_forest": "random_forest", "pred_label": "logistic_regression"}
    )
    return named.sort_values("image_id", ignore_index=True)


def _part(labelled_features: DataFrame, split: str) -> DataFrame:
    """Take a split's ``image_id``, ``label`` and ``features``, these as vectors."""
    return labelled_features.filter(labelled_features["split"] == split).select(
        "image_id", "label", array_to_vector(F.col("features")).alias("features")
    )


def _score(model: JavaModel, rows: DataFrame) -> DataFrame:
    """Add the columns of a trained classifier, and ``pred_label`` in words."""
    classes = F.array(*[F.lit(name) for name in _class_names(model)])
    scored: DataFrame = model.transform(rows)
    return scored.withColumn("pred_label", classes[F.col("prediction").cast("int")])


def _class_names(model: JavaModel) -> list[str]:
    """List the classes in the order of the model's predictions."""
    java: Any = model._java_obj  # Python has no other way to ask
    return [str(name) for name in java.getLevels()]


def _compute_statistics(model: JavaModel, rows: DataFrame) -> SynapseStatistics:
    """Ask `ComputeModelStatistics` how well a classifier does on the classes that it knows."""
    from synapse.ml.train import ComputeModelStatistics

    classes = _class_names(model)
    scored = _score(model, rows.filter(F.col("label").isin(classes)))
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
