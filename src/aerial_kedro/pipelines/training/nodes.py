"""Nodes of training: fit, calibrate, choose out of fold, test once."""

import logging
import time
from dataclasses import dataclass, replace

import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.bootstrap import PairedComparison, compare_macro_f1
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.calibration import calibrate, cross_fit, evaluate_unseen
from aerial_kedro.models.comparison import ModelScores, TrainingSummary
from aerial_kedro.models.model import ModelCard, TrainedModel, find_tile_size
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.training import evaluate_majority, evaluate_model, fit_model

LOGGER = logging.getLogger(__name__)
BASELINE = "image_statistics"
TILES = "labelled tiles"  # mostly of one class: in the log, what accuracies are of


@dataclass(frozen=True)
class Candidate:
    """A classifier on its way through training.

    Parameters
    ----------
    name
        ``logistic_regression``, ``random_forest`` or the baseline ``image_statistics``.
    settings
        Settings of the classifier.
    model
        The fitted model; None where this run was not asked for it (parameter ``classifier``).
    seconds
        Time of the fit.
    unseen
        Predictions of training and validation tiles by fits without their fold, as `cross_fit`
        returns them; None before they are made, and of the baseline.
    """

    name: str
    settings: ClassifierSettings
    model: TrainedModel | None = None
    seconds: float | None = None
    unseen: pd.DataFrame | None = None

    @property
    def trained(self) -> TrainedModel:
        """The fitted model.

        Raises
        ------
        ValueError
            If it was not trained.
        """
        if self.model is None:
            raise ValueError(f"{self.name} was not trained")
        return self.model

    @property
    def validation(self) -> Evaluation | None:
        """Accuracy on the validation split."""
        return self.model.card.validation if self.model else None


@dataclass(frozen=True)
class Choice:
    """Which classifier was chosen, and why.

    Parameters
    ----------
    name
        Name of the classifier.
    settings
        Settings of the classifier.
    reason
        The reason in words.
    comparison
        The classifier against the next best; None where no other was trained.
    """

    name: str
    settings: ClassifierSettings
    reason: str
    comparison: PairedComparison | None = None


def fit_logistic_regression(
    labelled_features: DataFrame,
    classes: list[str],
    source: FeatureSource,
    settings: LogisticRegressionSettings,
    classifier: str,
    seed: int,
) -> Candidate:
    """Fit logistic regression, unless the run asked for another classifier only."""
    return _fit(
        "logistic_regression", labelled_features, classes, source, settings, classifier, seed
    )


def fit_random_forest(
    labelled_features: DataFrame,
    classes: list[str],
    source: FeatureSource,
    settings: RandomForestSettings,
    classifier: str,
    seed: int,
) -> Candidate:
    """Fit a random forest, unless the run asked for another classifier only."""
    return _fit("random_forest", labelled_features, classes, source, settings, classifier, seed)


def fit_image_statistics(
    labelled_features: DataFrame,
    classes: list[str],
    source: FeatureSource,
    settings: LogisticRegressionSettings,
    seed: int,
) -> Candidate:
    """Fit the baseline that knows nothing but plain statistics of each channel."""
    return _fit(BASELINE, labelled_features, classes, source, settings, "both", seed)


def _fit(
    name: str,
    labelled_features: DataFrame,
    classes: list[str],
    source: FeatureSource,
    settings: ClassifierSettings,
    requested: str,
    seed: int,
) -> Candidate:
    if requested not in {"both", name}:
        return Candidate(name, settings)
    rows = labelled_features.filter("split = 'train'")
    start = time.perf_counter()
    stages, count = fit_model(rows, settings, classes, seed)
    seconds = time.perf_counter() - start
    card = ModelCard(
        classifier=name,
        classes=classes,
        column=settings.column,
        feature_key=source.key,
        backbone=source.backbone.card.name,
        engine=source.choice.engine,
        precision=source.choice.precision,
        settings=settings.model_dump(),
        seed=seed,
        training_tiles=count,
    )
    return Candidate(name, settings, TrainedModel(stages, card, source), seconds)


def calibrate_candidate(candidate: Candidate, labelled_features: DataFrame, seed: int) -> Candidate:
    """Predict tiles out of fold, calibrate on that, and evaluate on the validation split.

    The candidate's classes stay as they are, whatever the temperature of its probabilities.
    """
    if candidate.model is None:
        return candidate
    seen = labelled_features.filter("split in ('train', 'validation')")
    unseen = cross_fit(seen, candidate.settings, candidate.model.card.classes, seed)
    calibrated = replace(candidate, model=calibrate(candidate.model, unseen), unseen=unseen)
    return validate_candidate(calibrated, labelled_features, seed)


def validate_candidate(
    candidate: Candidate, labelled_features: DataFrame, seed: int, units: str = TILES
) -> Candidate:
    """Evaluate a candidate on the validation split."""
    found = evaluate_candidate(candidate, labelled_features, "validation", seed, units=units)
    return replace(candidate, model=candidate.trained.with_card(validation=found))


def choose_model(
    logistic_regression: Candidate,
    random_forest: Candidate,
    tile_catalog: DataFrame,
    seed: int,
    units: str = "training and validation tiles",
) -> tuple[TrainedModel, Choice]:
    """Choose the candidate with the best macro-F1 on out-of-fold predictions; at a tie the first.

    The validation split alone is a handful of blocks. Out of fold, every training and validation
    block is predicted by a fit that has not seen it; the test split has no part in it.

    Parameters
    ----------
    logistic_regression, random_forest
        The candidates, calibrated.
    tile_catalog
        The tiles, whose size the model's card records.
    seed
        Seed of the bootstrap that says how sure the choice is.
    units
        What the candidates classify, in words.
    """
    ranked = sorted(
        (
            (each, each.unseen, evaluate_unseen(each.unseen, each.trained.card.classes, seed))
            for each in (logistic_regression, random_forest)
            if each.unseen is not None
        ),
        key=lambda each: -each[2].macro_f1,  # stable: at a tie the first
    )
    (best, unseen, score), *others = ranked
    where = (
        f"macro-F1 of {score.macro_f1:.3f} on {len(unseen):,} {units}, each predicted without its "
        "fold"
    )
    size = find_tile_size(tile_catalog.filter("split = 'train'"))
    sized = best.trained.with_tile_size(size)
    if not others:
        reason = f"{where}; no other was trained"
        return sized, Choice(best.name, best.settings, reason)
    other, its_unseen, its_score = others[0]
    found = compare_macro_f1(
        unseen["label"].tolist(),
        unseen["pred_label"].tolist(),
        its_unseen["pred_label"].tolist(),
        score.classes,
        unseen["unit"].tolist(),
        seed=seed,
    )
    reason = f"{where}, against {other.name} {its_score.macro_f1:.3f}; {found.certainty}"
    LOGGER.info("Chosen: %s, %s", best.name, reason)
    return sized, Choice(best.name, best.settings, reason, found)


def evaluate_on_test(
    logistic_regression: Candidate,
    random_forest: Candidate,
    image_statistics: Candidate,
    labelled_features: DataFrame,
    choice: Choice,
    seed: int,
    units: str = TILES,
) -> TrainingSummary:
    """Evaluate candidates and baselines once on the test split, after the choice without it."""
    models = {
        candidate.name: ModelScores(
            validation=candidate.validation,
            test=evaluate_candidate(candidate, labelled_features, "test", seed, choice, units),
            out_of_fold=evaluate_unseen(candidate.unseen, candidate.trained.card.classes, seed),
        )
        for candidate in (logistic_regression, random_forest)
        if candidate.validation and candidate.unseen is not None
    }
    baselines = {
        "majority": evaluate_majority(
            labelled_features.select("image_id", "label", "split", "block_id")
            .toPandas()
            .sort_values("image_id"),
            seed,
        ),
        BASELINE: evaluate_candidate(
            image_statistics, labelled_features, "test", seed, units=units
        ),
    }
    return TrainingSummary(
        chosen=choice.name,
        reason=choice.reason,
        comparison=choice.comparison,
        models=models,
        baselines=baselines,
    )


def evaluate_candidate(
    candidate: Candidate,
    labelled_features: DataFrame,
    split: str,
    seed: int,
    choice: Choice | None = None,
    units: str = TILES,
) -> Evaluation:
    """Evaluate a candidate on a split, with its probabilities once they are calibrated.

    Whether it is the ``choice``, and of which ``units`` the figures are, is in the log.

    Raises
    ------
    ValueError
        If it was not trained.
    """
    rows = labelled_features.filter(labelled_features["split"] == split)
    calibrated = candidate.unseen is not None
    found = evaluate_model(candidate.trained, rows, seed, with_probabilities=calibrated)
    name = (
        f"{candidate.name} (chosen)" if choice and choice.name == candidate.name else candidate.name
    )
    LOGGER.info(
        "%s, %s, %s: accuracy %.3f, macro-F1 %.3f",
        *(name, split, units, found.accuracy, found.macro_f1),
    )
    return found
