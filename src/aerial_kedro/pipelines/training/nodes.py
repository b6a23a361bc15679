"""Nodes of training: fit, choose on validation, test once."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame

from aerial_kedro.accuracy.baselines import majority_baseline
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.calibration import calibrate
from aerial_kedro.models.comparison import ModelScores, TrainingSummary
from aerial_kedro.models.model import ModelCard, TrainedModel, find_tile_size
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.training import evaluate_model, fit_stages

LOGGER = logging.getLogger(__name__)
BASELINE = "image_statistics"


@dataclass(frozen=True)
class Candidate:
    """A classifier on its way through training.

    Parameters
    ----------
    name
        ``logistic_regression``, ``random_forest`` or the baseline ``image_statistics``.
    model
        Fitted; None where this run was not asked for it (parameter ``classifier``).
    settings
        Of the classifier; None with no model.
    test
        Its accuracy on the test split, once the choice is made.
    seconds
        What the fit took.
    calibrated
        Whether its probabilities are worth judging.
    """

    name: str
    model: TrainedModel | None
    settings: ClassifierSettings | None = None
    test: Evaluation | None = None
    seconds: float | None = None
    calibrated: bool = False

    @property
    def validation(self) -> Evaluation | None:
        """Its accuracy on the validation split."""
        return self.model.card.validation if self.model else None


@dataclass(frozen=True)
class Choice:
    """Which classifier was chosen, and why.

    Parameters
    ----------
    name
        The classifier.
    reason
        In words.
    """

    name: str
    reason: str


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
        return Candidate(name, model=None)
    rows = labelled_features.filter("split = 'train'")
    start = time.perf_counter()
    stages = fit_stages(rows, settings, classes, seed)
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
        training_tiles=rows.count(),
    )
    return Candidate(name, TrainedModel(stages, card, source), settings, seconds=seconds)


def calibrate_candidate(candidate: Candidate, labelled_features: DataFrame, seed: int) -> Candidate:
    """Calibrate a candidate's probabilities; its classes stay as they are."""
    if candidate.model is None or candidate.settings is None:
        return candidate
    seen = labelled_features.filter("split in ('train', 'validation')")
    calibrated = calibrate(candidate.model, seen, candidate.settings, seed)
    return replace(candidate, model=calibrated, calibrated=True)


def validate_candidate(candidate: Candidate, labelled_features: DataFrame, seed: int) -> Candidate:
    """Judge a candidate on the validation split."""
    if candidate.model is None:
        return candidate
    rows = labelled_features.filter("split = 'validation'")
    found = evaluate_model(candidate.model, rows, seed, with_probabilities=candidate.calibrated)
    LOGGER.info(
        "%s, validation: accuracy %.3f, macro-F1 %.3f",
        candidate.name, found.accuracy, found.macro_f1,
    )  # fmt: skip
    return replace(candidate, model=candidate.model.with_card(validation=found))


def choose_model(*candidates: Candidate) -> tuple[TrainedModel, Choice]:
    """Choose the candidate with the best macro-F1 on validation; at a tie the first."""
    trained = [
        (candidate.name, candidate.model, candidate.validation.macro_f1)
        for candidate in candidates
        if candidate.model and candidate.validation
    ]
    name, model, score = max(trained, key=lambda each: each[2])
    others = [f"{other} {value:.3f}" for other, _, value in trained if other != name]
    reason = f"macro-F1 of {score:.3f} on validation" + (
        f", against {', '.join(others)}" if others else "; no other was trained"
    )
    return model, Choice(name, reason)


def record_tile_size(model: TrainedModel, tile_catalog: DataFrame) -> TrainedModel:
    """Note on the model's card how large the tiles are that it learned from."""
    learned = tile_catalog.filter("split = 'train'")
    return model.with_card(tile_size_m=find_tile_size(learned))


def evaluate_on_test(
    candidate: Candidate, labelled_features: DataFrame, choice: Choice, seed: int
) -> Candidate:
    """Judge a candidate on the test split, after the choice was made without it."""
    if candidate.model is None:
        return candidate
    test = labelled_features.filter("split = 'test'")
    found = evaluate_model(candidate.model, test, seed, with_probabilities=candidate.calibrated)
    mark = " (chosen)" if candidate.name == choice.name else ""
    LOGGER.info(
        "%s%s, test: accuracy %.3f, macro-F1 %.3f",
        candidate.name, mark, found.accuracy, found.macro_f1,
    )  # fmt: skip
    return replace(candidate, test=found)


def evaluate_majority(labelled_features: DataFrame, classes: list[str], seed: int) -> Evaluation:
    """Judge the answer that is always the commonest class."""
    frame = labelled_features.select("label", "split", "block_id").toPandas()
    test = frame[frame["split"] == "test"]
    everything = sorted({*classes, *test["label"]})
    return majority_baseline(
        frame.loc[frame["split"] == "train", "label"].tolist(),
        test["label"].tolist(),
        everything,
        blocks=test["block_id"].tolist() if test["block_id"].notna().all() else None,
        seed=seed,
    )


def summarise_training(
    logistic_regression: Candidate,
    random_forest: Candidate,
    image_statistics: Candidate,
    majority: Evaluation,
    choice: Choice,
) -> TrainingSummary:
    """Gather what training found."""
    models = {
        candidate.name: ModelScores(validation=validation, test=candidate.test)
        for candidate in (logistic_regression, random_forest)
        if (validation := candidate.validation) and candidate.test
    }
    baselines = {"majority": majority}
    if image_statistics.test:
        baselines[BASELINE] = image_statistics.test
    return TrainingSummary(
        chosen=choice.name,
        reason=choice.reason,
        models=models,
        baselines=baselines,
    )
