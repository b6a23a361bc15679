"""Classifiers of cells: how the penalty is chosen, and what probabilities are calibrated on."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from threadpoolctl import threadpool_info

from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import LogisticRegressionSettings, RandomForestSettings
from aerial_kedro.pipelines.cells import training
from aerial_kedro.pipelines.cells.training import CellClassifiers, calibrate_cells, choose_penalty
from aerial_kedro.pipelines.training.nodes import Candidate
from tests.models import make_card, make_source

WEAK, STRONG = 1e-4, 1.0
FOREST = RandomForestSettings(num_trees=2, max_depth=2)
SETTINGS = LogisticRegressionSettings(max_iter=9, reg_param=0.1, standardise=False)


def settings(*penalties: float) -> CellClassifiers:
    return CellClassifiers(reg_params=penalties, max_iter=200, random_forest=FOREST)


def sample(**changes: Any) -> pd.DataFrame:
    """Cells whose class one number tells, beside numbers that tell their block apart.

    Most cells of a block are of one class, so that a weak penalty learns blocks by heart.
    """
    rng = np.random.default_rng(6)
    blocks, cells, numbers = 24, 40, 60
    block = np.repeat(np.arange(blocks), cells)
    is_town = rng.random(len(block)) < np.where(rng.random(blocks) < 0.5, 0.05, 0.95)[block]
    signal = 3 * (np.where(is_town, 1.0, -1.0) + rng.normal(0, 1.5, len(block)))
    of_block = 0.5 * rng.normal(size=(blocks, numbers))[block]
    features = np.concatenate([signal[:, None], of_block], axis=1)
    return pd.DataFrame(
        {
            "image_id": [f"t#{number:04d}" for number in range(len(block))],
            "label": np.where(is_town, "Town", "Forest"),
            "purity": 1.0,
            "split": np.where(block % 4 == 3, "validation", "train"),
            "block_id": [f"b{number}" for number in block],
            "features": features.tolist(),
            "weight": 1.0,
            "teaches": True,
            "evaluated": True,
        }
    ).assign(**changes)


def table(spark: SparkSession, *parts: pd.DataFrame) -> DataFrame:
    schema = (
        "image_id string, label string, purity double, split string, block_id string, "
        "features array<double>, weight double, teaches boolean, evaluated boolean"
    )
    rows = pd.concat(parts).astype(object).itertuples(index=False, name=None)
    return spark.createDataFrame(list(rows), schema)


def reversed_labels(cells: pd.DataFrame) -> pd.Series:
    return cells["label"].map({"Town": "Forest", "Forest": "Town"})


def test_the_penalty_is_the_best_on_blocks_that_a_fit_has_not_seen(
    spark_session: SparkSession,
) -> None:
    found = choose_penalty(table(spark_session, sample()), settings(WEAK, STRONG), 1)
    assert found.reg_param == STRONG
    assert (found.max_iter, found.standardise, found.class_weights) == (200, False, False)


def test_where_cells_have_no_ground_in_common_the_weak_one_is_better(
    spark_session: SparkSession,
) -> None:
    """The same cells, each a block of its own in turn: what blocks are is what decides."""
    cells = sample()
    scattered = cells.assign(block_id=[f"b{number % 24}" for number in range(len(cells))])
    found = choose_penalty(table(spark_session, scattered), settings(WEAK, STRONG), 1)
    assert found.reg_param == WEAK


@pytest.mark.parametrize(
    "changes",
    [
        {"split": "test"},
        {"teaches": False, "evaluated": False},
    ],
)
def test_cells_that_neither_teach_nor_are_evaluated_have_no_say(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    cells = sample()
    others = cells.assign(image_id="o" + cells["image_id"], label=reversed_labels(cells), **changes)
    scores: list[dict[float, float]] = []
    original = training._scores

    def remember(*given: Any) -> dict[float, float]:
        scores.append(original(*given))
        return scores[-1]

    monkeypatch.setattr(training, "_scores", remember)
    for parts in ((cells,), (cells, others)):
        choose_penalty(table(spark_session, *parts), settings(WEAK, STRONG), 1)
    # Half would be right if the others taught or were counted; folds may be others.
    assert min(each[STRONG] for each in scores) > 0.7


def test_a_single_penalty_is_taken_as_it_is() -> None:
    assert choose_penalty(cast("DataFrame", None), settings(0.07), 1).reg_param == 0.07


def test_penalties_are_tried_on_one_thread(
    spark_session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def look(*_: Any) -> dict[float, float]:
        threads.update(
            each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
        )
        return {WEAK: 0.5}

    monkeypatch.setattr(training, "_scores", look)
    choose_penalty(table(spark_session, sample()[:9]), settings(WEAK, STRONG), 1)
    assert threads == {1}


class Recorded:
    """Stands for fits and evaluation, and remembers what they were given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        self.known: list[str] = []
        self.evaluated: list[str] = []
        monkeypatch.setattr(training, "cross_fit", self._cross_fit)
        monkeypatch.setattr(training, "calibrate", self._calibrate)
        monkeypatch.setattr(training.tiles, "validate_candidate", self._validate)

    def _cross_fit(self, seen: DataFrame, *_: Any) -> pd.DataFrame:
        rows = seen.select("image_id", "label").orderBy("image_id").toPandas()
        self.seen = rows["image_id"].tolist()
        return rows.assign(pred_label=np.roll(rows["label"], 1))

    def _calibrate(self, model: TrainedModel, known: pd.DataFrame) -> TrainedModel:
        self.known = known["image_id"].tolist()
        return model.with_card(temperature=2.0)

    def _validate(self, candidate: Candidate, cells: DataFrame, *_: object) -> Candidate:
        self.evaluated = [row["image_id"] for row in cells.select("image_id").collect()]
        return candidate


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


def candidate() -> Candidate:
    source = make_source()
    model = TrainedModel((), make_card(source, classes=["Forest", "Town"]), source)
    return Candidate("logistic_regression", SETTINGS, model)


def test_probabilities_are_calibrated_on_unmixed_cells_out_of_fold(
    spark_session: SparkSession, recorded: Recorded
) -> None:
    cells = sample().assign(purity=np.tile([0.98, 0.99, 1.0], 320))
    test = cells.assign(image_id="test" + cells["image_id"], split="test", evaluated=False)
    found = calibrate_cells(candidate(), table(spark_session, cells, test), 1)
    assert recorded.seen == cells["image_id"].tolist()
    assert recorded.known == cells.loc[cells["purity"] >= 0.99, "image_id"].tolist()
    assert found.trained.card.temperature == 2.0
    assert found.unseen is not None
    assert found.unseen["image_id"].tolist() == recorded.seen
    # What is evaluated are all cells drawn for that, not those that teach alone.
    assert sorted(recorded.evaluated) == recorded.seen


@pytest.mark.parametrize("fewest", ["cells", "classes"])
def test_where_unmixed_cells_are_few_or_lack_a_class_all_calibrate(
    spark_session: SparkSession, recorded: Recorded, fewest: str
) -> None:
    cells = sample(purity=0.8)
    unmixed = cells.index < 199 if fewest == "cells" else (cells["label"] == "Town").to_numpy()
    cells.loc[unmixed, "purity"] = 1.0
    assert unmixed.sum() > (100 if fewest == "cells" else 200)
    calibrate_cells(candidate(), table(spark_session, cells), 1)
    assert recorded.known == recorded.seen


def test_what_was_not_trained_is_handed_on() -> None:
    untrained = Candidate("random_forest", FOREST)
    assert calibrate_cells(untrained, cast("DataFrame", None), 1) is untrained
