"""Where a classifier of cells holds, on the embedded sample: whether what it says is true.

Reads a finished main job on the sample. Its truth says what is right in the cells of the test
blocks, which had no part in anything that is evaluated here:

* expected against observed accuracy, by tenths of the cells and by tenths of what is expected;
* each class left out of training in turn: the share of its cells that are flagged as outside or
  expected to be right less often than not (cells that the class covers by three quarters), and the
  same by the land cover in training blocks, by which choices were made;
* the flight of 2018 drawn anew with other light: lower sun, haze, and both with greener fields;
* the time that it takes, over that of scoring a cell and that of featurizing its tile.

Run it with ``make bench-applicability``, or ``python -m benchmarks.applicability --data DATA``. The
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import dataset
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from aerial_kedro.accuracy.calibration import scale_probabilities
from aerial_kedro.cells.describe import describe_cells
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.datasets.models import ModelStoreDataset
from aerial_kedro.features.featurize import featurize_batches
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.holding import Known, fit_applicability
from aerial_kedro.models.model import TrainedModel
from aerial_kedro.models.numbers import stack_numbers
from aerial_kedro.pipelines.training.applicability import parts_of_cells
from aerial_kedro.splits.folds import assign_folds
from aerial_kedro.tiles.reading import SOURCE_COLUMNS
from benchmarks.few_labels import read_tiles, read_truth
from benchmarks.light import LIGHTS, YEAR, featurize, fly

_UNMIXED = 0.99
_FOLDS = 3
_EVEN = 0.5


@dataclass(frozen=True)
class Ground:
    """The cells of test tiles, and those that were learned from.

    Parameters
    ----------
    model
        The run's classifier of cells.
    tiles
        All tiles with their cells' features.
    test, numbers
        ``image_id, true, answer`` of each cell of the test tiles, and what the classifier reads.
    known, learned
        ``label, fold, year, teaches, weight, measured`` of each cell of the training and validation
        blocks, and what the classifier reads.
    """

    model: TrainedModel
    tiles: pd.DataFrame
    test: pd.DataFrame
    numbers: np.ndarray
    known: pd.DataFrame
    learned: np.ndarray


def read_ground(data: Path, seed: int) -> Ground:
    """Read a finished main job."""
    model = ModelStoreDataset(path=str(data / "06_models/cells")).load()
    tiles = read_tiles(data, model.source.key)
    truth, names = read_truth(data, tiles)
    classes = np.array([*names, ""], dtype=object)
    truth["cell"] = truth["image_id"] + "#" + truth["number"].map("{:02d}".format)
    truth = truth.set_index("cell")
    ids, numbers = describe(tiles, model)
    test = truth.reindex(ids)[["true", "answer"]].apply(lambda each: classes[each.to_numpy()])
    sample = dataset.dataset(data / "05_model_input/cell_sample", format="parquet").to_table()
    cells = sample.to_pandas().query("split != 'test'").sort_values("image_id", ignore_index=True)
    counts = pd.crosstab(cells["block_id"], cells["label"])
    years = tiles.set_index("image_id")["year"]
    known = cells.assign(
        fold=cells["block_id"].map(assign_folds(counts, _FOLDS, seed)),
        year=years.reindex(cells["image_id"].str[:-3]).astype(str).to_numpy(),
        measured=cells["evaluated"] & (cells["purity"] >= _UNMIXED),
    )
    learned = stack_numbers(known.pop("features")).astype(np.float32)
    return Ground(model, tiles, test.reset_index(names="image_id"), numbers, known, learned)


def describe(tiles: pd.DataFrame, model: TrainedModel) -> tuple[list[str], np.ndarray]:
    """Describe the cells of the test tiles among others: their names and numbers."""
    inputs = model.card.cells
    assert inputs is not None
    ids: list[str] = []
    parts = []
    for _, group in tiles.groupby(["epsg", "year"]):
        rows = group.reset_index(drop=True)
        own = np.flatnonzero(rows["cell_split"] == "test")
        names = rows["image_id"].to_numpy()[own]
        ids += [f"{name}#{number:02d}" for name in names for number in range(COUNT)]
        found = describe_cells(rows, inputs)[own]
        parts.append(found.reshape(-1, found.shape[-1]))
    return ids, np.concatenate(parts)


def classify(ground: Ground, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predict cells by the run's classifier: classes and confidence."""
    card = ground.model.card
    found = ground.model.to_numpy().probabilities(numbers.astype(np.float64))
    chances = scale_probabilities(found, card.temperature)
    return np.array(card.classes, dtype=object)[chances.argmax(axis=1)], chances.max(axis=1)


def by_tenths(expected: np.ndarray, right: np.ndarray, tenth: np.ndarray) -> pd.DataFrame:
    """Compare mean expectation with what is right: a row a tenth."""
    frame = pd.DataFrame({"expected": expected, "right": right.astype(float), "tenth": tenth})
    found = frame.groupby("tenth").agg(
        expected=("expected", "mean"), right=("right", "mean"), cells=("right", "size")
    )
    return found.assign(points=100 * (found["expected"] - found["right"]).abs())


def measure_expected(ground: Ground) -> Iterator[tuple[str, float]]:
    """Compare what is expected with what is right in test blocks."""
    predicted, confidence = classify(ground, ground.numbers)
    applied = holds_of(ground).apply(ground.numbers, confidence)
    there = ground.test["true"].to_numpy() != ""
    right = (predicted == ground.test["true"].to_numpy())[there]
    expected, outside = applied.expected[there], applied.outside[there]
    ranks = pd.Series(expected).rank(method="first")
    ways = {
        "cells": np.asarray(pd.qcut(ranks, 10, labels=False)),
        "expectation": np.minimum((10 * expected).astype(int), 9),
    }
    for name, tenth in ways.items():
        table = by_tenths(expected, right, tenth)
        print(f"by tenths of {name}\n{table.round(3).to_string()}", flush=True)
        yield f"worst_tenth_of_{name}", float(table.query("cells >= 100")["points"].max())
    yield "right", float(right.mean())
    yield "expected", float(expected.mean())
    yield "outside", float(outside.mean())
    yield "right_outside", float(right[outside].mean())
    yield "right_inside", float(right[~outside].mean())


def holds_of(ground: Ground) -> Applicability:
    """Take where the run's model holds."""
    holds = ground.model.applicability
    if holds is None:
        raise SystemExit("The model of this run does not know where it holds: run the job again.")
    return holds


def measure_classes(ground: Ground, seed: int) -> Iterator[tuple[str, float]]:
    """Leave each class out of all training in turn, and look for its cells in test blocks."""
    for name in sorted(ground.model.card.classes):
        holds, model, temperature = learn_without(ground, name, seed)
        chances = scale_probabilities(model.predict_proba(ground.numbers), temperature)
        applied = holds.apply(ground.numbers, chances.max(axis=1))
        found = applied.outside | (applied.expected < _EVEN)
        taught = (ground.known["measured"] & (ground.known["label"] == name)).to_numpy()
        known = model.predict_proba(ground.learned[taught])
        sure = scale_probabilities(known, temperature).max(axis=1)
        seen = holds.apply(ground.learned[taught], sure)
        yield f"training_{name}", float((seen.outside | (seen.expected < _EVEN)).mean())
        of_class = (ground.test["answer"] == name).to_numpy()
        others = (ground.test["true"] != name).to_numpy()
        yield f"found_{name}", float(found[of_class].mean())
        yield f"found_{name}_mixed_too", float(found[(ground.test["true"] == name)].mean())
        yield f"outside_of_others_without_{name}", float(applied.outside[others].mean())


def learn_without(
    ground: Ground, name: str, seed: int
) -> tuple[Applicability, LogisticRegression, float]:
    """Learn all classes but one: where it holds, the classifier, and its temperature."""
    penalty = float(ground.model.card.settings.get("reg_param", 0.1))
    kept = (ground.known["label"] != name).to_numpy()
    known, numbers = ground.known[kept], ground.learned[kept]
    temperature = ground.model.card.temperature
    confidence, right = np.zeros(len(known)), np.zeros(len(known), dtype=bool)
    teaches, folds = known["teaches"].to_numpy(), known["fold"].to_numpy()
    labels, weights = known["label"].to_numpy(dtype=object), known["weight"].to_numpy()
    for fold in np.unique(folds):
        own = folds == fold
        model = fit(numbers, labels, weights, teaches & ~own, penalty)
        chances = scale_probabilities(model.predict_proba(numbers[own]), temperature)
        confidence[own] = chances.max(axis=1)
        right[own] = model.classes_[chances.argmax(axis=1)] == labels[own]
    inputs = ground.model.card.cells
    assert inputs is not None
    holds = fit_applicability(
        Known(
            numbers, labels, folds.astype(object), known["year"].to_numpy(dtype=object), teaches,
            weights, known["measured"].to_numpy(), right, confidence,
        ),
        parts_of_cells(inputs), penalty, seed,
    )  # fmt: skip
    assert holds is not None
    return holds, fit(numbers, labels, weights, teaches, penalty), temperature


def fit(
    numbers: np.ndarray, labels: np.ndarray, weights: np.ndarray, chosen: np.ndarray, penalty: float
) -> LogisticRegression:
    """Fit the classifier of cells as training does, by scikit-learn."""
    model = LogisticRegression(C=1 / (penalty * weights[chosen].sum()), max_iter=40, tol=1e-3)
    return model.fit(numbers[chosen], labels[chosen], sample_weight=weights[chosen])


def measure_light(ground: Ground, seed: int) -> Iterator[tuple[str, float]]:
    """Fly over the county anew in other light, and map the test blocks."""
    true = ground.test.set_index("image_id")["true"]
    for name, (flight, haze) in LIGHTS.items():
        with tempfile.TemporaryDirectory() as folder:
            scenes = fly(flight, haze, Path(folder), seed)
            tiles = featurize(ground.model.source, ground.tiles, scenes)
        ids, numbers = describe(tiles, ground.model)
        predicted, confidence = classify(ground, numbers)
        applied = holds_of(ground).apply(numbers, confidence)
        there = true.reindex(ids).to_numpy()
        right = (predicted == there)[there != ""]
        yield f"{name}: right", float(right.mean())
        yield f"{name}: expected", float(applied.expected[there != ""].mean())
        yield f"{name}: outside", float(applied.outside[there != ""].mean())


def measure_cost(ground: Ground, rounds: int) -> Iterator[tuple[str, float]]:
    """Time it, by turns with what scoring does of cells and with featurization, on one core."""
    tiles = ground.tiles[ground.tiles["cell_split"] == "test"]
    one = (tiles["epsg"] == tiles["epsg"].mode()[0]) & (tiles["year"] == YEAR)
    tiles = tiles[one].reset_index(drop=True)
    inputs, holds = ground.model.card.cells, holds_of(ground)
    assert inputs is not None
    numbers = describe_cells(tiles, inputs).reshape(len(tiles) * COUNT, -1)
    _, confidence = classify(ground, numbers)
    plain = ground.model.source
    table = pa.Table.from_pandas(tiles[SOURCE_COLUMNS], preserve_index=False)

    def score() -> None:
        described = describe_cells(tiles, inputs).reshape(len(tiles) * COUNT, -1)
        classify(ground, described)

    def run_network() -> None:
        for _ in featurize_batches(
            iter(table.to_batches()),
            network=plain.backbone.network_for(plain.choice.engine),
            input_size=plain.backbone.card.input_size, feature_key="cost",
            engine=plain.choice.engine, precision=plain.choice.precision, with_cells=True,
        ):  # fmt: skip
            pass

    runs: dict[str, Callable[[], object]] = {
        "apply": lambda: holds.apply(numbers, confidence),
        "score": score,
        "featurize": run_network,
    }
    took: dict[str, list[float]] = {name: [] for name in runs}
    with threadpool_limits(limits=1):
        for _ in range(rounds):
            for name, run in runs.items():
                start = time.process_time()
                run()
                took[name].append(time.process_time() - start)
    seconds = {name: statistics.median(each) for name, each in took.items()}
    yield "microseconds_a_tile", 1e6 * seconds["apply"] / len(tiles)
    yield "over_describing_and_classifying", seconds["apply"] / seconds["score"]
    yield "over_scoring_from_pixels", seconds["apply"] / (seconds["score"] + seconds["featurize"])


def main() -> None:
    """Print the figures, and as the last line all of them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--seed", type=int, default=1, help="of the folds and the refits")
    parser.add_argument("--county-seed", type=int, default=2017, help="of the sample")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    found = {}
    with threadpool_limits(limits=1, user_api="blas"):
        ground = read_ground(asked.data, asked.seed)
        for measured in (
            measure_expected(ground),
            measure_cost(ground, asked.rounds),
            measure_light(ground, asked.county_seed),
            measure_classes(ground, asked.seed),
        ):
            for name, value in measured:
                found[name] = value
                print(f"{name:44s} {value:.3f}", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
