"""Calibration of a classifier's probabilities on tiles that its like has not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.accuracy.calibration import fit_temperature
from aerial_kedro.errors import AerialError
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import ClassifierSettings
from aerial_kedro.models.training import predict_unseen
from aerial_kedro.splits.folds import assign_folds

FOLDS = 3
_FEWEST_CLASSES = 2


def calibrate(
    model: TrainedModel, rows: DataFrame, settings: ClassifierSettings, seed: int
) -> TrainedModel:
    """Fit the temperature of a model's probabilities by cross-fitting.

    A validation split is a handful of blocks, and whether these are easy is chance. So the
    classifier is fitted once more without each of a few folds of whole blocks, and the temperature
    is that which suits the predictions of all folds together (Platt 1999, section 2.3, for one
    classifier; the ensemble of the folds is not kept).

    Parameters
    ----------
    model
        The model, not calibrated yet.
    rows
        The training and validation splits: ``image_id, label, block_id`` and the settings' column.
        Where blocks are not known, folds are of tiles.
    settings
        Of the classifier.
    seed
        Of the folds and of the classifier.

    Raises
    ------
    AerialError
        If no fold leaves two classes to learn.
    """
    folds = _folds(rows.select("image_id", "label", "block_id").toPandas(), seed)
    dealt = rows.sparkSession.createDataFrame(
        list(folds[["image_id", "fold"]].itertuples(index=False, name=None)),
        "image_id string, fold string",
    )
    # Broadcast, so that features are not shuffled: their few partitions would become as many as a
    # shuffle has, each a task in every iteration of a fit, and most of these hardly any work.
    numbered = rows.join(F.broadcast(dealt), "image_id").select(
        "label", "block_id", "fold", settings.column
    )
    numbered.persist()  # each fold reads it several times, and the join behind it would be redone
    try:
        judged = []
        for name in sorted(folds["fold"].unique()):
            labels = set(folds.loc[folds["fold"] != name, "label"])
            if len(labels) >= _FEWEST_CLASSES:
                judged.append(_predict_fold(model, numbered, name, labels, settings, seed=seed))
    finally:
        numbered.unpersist()
    if not judged:
        raise AerialError(
            "The probabilities cannot be calibrated: outside each part of the tiles there is one "
            "class only. Give more area or tiles."
        )
    found = pd.concat(judged)
    temperature = fit_temperature(
        np.array(found["class_probabilities"].tolist()),
        found["label"].tolist(),
        model.card.classes,
        independent=found["block_id"].nunique() or None,
    )
    return model.with_card(temperature=temperature)


def _folds(tiles: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Deal blocks, or tiles where there are none, to folds: ``image_id, label, fold``."""
    tiles = tiles.sort_values("image_id", ignore_index=True)
    units = tiles["block_id"].where(tiles["block_id"].notna(), tiles["image_id"])
    if tiles["block_id"].isna().all():
        order = np.random.default_rng(seed).permutation(len(tiles))
        # Class by class, so that each fold has its share of the rare ones.
        ranks = tiles.loc[order].groupby("label").cumcount().reindex(tiles.index)
        return tiles.assign(fold=("fold_" + (ranks % FOLDS + 1).astype(str)).astype(object))
    counts = pd.crosstab(units, tiles["label"])
    return tiles.assign(fold=units.map(assign_folds(counts, min(FOLDS, len(counts)), seed)))


def _predict_fold(
    model: TrainedModel,
    rows: DataFrame,
    fold: str,
    labels: set[str],
    settings: ClassifierSettings,
    *,
    seed: int,
) -> pd.DataFrame:
    """Predict a fold after learning on the others, which have the labels given.

    Returns
    -------
    pandas.DataFrame
        ``label, block_id, class_probabilities``.
    """
    classes = [name for name in model.card.classes if name in labels]
    known = rows.filter((F.col("fold") != fold) & F.col("label").isin(classes))
    found = predict_unseen(known, rows.filter(F.col("fold") == fold), settings, classes, seed)
    frame = found.select("label", "block_id", "class_probabilities").toPandas()
    # Tiles of a class that this fold's model could not learn say nothing of its probabilities.
    frame = frame[frame["label"].isin(classes)]
    columns = [model.card.classes.index(name) for name in classes]
    chances = np.zeros((len(frame), len(model.card.classes)))
    if len(frame):
        chances[:, columns] = np.array(frame["class_probabilities"].tolist())
    return frame.assign(class_probabilities=list(chances))
