"""Nodes that learn from all labelled cells, and find the accuracy by leaving blocks out."""

import logging
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.models.calibration import calibrate, cross_fit, evaluate_unseen
from aerial_kedro.models.comparison import LeftOutAccuracy
from aerial_kedro.models.few_labels import (
    FewLabelSettings,
    LabelledCells,
    choose_penalty,
    choose_units,
    predict_left_out,
)
from aerial_kedro.models.learning_curve import draw_learning_curve
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import LogisticRegressionSettings
from aerial_kedro.pipelines.training import nodes as tiles
from aerial_kedro.pipelines.training.nodes import Candidate, Choice

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelSample:
    """The labelled cells on the driver.

    Parameters
    ----------
    cells
        What is known of them, their labels, and what is left out together.
    frame
        ``image_id, label, block_id``, in the same order; a block is the unit that is left out.
    units
        ``blocks``, or ``tiles`` where all labels lie in one block.
    """

    cells: LabelledCells
    frame: pd.DataFrame
    units: Literal["blocks", "tiles"]


def gather_labels(cell_sample: DataFrame) -> LabelSample:
    """Bring the labelled cells to the driver, 900 bytes each.

    Raises
    ------
    AerialError
        If all labels lie in one tile.
    """
    frame = (
        cell_sample.filter("teaches")
        .select("image_id", "label", "block_id", "features")
        .orderBy("image_id")
        .toPandas()
    )
    numbers = np.array(frame.pop("features").tolist(), dtype=np.float32)
    tile_ids = frame["image_id"].str.replace(r"(_\d{4})?#\d+$", "", regex=True)
    units, name = choose_units(frame["block_id"].tolist(), tile_ids.tolist())
    labels = frame["label"].to_numpy(dtype=object)
    cells = LabelledCells(numbers, labels, np.array(units, dtype=object))
    return LabelSample(cells, frame.assign(block_id=units), name)


def choose_label_penalty(
    labels: LabelSample, settings: FewLabelSettings, seed: int
) -> LogisticRegressionSettings:
    """Choose the penalty of the logistic regression that learns from all labels."""
    penalty = choose_penalty(labels.cells, settings, seed)
    LOGGER.info("Penalty: %g, chosen on %s left out", penalty, labels.units)
    return LogisticRegressionSettings(
        max_iter=settings.max_iter, reg_param=penalty, standardise=False, class_weights=False
    )


def leave_out_regression(
    candidate: Candidate, labels: LabelSample, settings: FewLabelSettings, seed: int
) -> Candidate:
    """Predict each label by logistic regression on other blocks, and calibrate on that."""
    if candidate.model is None:
        return candidate
    classes = candidate.model.card.classes
    found = predict_left_out(labels.cells, settings, classes, seed)
    unseen = labels.frame.loc[found.index, ["image_id", "block_id"]].join(found)
    unseen = unseen.assign(unit=unseen["block_id"]).reset_index(drop=True)
    return replace(candidate, model=calibrate(candidate.model, unseen), unseen=unseen)


def leave_out_forest(
    candidate: Candidate,
    labels: LabelSample,
    cell_sample: DataFrame,
    settings: FewLabelSettings,
    seed: int,
) -> Candidate:
    """Predict each label by forests on other blocks, and calibrate on that."""
    if candidate.model is None:
        return candidate
    units = cell_sample.sparkSession.createDataFrame(labels.frame[["image_id", "block_id"]])
    rows = cell_sample.filter("teaches").drop("block_id", "evaluated").join(units, "image_id")
    classes = candidate.model.card.classes
    unseen = cross_fit(rows, candidate.settings, classes, seed, folds=settings.folds)
    return replace(candidate, model=calibrate(candidate.model, unseen), unseen=unseen)


def choose_label_model(
    regression: Candidate, forest: Candidate, tile_catalog: DataFrame, seed: int
) -> tuple[TrainedModel, Choice]:
    """Choose the classifier that is better on blocks left out."""
    return tiles.choose_model(regression, forest, tile_catalog, seed, "labelled cells")


def evaluate_left_out(
    regression: Candidate,
    forest: Candidate,
    labels: LabelSample,
    choice: Choice,
    settings: FewLabelSettings,
    seed: int,
) -> LeftOutAccuracy:
    """Sum up what leaving blocks out has shown, and what fewer labels would have given."""
    models = {
        each.name: evaluate_unseen(each.unseen, each.trained.card.classes, seed)
        for each in (regression, forest)
        if each.unseen is not None
    }
    classes = sorted(set(labels.frame["label"]))
    found = LeftOutAccuracy(
        chosen=choice.name,
        reason=choice.reason,
        comparison=choice.comparison,
        models=models,
        labels=len(labels.frame),
        most_frequent=float(labels.frame["label"].value_counts(normalize=True).iloc[0]),
        units=labels.units,
        unit_count=labels.frame["block_id"].nunique(),
        folds=min(settings.folds, labels.frame["block_id"].nunique()),
        curve=draw_learning_curve(labels.cells, settings, classes, seed),
    )
    LOGGER.info("%s", found)
    return found
