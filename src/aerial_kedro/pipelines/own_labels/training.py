"""Nodes that learn from all labelled cells, and find the accuracy by leaving blocks out."""

import logging
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cells.drawing import Quotas
from aerial_kedro.errors import AerialError
from aerial_kedro.models.calibration import calibrate, evaluate_unseen
from aerial_kedro.models.comparison import LeftOutAccuracy
from aerial_kedro.models.few_labels import (
    NOTHING_TO_LEARN,
    FewLabelSettings,
    LabelledCells,
    choose_penalty,
    choose_units,
    predict_left_out,
    unite,
)
from aerial_kedro.models.learning_curve import draw_learning_curve
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.numbers import stack_numbers
from aerial_kedro.models.rows import Fold, open_rows
from aerial_kedro.models.settings import LogisticRegressionSettings
from aerial_kedro.pipelines.training import nodes as tiles
from aerial_kedro.pipelines.training.nodes import Candidate, Choice

LOGGER = logging.getLogger(__name__)
_FEWEST_CLASSES = 2


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


def weigh_alike(quotas: Quotas) -> Quotas:
    """Let every labelled cell count once: how often people labelled a class says nothing of it."""
    return quotas.model_copy(update={"weights": {}})


def gather_labels(
    cell_sample: DataFrame, tile_catalog: DataFrame, placed_labels: pd.DataFrame
) -> LabelSample:
    """Bring the labelled cells to the driver, 900 bytes each.

    Blocks that one polygon labels are left out together, and so are the years of a place: else a
    label would be tested by itself.

    Parameters
    ----------
    cell_sample
        `CELL_SAMPLE_COLUMNS`.
    tile_catalog
        Where the tiles are.
    placed_labels
        The rows of the file that label each cell: `labels.placing.PLACED_COLUMNS`.

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
    numbers = stack_numbers(frame.pop("features")).astype(np.float32)
    images = tile_catalog.filter("cell_labels is not null").selectExpr(
        "image_id as image", "tile_id", "lon", "lat", "xmax - xmin as size_m"
    )
    image, number = zip(*(each.rsplit("#", 1) for each in frame["image_id"]), strict=True)
    cells = pd.DataFrame({"image": image, "cell": np.array(number, dtype=int)}).merge(
        images.toPandas(), on="image", how="left"
    )
    shared = _shared(cells, placed_labels)
    groups = unite(shared, len(cells))
    blocks = pd.DataFrame({"cell": frame.index, "thing": "block " + frame["block_id"]})
    united = unite(pd.concat([shared, blocks]), len(cells))
    units, name = choose_units(united.tolist(), cells["tile_id"].tolist())
    names = np.array([str(each) for each in units], dtype=object)
    sample = LabelledCells(
        numbers, frame["label"].to_numpy(dtype=object), names, groups,
        cells[["lon", "lat", "size_m"]],
    )  # fmt: skip
    return LabelSample(sample, frame.assign(block_id=names), name)


def _shared(cells: pd.DataFrame, placed: pd.DataFrame) -> pd.DataFrame:
    """List what cells share with others: their place, and the rows of the file that label them."""
    places = cells["tile_id"] + "#" + cells["cell"].astype(str)
    rows = (
        cells.reset_index(names="position")
        .merge(placed[["image_id", "cell", "rows"]], left_on=["image", "cell"],
               right_on=["image_id", "cell"])
        .explode("rows")
    )  # fmt: skip
    of_rows = pd.DataFrame(
        {
            "cell": rows["position"].to_numpy(),
            "thing": ("row " + rows["rows"].astype(str)).to_numpy(),
        }
    )
    return pd.concat([pd.DataFrame({"cell": cells.index, "thing": places}), of_rows])


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
    classes = candidate.model.card.classes
    rows = cell_sample.filter("teaches").select("image_id", "label", "features", "weight")
    names = labels.cells.folds(settings.folds, seed)
    ids = labels.frame["image_id"]
    with open_rows(rows, candidate.settings) as opened:
        table = opened.table
        folds = {}
        for name in np.unique(names):
            known = labels.cells.known_without(names, name, settings.buffer_m)
            if len(set(labels.cells.labels[known])) >= _FEWEST_CLASSES:
                chosen = (ids[known], ids[names == name])
                folds[name] = Fold(*(table["image_id"].isin(each).to_numpy() for each in chosen))
        predicted = opened.predict_each(list(folds.values()), classes, seed)
    if not predicted:
        raise AerialError(NOTHING_TO_LEARN)
    parts = [each.assign(fold=name) for name, each in zip(folds, predicted, strict=True)]
    unseen = pd.concat(parts).drop(columns="weight")
    unseen = unseen.merge(labels.frame[["image_id", "block_id"]], on="image_id")
    unseen = unseen.sort_values("image_id", ignore_index=True)
    unseen = unseen.assign(unit=unseen["block_id"])
    return replace(candidate, model=calibrate(candidate.model, unseen), unseen=unseen)


def choose_label_model(
    regression: Candidate, forest: Candidate, tile_catalog: DataFrame, seed: int
) -> tuple[TrainedModel, Choice]:
    """Choose the classifier that is better on blocks left out."""
    # Cells teach here, and no tile: ground has a split, and tiles have none.
    ground = tile_catalog.withColumn("split", F.col("cell_split"))
    return tiles.choose_model(regression, forest, ground, seed, "labelled cells")


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
        groups=len(np.unique(labels.cells.groups)),
        most_frequent=float(labels.frame["label"].value_counts(normalize=True).iloc[0]),
        units=labels.units,
        unit_count=labels.frame["block_id"].nunique(),
        folds=min(settings.folds, labels.frame["block_id"].nunique()),
        curve=draw_learning_curve(labels.cells, settings, classes, seed),
    )
    LOGGER.info("%s", found)
    return found
