"""Nodes of the comparison; what trains and judges a model is the main job's."""

from __future__ import annotations

import logging
from dataclasses import replace

import pandas as pd
from pyspark.sql import DataFrame

from aerial_kedro.accuracy.ranking import ComparedModel, Ranking, accuracy_range, rank_models
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.engines import EngineChoice, measure_engine
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.pipelines.training.nodes import (
    Candidate,
    Choice,
    calibrate_candidate,
    validate_candidate,
)
from aerial_kedro.report.comparison import render_comparison
from aerial_kedro.report.run_facts import RunFacts
from aerial_kedro.tiles.records import CatalogFingerprint
from aerial_kedro.tracking.child_run import ChildRun

LOGGER = logging.getLogger(__name__)


def measure_backbone(backbone: Backbone, choice: EngineChoice, seed: int) -> float:
    """Measure what the network takes for a tile, in milliseconds on one thread.

    The time of featurization would not do: features that are there are not computed again.
    """
    return measure_engine(backbone, choice, seed)


def name_candidate(candidate: Candidate, name: str) -> Candidate:
    """Call a candidate by its whole name: backbone, classifier and setting."""
    return replace(candidate, name=name, model=_trained(candidate).with_card(name=name))


def calibrate_best(chosen: TrainedModel, seed: int, *parts: Candidate | DataFrame) -> TrainedModel:
    """Calibrate the model that was chosen; the others need no probabilities.

    Parameters
    ----------
    chosen
        Of the candidates.
    seed
        Of the folds.
    *parts
        The candidates, then as many tables of labelled features, each candidate's own.

    Returns
    -------
    TrainedModel
        Its card tells how good its probabilities are on validation as well.
    """
    candidates = parts[: len(parts) // 2]
    (number,) = (
        number
        for number, each in enumerate(candidates)
        if isinstance(each, Candidate) and each.name == chosen.card.name
    )
    candidate, rows = parts[number], parts[len(candidates) + number]
    if not isinstance(candidate, Candidate) or not isinstance(rows, DataFrame):
        raise TypeError("candidates come first, then as many tables")
    calibrated = calibrate_candidate(candidate, rows, seed)
    return _trained(validate_candidate(calibrated, rows, seed))


def describe_candidate(candidate: Candidate, backbone: Backbone, millis: float) -> ComparedModel:
    """Gather what is compared of a candidate that was judged on both splits.

    Parameters
    ----------
    candidate
        Called by its whole name.
    backbone
        Whose features it learned from.
    millis
        Of `measure_backbone`.
    """
    card = _trained(candidate).card
    if candidate.validation is None or candidate.test is None or candidate.seconds is None:
        raise ValueError(f"{candidate.name} was not judged on both splits")
    return ComparedModel(
        name=candidate.name,
        backbone=card.backbone,
        classifier=card.classifier,
        setting=candidate.name.rsplit(".", 1)[-1],
        settings=card.settings,
        n_features=backbone.card.n_features,
        training_tiles=card.training_tiles,
        seconds=candidate.seconds,
        milliseconds=millis,
        validation=candidate.validation,
        test=candidate.test,
    )


def rank(choice: Choice, *models: ComparedModel) -> Ranking:
    """Rank the models.

    Parameters
    ----------
    choice
        Made before any of them saw the test split.
    *models
        In the order in which the choice was made.
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


def list_runs(ranking: Ranking, fingerprint: CatalogFingerprint) -> list[ChildRun]:
    """List what the run history keeps of each model."""
    runs = []
    for each in ranking.models:
        model = each.model
        figures = {
            f"{split}.{figure}": float(getattr(found, figure))
            for split, found in (("validation", model.validation), ("test", model.test))
            for figure in ("accuracy", "macro_f1")
        }
        figures |= {"seconds.fit": model.seconds, "milliseconds.tile": model.milliseconds}
        parameters = {"backbone": model.backbone, "classifier": model.classifier}
        parameters |= {"setting": model.setting, "n_features": str(model.n_features)}
        parameters |= {f"{model.classifier}.{k}": str(v) for k, v in model.settings.items()}
        tags = {"data.fingerprint": fingerprint.digest, "rank": str(each.rank)}
        runs.append(ChildRun(model.name, parameters, figures, tags))
    return runs


def list_facts(ranking: Ranking, choice: Choice, fingerprint: CatalogFingerprint) -> dict[str, str]:
    """List what the comparison was about, for the tags of its run."""
    return {
        "data.fingerprint": fingerprint.digest,
        "data.images": str(fingerprint.images),
        "chosen": choice.name,
        "chosen.reason": choice.reason,
        "compared": str(len(ranking.models)),
    }


def draw_page(run_facts: RunFacts, ranking: Ranking, fingerprint: CatalogFingerprint) -> str:
    """Make the page."""
    return render_comparison(ranking, run_facts.created, fingerprint.digest, fingerprint.images)


def _trained(candidate: Candidate) -> TrainedModel:
    if candidate.model is None:
        raise ValueError(f"{candidate.name} was not trained")
    return candidate.model
