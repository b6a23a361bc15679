"""Fitting Spark ML's classifiers, and evaluating them on a split."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.base import Estimator, Transformer
from pyspark.ml.classification import LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import StandardScaler, StringIndexerModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.errors import AerialError
from aerial_kedro.models.model import TrainedModel, predict_vectors
from aerial_kedro.models.rows import arrange
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)

# Counts of the nodes that are split in one pass over the tiles; Spark's own default is 256. On
# 44,000 tiles 128 was no slower than 512 (one run of each).
_FOREST_MEMORY_MB = 128


def fit_stages(
    rows: DataFrame, settings: ClassifierSettings, classes: list[str], seed: int
) -> PipelineModel:
    """Fit a classifier.

    Parameters
    ----------
    rows
        Training tiles: ``image_id, label`` and the settings' column; perhaps ``weight``, which then
        stands for what the settings say of weights.
    settings
        Settings of the classifier, whose type says which it is.
    classes
        Class names; the order of the probabilities.
    seed
        Seed of the forest.
    """
    counts = {row["label"]: row["count"] for row in rows.groupBy("label").count().collect()}
    own = ["weight"] if "weight" in rows.columns else []
    needed = rows.select("image_id", "label", settings.column, *own)
    count = sum(counts.values())
    with arrange(needed, settings.column, count, is_shared=False) as arranged:
        return _fit_vectors(arranged.frame, settings, classes, counts, seed)


def _fit_vectors(
    rows: DataFrame,
    settings: ClassifierSettings,
    classes: list[str],
    counts: Mapping[str, int],
    seed: int,
) -> PipelineModel:
    """Fit a classifier to rows that have ``vector``, and of each label so many."""
    missing = sorted(set(classes) - set(counts))
    if missing:
        raise AerialError(
            f"The classes {missing} have no training tile, so no model can learn them. Give more "
            "area or tiles, or exclude them (parameter `land_cover.excluded`)."
        )
    weights = F.create_map(
        *[
            F.lit(each)
            for name, count in counts.items()
            for each in (name, sum(counts.values()) / (len(counts) * count))
        ]
    )
    weight = weights[F.col("label")] if settings.class_weights else F.lit(1.0)
    if "weight" in rows.columns:
        weight = F.col("weight")
    prepared = rows.select("label", "vector", weight.alias("weight"))
    # Indexed in the order given, so that one list of classes serves labels and probabilities.
    indexed = StringIndexerModel.from_labels(classes, inputCol="label", outputCol="label_index")
    return Pipeline(stages=_estimators(settings, seed)).fit(indexed.transform(prepared))


def _estimators(settings: ClassifierSettings, seed: int) -> list[Estimator[Any] | Transformer]:
    common: dict[str, Any] = {
        "labelCol": "label_index",
        "weightCol": "weight",
        "probabilityCol": "model_probability",
        "predictionCol": "model_prediction",
    }
    if isinstance(settings, LogisticRegressionSettings):
        scales = settings.standardise
        scaler = StandardScaler(
            inputCol="vector", outputCol="scaled", withMean=scales, withStd=scales
        )
        model = LogisticRegression(
            featuresCol="scaled",
            family="multinomial",
            maxIter=settings.max_iter,
            regParam=settings.reg_param,
            elasticNetParam=settings.elastic_net_param,
            standardization=False,
            **common,
        )
        return [scaler, model]
    if isinstance(settings, RandomForestSettings):
        forest = RandomForestClassifier(
            featuresCol="vector",
            numTrees=settings.num_trees,
            maxDepth=settings.max_depth,
            minInstancesPerNode=settings.min_instances_per_node,
            maxBins=settings.max_bins,
            maxMemoryInMB=_FOREST_MEMORY_MB,
            cacheNodeIds=True,
            seed=seed,
            **common,
        )
        return [forest]
    raise TypeError(f"no classifier has the settings {type(settings).__name__}")


def count_labels(labels: pd.Series) -> dict[str, int]:
    """Count what there is of each label, in alphabetical order."""
    return {str(name): int(count) for name, count in labels.value_counts().sort_index().items()}


def predict_unseen(
    training: DataFrame,
    unseen: DataFrame,
    settings: ClassifierSettings,
    counts: Mapping[str, int],
    seed: int,
) -> DataFrame:
    """Fit a classifier on some tiles and predict others; the model is not kept.

    Parameters
    ----------
    training
        ``label, vector``, and perhaps ``weight`` as in `fit_stages`.
    unseen
        With ``vector``.
    settings, seed
        As `fit_stages` takes them.
    counts
        How many training tiles each class has; their order is that of the probabilities.

    Returns
    -------
    DataFrame
        The columns of `TrainedModel.predict`, not calibrated.
    """
    classes = list(counts)
    stages = _fit_vectors(training, settings, classes, counts, seed)
    return predict_vectors(stages, unseen, classes)


def evaluate_model(
    model: TrainedModel, rows: DataFrame, seed: int, *, with_probabilities: bool = True
) -> Evaluation:
    """Evaluate a model on labelled tiles.

    Parameters
    ----------
    model
        The model.
    rows
        One split: ``image_id, label, block_id`` and the model's feature column.
    seed
        Seed of the block bootstrap.
    with_probabilities
        Whether the model's probabilities are evaluated as well.

    Raises
    ------
    AerialError
        If there are no tiles.
    """
    scored = model.predict(rows).select(
        "image_id", "label", "pred_label", "class_probabilities", "block_id"
    )
    # Blocks are drawn by their place, and how a table is read depends on the number of cores.
    tiles = scored.toPandas().sort_values("image_id", ignore_index=True)
    if not len(tiles):
        raise AerialError(
            "There is no tile to evaluate the model on: the split is empty. Give more area or "
            "tiles."
        )
    # A class that the model never learned stays in the account: its tiles are all errors.
    unlearned = sorted(set(tiles["label"]) - set(model.card.classes))
    chances = np.array(tiles["class_probabilities"].tolist())
    padded = np.pad(chances, ((0, 0), (0, len(unlearned)))) if with_probabilities else None
    return evaluate_predictions(tiles, [*model.card.classes, *unlearned], seed, padded)


def evaluate_majority(tiles: pd.DataFrame, seed: int) -> Evaluation:
    """Evaluate the answer that is always the most frequent class of the training tiles.

    Where classes are equally frequent, it is the first by name. A model has to exceed this.

    Parameters
    ----------
    tiles
        ``label, split, block_id`` of the tiles to learn from and to evaluate on.
    seed
        Seed of the block bootstrap.

    Raises
    ------
    ValueError
        If there is no training or test tile.
    """
    training, test = (tiles[tiles["split"] == name] for name in ("train", "test"))
    if not len(training):
        raise ValueError("There is no training tile to take the most frequent class from.")
    guessed = test.assign(pred_label=training["label"].mode()[0])
    return evaluate_predictions(guessed, sorted({*training["label"], *test["label"]}), seed)


def evaluate_predictions(
    tiles: pd.DataFrame,
    classes: list[str],
    seed: int,
    probabilities: NDArray[np.floating] | None = None,
) -> Evaluation:
    """Evaluate predicted labels, with intervals where every tile has a block.

    Parameters
    ----------
    tiles
        ``label, pred_label, block_id``.
    classes, seed, probabilities
        As `evaluate` takes them.
    """
    has_blocks = tiles["block_id"].notna().all()
    return evaluate(
        tiles["label"].tolist(),
        tiles["pred_label"].tolist(),
        classes,
        probabilities=probabilities,
        blocks=tiles["block_id"].tolist() if has_blocks else None,
        seed=seed,
    )
