"""Cross-fitting: what a classifier makes of tiles it has not seen, and its calibration on them."""

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.calibration import fit_temperature
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.errors import AerialError
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.rows import Fold, open_rows
from aerial_kedro.models.settings import ClassifierSettings
from aerial_kedro.models.training import evaluate_predictions
from aerial_kedro.splits.folds import assign_folds

FOLDS = 3
_FEWEST_CLASSES = 2


def cross_fit(
    rows: DataFrame, settings: ClassifierSettings, classes: list[str], seed: int
) -> pd.DataFrame:
    """Predict every tile by a classifier that was fitted without the tile's fold.

    A validation split is a handful of blocks, and whether these are easy is chance. So the
    classifier is fitted once more without each of a few folds of whole blocks: what it predicts of
    them says how good it is on blocks that it has not seen, and its probabilities are calibrated
    on them.

    Parameters
    ----------
    rows
        The training and validation splits: ``image_id, label, block_id`` and the settings' column.
        Where blocks are not known, folds are of tiles. Perhaps ``weight``, see `fit_model`, and
        bool ``teaches`` and ``evaluated``: the rows to learn from, and to predict; else all.
    settings
        Settings of the classifier.
    classes
        Class names; the order of the probabilities.
    seed
        Seed of the folds and of the classifier.

    Returns
    -------
    pandas.DataFrame
        One row a tile, by ``image_id``: ``image_id, label, block_id, pred_label``;
        ``class_probabilities`` in the order of ``classes``; ``learned``, whether the fold's model
        learned from tiles of that label; ``fold``; ``unit``, the block, or the tile itself where
        blocks are not known.

    Raises
    ------
    AerialError
        If no fold leaves two classes to learn.
    """
    given = [each for each in ("weight", "teaches", "evaluated") if each in rows.columns]
    needed = rows.select("image_id", "label", "block_id", settings.column, *given)
    with open_rows(needed, settings) as opened:
        table = opened.table
        folded = fold_tiles(table, seed)
        teaches, evaluated = (
            (table[name] if name in table else pd.Series(data=True, index=table.index)).to_numpy()
            for name in ("teaches", "evaluated")
        )
        folds = {}
        for name in sorted(folded["fold"].unique()):
            own = (folded["fold"] == name).to_numpy()
            fold = Fold(~own & teaches, own & evaluated)
            learned = set(table.loc[fold.known, "label"]) & set(classes)
            if len(learned) >= _FEWEST_CLASSES:
                folds[name] = fold
        predicted = opened.predict_each(list(folds.values()), classes, seed)
    if not predicted:
        raise AerialError(
            "The probabilities cannot be calibrated: outside each part of the tiles there is one "
            "class only. Give more area or tiles."
        )
    parts = [each.assign(fold=name) for name, each in zip(folds, predicted, strict=True)]
    columns = ["image_id", "label", "block_id", "pred_label", "class_probabilities", "learned"]
    found = pd.concat(parts)[[*columns, "fold"]].sort_values("image_id", ignore_index=True)
    return found.assign(unit=_units(found))


def evaluate_unseen(unseen: pd.DataFrame, classes: list[str], seed: int) -> Evaluation:
    """Evaluate the predictions of `cross_fit`; ``seed`` is that of the block bootstrap."""
    return evaluate_predictions(unseen, sorted({*classes, *unseen["label"]}), seed)


def calibrate(model: TrainedModel, unseen: pd.DataFrame) -> TrainedModel:
    """Fit the temperature of a model's probabilities to those of its cross-fit.

    It is the temperature that suits the predictions of all folds together (Platt 1999, section
    2.3, for one classifier; the ensemble of the folds is not kept).

    Parameters
    ----------
    model
        The model, not calibrated yet.
    unseen
        Predictions of the same classifier by `cross_fit`.
    """
    # Tiles of a class that a fold's model could not learn say nothing of its probabilities.
    tiles = unseen[unseen["learned"]]
    temperature = fit_temperature(
        np.array(tiles["class_probabilities"].tolist()),
        tiles["label"].tolist(),
        model.card.classes,
        independent=tiles["block_id"].nunique() or None,
    )
    return model.with_card(temperature=temperature)


def fold_tiles(tiles: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Assign blocks, or tiles where there are none, to folds.

    Parameters
    ----------
    tiles
        ``image_id, label, block_id``.
    seed
        Seed of the folds.

    Returns
    -------
    pandas.DataFrame
        The rows in order of ``image_id``, with ``fold``.
    """
    tiles = tiles.sort_values("image_id", ignore_index=True)
    if tiles["block_id"].isna().all():
        order = np.random.default_rng(seed).permutation(len(tiles))
        # Class by class, so that each fold has its share of the rare ones.
        ranks = tiles.loc[order].groupby("label").cumcount().reindex(tiles.index)
        return tiles.assign(fold=("fold_" + (ranks % FOLDS + 1).astype(str)).astype(object))
    units = _units(tiles)
    counts = pd.crosstab(units, tiles["label"])
    return tiles.assign(fold=units.map(assign_folds(counts, min(FOLDS, len(counts)), seed)))


def _units(tiles: pd.DataFrame) -> pd.Series:
    return tiles["block_id"].where(tiles["block_id"].notna(), tiles["image_id"])
