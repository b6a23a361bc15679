"""Nodes of the comparison; what trains and evaluates a model is the main job's."""

import logging
from dataclasses import replace

import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.ranking import ComparedModel, Ranking, accuracy_range, rank_models
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.models.model import TrainedModel, find_tile_size
from aerial_kedro.pipelines.training.nodes import (
    Candidate,
    Choice,
    calibrate_candidate,
    evaluate_candidate,
    validate_candidate,
)
from aerial_kedro.report.content import RunFacts
from aerial_kedro.tiles.records import CatalogFingerprint
from aerial_kedro.tracking.record import ChildRun, RunRecord

LOGGER = logging.getLogger(__name__)


def validate(candidate: Candidate, labelled_features: DataFrame, name: str, seed: int) -> Candidate:
    """Evaluate a candidate on validation under its whole name: backbone, classifier, setting."""
    named = replace(candidate, name=name, model=candidate.trained.with_card(name=name))
    return validate_candidate(named, labelled_features, seed)


def choose_on_validation(*candidates: Candidate) -> Choice:
    """Choose the candidate with the best macro-F1 on validation; at a tie the first.

    Predictions out of fold, by which the main job chooses between two, would take three more fits
    of every model of the grid.
    """
    scored = [(each, each.validation.macro_f1) for each in candidates if each.validation]
    best, score = max(scored, key=lambda each: each[1])
    others = [f"{other.name} {value:.3f}" for other, value in scored if other is not best]
    reason = f"macro-F1 of {score:.3f} on validation" + (
        f", against {', '.join(others)}" if others else "; no other was trained"
    )
    return Choice(best.name, best.settings, reason)


def calibrate_best(
    choice: Choice, tile_catalog: DataFrame, seed: int, *parts: Candidate | DataFrame
) -> TrainedModel:
    """Calibrate the model that was chosen; the others need no probabilities.

    Parameters
    ----------
    choice
        The choice among the candidates.
    tile_catalog
        The tiles, whose size the model's card records.
    seed
        Seed of the folds.
    *parts
        The candidates, then as many tables of labelled features, each candidate's own.

    Returns
    -------
    TrainedModel
        Its card says how good its probabilities are on validation as well.
    """
    candidates, tables = parts[: len(parts) // 2], parts[len(parts) // 2 :]
    for candidate, rows in zip(candidates, tables, strict=True):
        if not isinstance(candidate, Candidate) or not isinstance(rows, DataFrame):
            raise TypeError("candidates come first, then as many tables")
        if candidate.name == choice.name:
            model = calibrate_candidate(candidate, rows, seed).trained
            size = find_tile_size(tile_catalog.filter("split = 'train'"))
            return model.with_tile_size(size)
    raise ValueError(f"{choice.name} is none of the candidates")


def evaluate(
    candidate: Candidate,
    labelled_features: DataFrame,
    choice: Choice,
    source: FeatureSource,
    millis: float,
    seed: int,
) -> ComparedModel:
    """Evaluate a candidate on the test split, after the choice, and gather what is compared.

    Parameters
    ----------
    candidate
        The candidate, under its whole name.
    labelled_features
        Its tiles.
    choice
        The choice, made without the test split.
    source
        What computed its features.
    millis
        Milliseconds a tile, of `measure_engine`.
    seed
        Seed of the block bootstrap.
    """
    card = candidate.trained.card
    if candidate.validation is None or candidate.seconds is None:
        raise ValueError(f"{candidate.name} was not evaluated on validation")
    return ComparedModel(
        name=candidate.name,
        backbone=card.backbone,
        classifier=card.classifier,
        setting=candidate.name.rsplit(".", 1)[-1],
        settings=card.settings,
        n_features=source.backbone.card.n_features,
        training_tiles=card.training_tiles,
        seconds=candidate.seconds,
        milliseconds=millis,
        validation=candidate.validation,
        test=evaluate_candidate(candidate, labelled_features, "test", seed, choice),
    )


def rank(choice: Choice, *models: ComparedModel) -> Ranking:
    """Rank the models.

    Parameters
    ----------
    choice
        The choice, made before any of them saw the test split.
    *models
        The models, in the order in which the choice was made.
    """
    ranking = rank_models(models)
    if ranking.best.name != choice.name:
        raise ValueError(f"{choice.name} was chosen and {ranking.best.name} is ranked first")
    LOGGER.info("Best of %d models: %s, %s", len(models), choice.name, choice.reason)
    for remark in ranking.remarks:
        LOGGER.warning("%s", remark)
    return ranking


def tabulate(ranking: Ranking) -> pd.DataFrame:
    """Make a table, a row for each model, the best one first."""
    rows = []
    for each in ranking.models:
        model = each.model
        row: dict[str, object] = {
            "rank": each.rank,
            **model.model_dump(include={"backbone", "classifier", "setting", "n_features"}),
        }
        for split, found in (("validation", model.validation), ("test", model.test)):
            spread = accuracy_range(found)
            row |= {
                f"{split}_macro_f1": found.macro_f1,
                f"{split}_accuracy": found.accuracy,
                f"{split}_accuracy_lower": spread.lower,
                f"{split}_accuracy_upper": spread.upper,
                f"{split}_tiles": found.n,
            }
        row |= {"seconds_to_fit": model.seconds, "milliseconds_per_tile": model.milliseconds}
        rows.append(row)
    return pd.DataFrame(rows)


def record_run(ranking: Ranking, choice: Choice, fingerprint: CatalogFingerprint) -> RunRecord:
    """List what the run history keeps: a run of its own for each model, and what was compared."""
    children = []
    for each in ranking.models:
        model = each.model
        metrics = {
            f"{split}.{figure}": float(getattr(found, figure))
            for split, found in (("validation", model.validation), ("test", model.test))
            for figure in ("accuracy", "macro_f1")
        }
        metrics |= {"seconds.fit": model.seconds, "milliseconds.tile": model.milliseconds}
        parameters = {"backbone": model.backbone, "classifier": model.classifier}
        parameters |= {"setting": model.setting, "n_features": str(model.n_features)}
        parameters |= {f"{model.classifier}.{k}": str(v) for k, v in model.settings.items()}
        tags = {"data.fingerprint": fingerprint.digest, "rank": str(each.rank)}
        children.append(
            ChildRun(name=model.name, parameters=parameters, metrics=metrics, tags=tags)
        )
    tags = {
        "data.fingerprint": fingerprint.digest,
        "data.images": str(fingerprint.images),
        "chosen": choice.name,
        "chosen.reason": choice.reason,
        "compared": str(len(ranking.models)),
    }
    return RunRecord(tags=tags, children=children)


def draw_page(run_facts: RunFacts, ranking: Ranking, fingerprint: CatalogFingerprint) -> str:
    """Make the page."""
    from aerial_kedro.report.comparison import render_comparison  # noqa: PLC0415  (loads slowly)

    return render_comparison(ranking, run_facts.created, fingerprint.digest, fingerprint.images)
