"""Where the chosen classifier holds: from the cells and tiles that it learned from."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from aerial_kedro.cells.describe import CellInputs
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.settings import LogisticRegressionSettings, RandomForestSettings
from aerial_kedro.pipelines.training.applicability import (
    find_applicability,
    find_cell_applicability,
    parts_of_cells,
)
from aerial_kedro.pipelines.training.nodes import Candidate, Choice
from tests.models import make_card, make_source

CLASSES = ["Forest", "Town", "Water"]
SETTINGS = LogisticRegressionSettings(max_iter=9, reg_param=0.1)
COMPONENTS = 2
INPUTS = CellInputs(scales=(1.0,) * COMPONENTS, infrared=False, means=(0.0,), deviations=(1.0,))
OWN, AROUND = slice(0, COMPONENTS), slice(COMPONENTS, 2 * COMPONENTS)


def make_rows(count: int = 600) -> pd.DataFrame:
    """Cells of three classes in nine blocks, twelve a tile, each class around its own place."""
    rng = np.random.default_rng(5)
    number = np.arange(count)
    label = rng.integers(0, 3, count)
    numbers = 8 * np.eye(3)[label][:, [0, 1, 2, 0, 1, 2, 0]] + rng.normal(size=(count, 7))
    return pd.DataFrame(
        {
            "image_id": [f"t{each // 12:03d}#{each % 12:02d}" for each in number],
            "label": np.array(CLASSES, dtype=object)[label],
            "purity": 1.0,
            "split": "train",
            "block_id": [f"b{each // 12 % 9}" for each in number],
            "features": numbers.tolist(),
            "weight": 1.0,
            "teaches": True,
        }
    )


def predicted(rows: pd.DataFrame) -> pd.DataFrame:
    """What folds made of them: nine in ten are right."""
    right = np.arange(len(rows)) % 10 != 0
    own = rows["label"].map(CLASSES.index).to_numpy()
    chances = np.full((len(rows), 3), 0.05)
    chances[np.arange(len(rows)), np.where(right, own, (own + 1) % 3)] = 0.9
    names = np.array(CLASSES, dtype=object)
    unit = rows["block_id"].fillna(rows["image_id"]).str[1:].astype(int)
    return rows[["image_id", "label", "block_id"]].assign(
        pred_label=names[chances.argmax(axis=1)],
        class_probabilities=list(chances),
        fold="fold_" + (unit % 3).astype(str),
    )


def chosen(rows: pd.DataFrame, **card: Any) -> tuple[TrainedModel, Candidate, Candidate, Choice]:
    source = make_source()
    model = TrainedModel((), make_card(source, classes=CLASSES, **card), source)
    regression = Candidate("logistic_regression", SETTINGS, model, unseen=predicted(rows))
    forest = Candidate("random_forest", RandomForestSettings(num_trees=1, max_depth=1))
    return model, regression, forest, Choice(regression.name, SETTINGS, "it is the only one")


def table(spark: SparkSession, rows: pd.DataFrame) -> DataFrame:
    schema = (
        "image_id string, label string, purity double, split string, block_id string, "
        "features array<double>, weight double, teaches boolean"
    )
    return spark.createDataFrame(
        list(rows.astype(object).itertuples(index=False, name=None)), schema
    )


def catalog(spark: SparkSession, rows: pd.DataFrame, kind: str = "window") -> DataFrame:
    tiles = sorted({each.split("#")[0] for each in rows["image_id"]})
    places = [(each, 2018, f"/{int(each[1:]) % 2}.tif", kind) for each in tiles]
    return spark.createDataFrame(places, "image_id string, year int, href string, kind string")


def test_cells_far_from_what_was_learned_are_outside(spark_session: SparkSession) -> None:
    rows = make_rows()
    found = find_cell_applicability(
        *chosen(rows, cells=INPUTS), table(spark_session, rows), catalog(spark_session, rows), 1
    ).applicability
    assert found is not None
    numbers, sure = np.array(rows["features"].tolist()), np.full(len(rows), 0.9)
    home, away = found.apply(numbers, sure), found.apply(numbers + 40, sure)
    assert home.outside.mean() < 0.25
    assert away.outside.all()
    assert home.expected.mean() == pytest.approx(0.9, abs=0.03)
    assert away.expected.mean() < 0.2


def test_the_cells_own_embedding_has_no_say_but_that_around_has(
    spark_session: SparkSession,
) -> None:
    rows = make_rows()
    found = find_cell_applicability(
        *chosen(rows, cells=INPUTS), table(spark_session, rows), catalog(spark_session, rows), 1
    ).applicability
    assert found is not None
    numbers = np.array(rows["features"].tolist())
    for part, matters in ((OWN, False), (AROUND, True)):
        moved = numbers.copy()
        moved[:, part] += 50
        assert np.allclose(found.measure(moved), found.measure(numbers)) != matters


def test_the_ground_around_and_the_bands_make_the_space() -> None:
    taken = [np.arange(7)[part.numbers] for part in parts_of_cells(INPUTS)]
    assert np.concatenate(taken).tolist() == [2, 3, 6]


def test_test_blocks_have_no_say(spark_session: SparkSession) -> None:
    rows = make_rows()
    # Of a tile and a block that are in a fold: only its split keeps it out.
    test = rows.assign(image_id="t000#47", split="test", label="Forest").head(1)
    test["features"] = [[99.0] * 7]
    both = pd.concat([rows, test])
    kept = [
        find_cell_applicability(
            *chosen(rows, cells=INPUTS), table(spark_session, each),
            catalog(spark_session, each), 1,
        ).applicability
        for each in (rows, both)
    ]  # fmt: skip
    assert kept[0] is not None
    assert kept[1] is not None
    np.testing.assert_array_equal(kept[0].references, kept[1].references)


def test_of_too_few_cells_it_is_not_known_and_the_log_says_so(
    spark_session: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    rows = make_rows(60)
    given = chosen(rows, cells=INPUTS)
    with caplog.at_level(logging.INFO):
        found = find_cell_applicability(
            *given, table(spark_session, rows), catalog(spark_session, rows), 1
        )
    assert found is given[0]
    assert "is not known: 60 cells were predicted out of fold, and at least 100" in caplog.text


@pytest.mark.parametrize("blocks", [True, False])
def test_tiles_with_blocks_and_without(spark_session: SparkSession, blocks: bool) -> None:
    rows = make_rows().assign(image_id=[f"t{number:03d}" for number in range(600)])
    rows = rows if blocks else rows.assign(block_id=None)
    model = find_applicability(
        *chosen(rows), table(spark_session, rows), catalog(spark_session, rows, "image"), 1
    )
    found = model.applicability
    assert found is not None
    numbers, sure = np.array(rows["features"].tolist()), np.full(len(rows), 0.9)
    assert found.axes.shape[0] == numbers.shape[1]
    assert found.apply(numbers, sure).outside.mean() < 0.25
    assert found.apply(numbers + 40, sure).outside.all()


def test_what_was_not_predicted_teaches_in_the_fold_of_its_block(
    spark_session: SparkSession,
) -> None:
    rows = make_rows()
    model, regression, forest, choice = chosen(rows, cells=INPUTS)
    # Of many cells few are predicted, and no water among them.
    few = predicted(rows[rows["label"] != "Water"])
    given = model, replace(regression, unseen=few), forest, choice
    found = find_cell_applicability(
        *given, table(spark_session, rows), catalog(spark_session, rows), 1
    ).applicability
    assert found is not None
    water = np.array(rows.loc[rows["label"] == "Water", "features"].tolist())
    assert found.apply(water, np.full(len(water), 0.9)).outside.mean() < 0.25


def test_folds_are_those_that_the_predictions_came_from(spark_session: SparkSession) -> None:
    rows = make_rows()
    model, regression, forest, choice = chosen(rows, cells=INPUTS)
    # One fold alone: nothing is measured from another.
    one = replace(regression, unseen=predicted(rows).assign(fold="fold_1"))
    found = find_cell_applicability(
        model, one, forest, choice, table(spark_session, rows), catalog(spark_session, rows), 1
    )
    assert found.applicability is None


def test_a_constant_feature_has_no_say(spark_session: SparkSession) -> None:
    rows = make_rows().assign(image_id=[f"t{number:03d}" for number in range(600)])
    constant = rows.assign(features=[[*each, 1234.567] for each in rows["features"]])
    plain, other = (
        find_applicability(
            *chosen(each), table(spark_session, each), catalog(spark_session, each, "image"), 1
        ).applicability
        for each in (rows, constant)
    )
    assert plain is not None
    assert other is not None
    assert not other.axes[-1].any()
    numbers = [np.array(each["features"].tolist()) for each in (rows, constant)]
    np.testing.assert_allclose(other.measure(numbers[1]), plain.measure(numbers[0]), atol=1e-3)


def test_tiles_of_a_class_that_was_not_learned_are_no_references(
    spark_session: SparkSession,
) -> None:
    rows = make_rows().assign(image_id=[f"t{number:03d}" for number in range(600)])
    model, *others = chosen(rows)
    known = model.with_card(classes=CLASSES[:2])
    found = find_applicability(
        known, *others, table(spark_session, rows), catalog(spark_session, rows, "image"), 1
    ).applicability
    assert found is not None
    water = np.array(rows.loc[rows["label"] == "Water", "features"].tolist())
    assert found.measure(water).min() > 0.2
