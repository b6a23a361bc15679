"""Training on the features of a large county: seconds and memory of each classifier.

Writes a table of labelled features as the pipeline `training` reads it (eight classes, about as
hard to tell apart as EuroSAT's ten: see `write_features`) and fits the classifiers with the
settings of `conf/base/training/parameters.yml` and with the 2017 sample's, from the table to the
fitted model, in a process of its own. The fit before them, on the first thousand rows, is not
counted: it is there for Spark's start.

Then the same of cells: more rows of fewer numbers, with the settings of
`conf/base/cells/parameters.yml`.

Run it with ``make bench-training``, or ``python -m benchmarks.training --tiles 44000 --cells 0``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from aerial_kedro.cluster import spark
from aerial_kedro.models.settings import (
    ClassifierSettings,
    LogisticRegressionSettings,
    RandomForestSettings,
)
from aerial_kedro.models.training import fit_model
from aerial_kedro.pipelines.cells.training import CellClassifiers
from benchmarks.processes import PROJECT, run_watched

TABLE = Path("05_model_input/labelled_features")
CLASSES = [f"class {number}" for number in range(8)]
DIMENSIONS = 64
ROWS_A_FILE = 2_000
# Warms Java up, and is as much as fits of few rows, which need no Spark, do not take.
WARM_UP_BYTES = 80 * 2**20
SEED = 0
ORIGINAL_FOREST = {"num_trees": 20, "max_depth": 5, "min_instances_per_node": 1, "max_bins": 32}


def write_features(data: Path, tiles: int, features: int) -> None:
    """Write a table of labelled features, a file for every few thousand tiles.

    A tile is a point in few dimensions around its class's mean, and each feature a mixture of them,
    negative ones cut off: features hang together, as a network's do. With 3,600 of 6,000 tiles to
    learn from, scikit-learn's forests of 20 trees of depth 5 and of 60 of depth 12 are right in
    0.80 and 0.91 of the others and logistic regression in 0.97; of EuroSAT's features it was 0.82,
    0.92 and 0.96. Noise in each feature alone would be no fair measure of a forest's time: hardly a
    split would help.
    """
    rng = np.random.default_rng(SEED)
    means = rng.normal(scale=0.5, size=(len(CLASSES), DIMENSIONS))
    mixture = rng.normal(scale=DIMENSIONS**-0.5, size=(DIMENSIONS, features))
    (data / TABLE).mkdir(parents=True)
    for first in range(0, tiles, ROWS_A_FILE):
        count = min(ROWS_A_FILE, tiles - first)
        classes = rng.integers(0, len(CLASSES), count)
        points = means[classes] + rng.normal(size=(count, DIMENSIONS))
        noise = rng.normal(size=(count, features))
        values = np.maximum(points @ mixture + noise, 0).astype(np.float32)
        table = pa.table(
            {
                "image_id": [f"{first + row}" for row in range(count)],
                "label": [CLASSES[each] for each in classes],
                "split": ["train"] * count,
                "block_id": ["block"] * count,
                "features": pa.FixedSizeListArray.from_arrays(values.ravel(), features).cast(
                    pa.list_(pa.float32())
                ),
                "statistics": [[0.0]] * count,
            }
        )
        pq.write_table(table, data / TABLE / f"part-{first:06d}.parquet")
    (data / TABLE / "_SUCCESS").touch()


def settings_of(params: dict[str, Any], grain: str) -> dict[str, ClassifierSettings]:
    """List the settings to fit with, of tiles or of cells."""
    if grain == "cell":
        cells = CellClassifiers.model_validate(params["cells"]["classifiers"])
        return {
            "logistic_regression": LogisticRegressionSettings(
                max_iter=cells.max_iter,
                reg_param=cells.reg_params[0],
                standardise=False,
                class_weights=False,
            ),
            "random_forest": cells.random_forest,
        }
    forest = RandomForestSettings.model_validate(params["random_forest"])
    return {
        "logistic_regression": LogisticRegressionSettings.model_validate(
            params["logistic_regression"]
        ),
        "random_forest": forest,
        "random_forest_of_2017": forest.model_copy(update=ORIGINAL_FOREST),
    }


def fit_all(grain: str) -> dict[str, float]:
    """Fit each classifier (in a process of its own): the seconds taken."""
    bootstrap_project(PROJECT)
    with KedroSession.create(PROJECT) as session:
        context = session.load_context()
        rows = context.catalog.load("labelled_features")
        numbers = len(rows.select("features").first()["features"])
        warm_up = WARM_UP_BYTES // (8 * numbers)
        taken = {}
        for name, each in settings_of(context.params, grain).items():
            fit_model(rows.limit(warm_up), each, CLASSES, SEED)
            start = time.perf_counter()
            fit_model(rows, each, CLASSES, SEED)
            taken[f"{name}_s"] = round(time.perf_counter() - start, 1)
        spark.session().stop()
    return taken


def measure(grain: str, rows: int, numbers: int) -> dict[str, Any]:
    """Write a table and fit to it in a process of its own: seconds and memory."""
    with tempfile.TemporaryDirectory() as data:
        write_features(Path(data), rows, numbers)
        found = run_watched("benchmarks.training", "--measure", grain, data=data)
    return {f"{grain}s": rows, "features": numbers, **found}


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=44_000)
    parser.add_argument("--features", type=int, default=1_280)
    parser.add_argument("--cells", type=int, default=200_000)
    parser.add_argument("--cell-features", type=int, default=202)
    parser.add_argument("--measure", choices=["tile", "cell"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(fit_all(arguments.measure)))
        return
    figures: dict[str, Any] = {"cores": len(os.sched_getaffinity(0))}
    if arguments.tiles:
        figures |= measure("tile", arguments.tiles, arguments.features)
    if arguments.cells:
        figures["of_cells"] = measure("cell", arguments.cells, arguments.cell_features)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
