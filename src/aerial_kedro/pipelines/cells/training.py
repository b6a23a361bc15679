"""Nodes that fit classifiers of cells, by the code that classifiers of tiles use."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.cells.describe import CellInputs
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.models.calibration import FOLDS, calibrate, cross_fit
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.models.few_rows import fitting, inverse_penalty, run_each
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.numbers import stack_numbers
from aerial_kedro.models.settings import LogisticRegressionSettings, RandomForestSettings
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.pipelines.training import nodes as tiles
from aerial_kedro.pipelines.training.nodes import Candidate, Choice
from aerial_kedro.splits.folds import assign_folds

LOGGER = logging.getLogger(__name__)
# Cells by which a penalty is chosen; more would choose no better.
_CHOOSING = 10_000
# Land cover of a cell that shows one class only: where it shows two, its label may well be wrong.
_UNMIXED = 0.99
_FEWEST_UNMIXED = 200


class CellClassifiers(CheckedModel):
    """Settings of the classifiers of cells.

    Parameters
    ----------
    reg_params
        Penalties of the logistic regression to choose from, on blocks out of fold.
    max_iter
        Most iterations of the logistic regression.
    random_forest
        The forest.
    """

    reg_params: tuple[float, ...] = Field(min_length=1)
    max_iter: int = Field(gt=0)
    random_forest: RandomForestSettings


def list_cell_classes(cell_sample: DataFrame, classes: LandCoverClasses) -> list[str]:
    """List the classes that training cells teach, in the order of the class table."""
    found = cell_sample.groupBy("label").agg(
        F.count(F.when(F.expr("teaches and split = 'train'"), True)).alias("cells")
    )
    counted = {row["label"]: int(row["cells"]) for row in found.collect()}
    counts = {name: cells for name, cells in counted.items() if cells}
    LOGGER.info("Training cells: %s", dict(sorted(counts.items())))
    if unlearned := sorted(set(counted) - set(counts)):
        LOGGER.warning(
            "Only blocks of validation and test have cells of %s: the map cannot show them",
            ", ".join(unlearned),
        )
    return [name for name in classes.names if name in counts]


def choose_penalty(
    cell_sample: DataFrame, settings: CellClassifiers, seed: int
) -> LogisticRegressionSettings:
    """Choose the penalty of the logistic regression: the best macro-F1 out of fold.

    Folds are of whole blocks, of the training and validation splits. With the mean of its tile a
    cell shares numbers with its neighbours, and how much of that is to be believed shows on other
    blocks only.
    """
    scores = {}
    if len(settings.reg_params) > 1:
        cells = (
            cell_sample.filter("split in ('train', 'validation')")
            .orderBy(F.xxhash64("image_id", F.lit(seed)), "image_id")
            .limit(_CHOOSING)
            .select("label", "block_id", "features", "weight", "teaches", "evaluated")
            .toPandas()
        )
        numbers = stack_numbers(cells.pop("features")).astype(np.float32)
        with fitting():
            scores = _scores(cells, numbers, settings, seed)
        LOGGER.info(
            "Penalties: macro-F1 out of fold %s",
            ", ".join(f"{name:g}: {score:.3f}" for name, score in scores.items()),
        )
    best = max(scores, key=lambda each: scores[each]) if scores else settings.reg_params[0]
    return LogisticRegressionSettings(
        max_iter=settings.max_iter, reg_param=best, standardise=False, class_weights=False
    )


def _scores(
    cells: pd.DataFrame, numbers: np.ndarray, settings: CellClassifiers, seed: int
) -> dict[float, float]:
    """Macro-F1 of each penalty on the blocks that its fits have not seen."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score

    counts = pd.crosstab(cells["block_id"], cells["label"])
    folds = cells["block_id"].map(assign_folds(counts, min(FOLDS, len(counts)), seed)).to_numpy()
    teaches, evaluated = cells["teaches"].to_numpy(), cells["evaluated"].to_numpy()
    labels, weights = cells["label"].to_numpy(dtype=object), cells["weight"].to_numpy()

    def predict(fold: str) -> pd.DataFrame:
        known, unseen = teaches & (folds != fold), evaluated & (folds == fold)
        if len(set(labels[known])) < 2 or not unseen.any():  # noqa: PLR2004
            return pd.DataFrame()
        found: dict[str | float, np.ndarray] = {"label": labels[unseen]}
        # From the strongest on, each fit begins where the one before ended.
        model = LogisticRegression(max_iter=settings.max_iter, warm_start=True, tol=1e-3)
        for penalty in sorted(settings.reg_params, reverse=True):
            count = len(set(labels[known]))
            model.set_params(C=inverse_penalty(penalty, weights[known].sum(), count))
            model.fit(numbers[known], labels[known], sample_weight=weights[known])
            found[penalty] = model.predict(numbers[unseen])
        return pd.DataFrame(found)

    predicted = pd.concat(run_each(predict, list(np.unique(folds))))
    if not len(predicted):
        return {}
    return {
        penalty: float(f1_score(predicted["label"], predicted[penalty], average="macro"))
        for penalty in settings.reg_params
    }


def fit_cell_regression(
    cell_sample: DataFrame,
    classes: list[str],
    source: FeatureSource,
    inputs: CellInputs,
    settings: LogisticRegressionSettings,
    classifier: str,
    seed: int,
) -> Candidate:
    """Fit logistic regression to cells, unless the run asked for another classifier only."""
    teaching = _teaching(cell_sample)
    found = tiles.fit_logistic_regression(teaching, classes, source, settings, classifier, seed)
    return _of_cells(found, inputs)


def fit_cell_forest(
    cell_sample: DataFrame,
    classes: list[str],
    source: FeatureSource,
    inputs: CellInputs,
    settings: CellClassifiers,
    classifier: str,
    seed: int,
) -> Candidate:
    """Fit a random forest to cells, unless the run asked for another classifier only."""
    teaching = _teaching(cell_sample)
    forest = settings.random_forest
    found = tiles.fit_random_forest(teaching, classes, source, forest, classifier, seed)
    return _of_cells(found, inputs)


def fit_cell_statistics(
    cell_sample: DataFrame,
    classes: list[str],
    source: FeatureSource,
    settings: LogisticRegressionSettings,
    seed: int,
) -> Candidate:
    """Fit the baseline that knows nothing of a cell but the plain statistics of its bands."""
    teaching = _teaching(cell_sample)
    return tiles.fit_image_statistics(teaching, classes, source, settings, seed)


def _teaching(cell_sample: DataFrame) -> DataFrame:
    """Take the cells that classifiers learn from."""
    return cell_sample.filter("teaches and split = 'train'")


def _of_cells(candidate: Candidate, inputs: CellInputs) -> Candidate:
    if candidate.model is None:
        return candidate
    return replace(candidate, model=candidate.model.with_card(cells=inputs))


def calibrate_cells(candidate: Candidate, cell_sample: DataFrame, seed: int) -> Candidate:
    """Predict cells out of fold, calibrate on that, and evaluate on the validation split.

    The temperature is fitted on unmixed cells: where the land cover shows two classes in a cell,
    its larger one is a toss of a coin, which would make the probabilities too modest everywhere.
    """
    if candidate.model is None:
        return candidate
    seen = cell_sample.filter("split in ('train', 'validation')")
    unseen = cross_fit(seen, candidate.settings, candidate.model.card.classes, seed)
    unmixed = seen.filter(F.col("purity") >= _UNMIXED).select("image_id").toPandas()["image_id"]
    known = unseen[unseen["image_id"].isin(unmixed)]
    if len(known) < _FEWEST_UNMIXED or known["label"].nunique() < known["pred_label"].nunique():
        LOGGER.info(
            "Only %s cells are unmixed: probabilities are calibrated on mixed ones too",
            f"{len(known):,}",
        )
        known = unseen
    calibrated = replace(candidate, model=calibrate(candidate.model, known), unseen=unseen)
    return tiles.validate_candidate(calibrated, cell_sample.filter("evaluated"), seed, "cells")


def choose_cell_model(
    regression: Candidate,
    forest: Candidate,
    tile_catalog: DataFrame,
    tile_model: TrainedModel,
    seed: int,
) -> tuple[TrainedModel, Choice]:
    """Choose the classifier of cells as that of tiles is chosen.

    It proposes the name that the run's model of tiles was stored under, so that one ``model_name``
    stands for both.
    """
    model, choice = tiles.choose_model(
        regression, forest, tile_catalog, seed, "training and validation cells"
    )
    return model.with_card(name=tile_model.card.name), choice


def evaluate_cells_on_test(
    regression: Candidate,
    forest: Candidate,
    statistics: Candidate,
    cell_sample: DataFrame,
    choice: Choice,
    seed: int,
) -> TrainingSummary:
    """Evaluate classifiers and baselines once on cells of test blocks, pure and mixed."""
    evaluated = cell_sample.filter("evaluated")
    return tiles.evaluate_on_test(regression, forest, statistics, evaluated, choice, seed, "cells")
