"""Nodes of SynapseML's flavour of training."""

from __future__ import annotations

import logging

import pandas as pd
from pyspark.ml.wrapper import JavaModel
from pyspark.sql import DataFrame

from aerial_kedro.synapseml.classifiers import (
    SynapseSettings,
    SynapseStatistics,
    SynapseSummary,
    compute_statistics,
    forest,
    regression,
    score,
    train_classifier,
)
from aerial_kedro.tracking.record import RunRecord

LOGGER = logging.getLogger(__name__)


def train_forest(labelled_features: DataFrame, settings: SynapseSettings, seed: int) -> JavaModel:
    """Fit the random forest on the training split."""
    return train_classifier(_part(labelled_features, "train"), forest(settings.random_forest, seed))


def train_regression(labelled_features: DataFrame, settings: SynapseSettings) -> JavaModel:
    """Fit logistic regression on the training split: one for each class against the rest."""
    training = _part(labelled_features, "train")
    return train_classifier(training, regression(settings.logistic_regression))


def summarise(
    random_forest: JavaModel,
    logistic_regression: JavaModel,
    labelled_features: DataFrame,
) -> SynapseSummary:
    """Evaluate both classifiers on the test split."""
    test = _part(labelled_features, "test")
    summary = SynapseSummary(
        random_forest=compute_statistics(random_forest, test),
        logistic_regression=compute_statistics(logistic_regression, test),
    )
    _log("random forest", summary.random_forest)
    _log("logistic regression", summary.logistic_regression)
    return summary


def _log(name: str, found: SynapseStatistics) -> None:
    remark = "" if found.has_probabilities else " (one against the rest: no probabilities)"
    LOGGER.info(
        "SynapseML, %s%s, test: accuracy %.3f, mean precision %.3f, mean recall %.3f",
        name, remark, found.accuracy, found.mean_precision, found.mean_recall,
    )  # fmt: skip


def record_run(summary: SynapseSummary) -> RunRecord:
    """List the figures that the run history keeps."""
    found = {
        "random_forest": summary.random_forest,
        "logistic_regression": summary.logistic_regression,
    }
    return RunRecord(
        metrics={
            f"synapseml.{name}.test.{figure}": getattr(statistics, figure)
            for name, statistics in found.items()
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
        score(model, test).select("image_id", "label", "pred_label").toPandas()
        for model in (random_forest, logistic_regression)
    )
    both = first.merge(second.drop(columns="label"), on="image_id", suffixes=("_forest", ""))
    named = both.rename(
        columns={"pred_label_forest": "random_forest", "pred_label": "logistic_regression"}
    )
    return named.sort_values("image_id", ignore_index=True)


def _part(labelled_features: DataFrame, split: str) -> DataFrame:
    return labelled_features.filter(labelled_features["split"] == split).select(
        "image_id", "label", "features"
    )
