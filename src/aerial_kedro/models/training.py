"""Fitting classifiers, of few rows or many, and evaluating them on a split."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.errors import AerialError
from aerial_kedro.models.model import Stages, TrainedModel
from aerial_kedro.models.rows import open_rows
from aerial_kedro.models.settings import ClassifierSettings


def fit_model(
    rows: DataFrame, settings: ClassifierSettings, classes: list[str], seed: int
) -> tuple[Stages, int]:
    """Fit a classifier, on Spark where there are many rows.

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

    Returns
    -------
    tuple
        The fitted stages, and how many rows they learned from.

    Raises
    ------
    AerialError
        If a class has no row.
    """
    own = ["weight"] if "weight" in rows.columns else []
    needed = rows.select("image_id", "label", settings.column, *own)
    with open_rows(needed, settings, is_shared=False) as opened:
        counts = opened.count_labels()
        missing = sorted(set(classes) - set(counts))
        if missing:
            raise AerialError(
                f"The classes {missing} have no training tile, so no model can learn them. Give "
                "more area or tiles, or exclude them (parameter `land_cover.excluded`)."
            )
        if unknown := sorted(set(counts) - set(classes)):
            raise ValueError(f"there are training rows of {unknown}, which are no class")
        return opened.fit({name: counts[name] for name in classes}, seed), sum(counts.values())


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
