"""Nodes of training: fit, calibrate, choose out of fold, test once."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame

from aerial_kedro.accuracy.baselines import majority_baseline
from aerial_kedro.accuracy.bootstrap import PairedComparison, compare_macro_f1
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.calibration import CrossFit, calibrate, cross_fit
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
    settings
        Settings of the classifier.
    model
        The fitted model; None where this run was not asked for it (parameter ``classifier``).
    seconds
        Time of the fit.
    unseen
        Predictions of training and validation tiles by fits without their fold; None before they
        are made, and of the baseline.
    """

    name: str
    settings: ClassifierSettings
    model: TrainedModel | None = None
    seconds: float | None = None
    unseen: CrossFit | None = None

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


def validate_candidate(candidate: Candidate, labelled_features: DataFrame, seed: int) -> Candidate:
    """Evaluate a candidate on the validation split."""
    if candidate.model is None:
        return candidate
    rows = labelled_features.filter("split = 'validation'")
    calibrated = candidate.unseen is not None
    found = evaluate_model(candidate.model, rows, seed, with_probabilities=calibrated)
    _log(candidate.name, "validation", found)
    return replace(candidate, model=candidate.model.with_card(validation=found))


def choose_model(
    logistic_regression: Candidate, random_forest: Candidate, tile_catalog: DataFrame, seed: int
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
    """
    trained = [
        (candidate, candidate.model, candidate.unseen, candidate.unseen.evaluate(seed).macro_f1)
        for candidate in (logistic_regression, random_forest)
        if candidate.model and candidate.unseen
    ]
    ranked = sorted(trained, key=lambda each: -each[3])  # stable: at a tie the first
    (best, model, unseen, score), *others = ranked
    where = f"macro-F1 of {score:.3f} on {len(unseen.tiles):,} training and validation tiles, each "
    where += "predicted without its fold"
    size = find_tile_size(tile_catalog.filter("split = 'train'"))
    sized = model.with_card(tile_size_m=size)
    if not others:
        reason = f"{where}; no other was trained"
        return sized, Choice(best.name, best.settings, reason)
    other, _, its_unseen, its_score = others[0]
    found = compare_macro_f1(
        unseen.tiles["label"].tolist(),
        unseen.tiles["pred_label"].tolist(),
        its_unseen.tiles["pred_label"].tolist(),
        sorted({*unseen.classes, *unseen.tiles["label"]}),
        unseen.blocks,
        seed=seed,
    )
    reason = f"{where}, against {other.name} {its_score:.3f}; {describe_certainty(found)}"
    LOGGER.info("Chosen: %s, %s", best.name, reason)
    return sized, Choice(best.name, best.settings, reason, found)


def describe_certainty(found: PairedComparison) -> str:
    """Describe in words how sure it is that the first of two classifiers is the better.

    Examples
    --------
    >>> from aerial_kedro.accuracy.interval import Interval
    >>> spread = Interval(lower=-0.004, upper=0.021)
    >>> describe_certainty(
    ...     PairedComparison(difference=0.009, interval=spread, ahead=0.82, blocks=30, tiles=700)
    ... )
    'it is ahead in 82 % of resamples of 30 blocks (difference 95 % interval -0.004 to +0.021)'
    """
    if found.interval is None or found.ahead is None:
        return "how sure that is cannot be said, since all tiles lie in one block"
    spread = f"{found.interval.lower:+.3f} to {found.interval.upper:+.3f}"
    return (
        f"it is ahead in {found.ahead:.0%} of resamples of {found.blocks:,} blocks "
        f"(difference 95 % interval {spread})"
    ).replace("%", " %", 1)


def evaluate_on_test(
    logistic_regression: Candidate,
    random_forest: Candidate,
    image_statistics: Candidate,
    labelled_features: DataFrame,
    choice: Choice,
    seed: int,
) -> TrainingSummary:
    """Evaluate candidates and baselines once on the test split, after the choice without it."""
    models = {
        candidate.name: ModelScores(
            validation=candidate.validation,
            test=evaluate_candidate(candidate, labelled_features, choice, seed),
            out_of_fold=candidate.unseen.evaluate(seed),
        )
        for candidate in (logistic_regression, random_forest)
        if candidate.validation and candidate.unseen
    }
    baselines = {
        "majority": _evaluate_majority(labelled_features, seed),
        BASELINE: evaluate_candidate(image_statistics, labelled_features, choice, seed),
    }
    return TrainingSummary(
        chosen=choice.name,
        reason=choice.reason,
        comparison=choice.comparison,
        models=models,
        baselines=baselines,
    )


def evaluate_candidate(
    candidate: Candidate, labelled_features: DataFrame, choice: Choice, seed: int
) -> Evaluation:
    """Evaluate a candidate on the test split.

    Raises
    ------
    ValueError
        If it was not trained.
    """
    if candidate.model is None:
        raise ValueError(f"{candidate.name} was not trained")
    rows = labelled_features.filter("split = 'test'")
    calibrated = candidate.unseen is not None
    found = evaluate_model(candidate.model, rows, seed, with_probabilities=calibrated)
    _log(f"{candidate.name}{' (chosen)' if candidate.name == choice.name else ''}", "test", found)
    return found


def _evaluate_majority(labelled_features: DataFrame, seed: int) -> Evaluation:
    """Evaluate the answer that is always the commonest class."""
    frame = labelled_features.select("label", "split", "block_id").toPandas()
    training, test = (frame[frame["split"] == name] for name in ("train", "test"))
    return majority_baseline(
        training["label"].tolist(),
        test["label"].tolist(),
        sorted({*training["label"], *test["label"]}),
        blocks=test["block_id"].tolist() if test["block_id"].notna().all() else None,
        seed=seed,
    )


def _log(name: str, split: str, found: Evaluation) -> None:
    LOGGER.info("%s, %s: accuracy %.3f, macro-F1 %.3f", name, split, found.accuracy, found.macro_f1)
