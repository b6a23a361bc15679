"""Training on the features of a large county: seconds and memory of each classifier.

Writes a table of labelled features as the pipeline `training` reads it (eight classes, about as
hard to tell apart as EuroSAT's ten: see `write_features`) and fits the classifiers with the
settings of `conf/base/training/parameters.yml` and with the 2017 sample's, from the table to the
fitted model, in a process of its own. The fit before them, on the first thousand rows, is not
counted: it is there for Spark's start.

Run it with ``make bench-training``, or ``python -m benchmarks.training --tiles 44000``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

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
from aerial_kedro.models.training import fit_stages
from benchmarks.processes import PROJECT, run_watched

TABLE = Path("05_model_input/labelled_features")
CLASSES = [f"class {number}" for number in range(8)]
DIMENSIONS = 64
ROWS_A_FILE = 2_000
FEW = 1_000
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


def fit_all() -> dict[str, float]:
    """Fit each classifier (in a process of its own): the seconds taken."""
    bootstrap_project(PROJECT)
    with KedroSession.create(PROJECT) as session:
        context = session.load_context()
        rows = context.catalog.load("labelled_features")
        forest = RandomForestSettings.model_validate(context.params["random_forest"])
        settings: dict[str, ClassifierSettings] = {
            "logistic_regression": LogisticRegressionSettings.model_validate(
                context.params["logistic_regression"]
            ),
            "random_forest": forest,
            "random_forest_of_2017": forest.model_copy(update=ORIGINAL_FOREST),
        }
        taken = {}
        for name, each in settings.items():
            fit_stages(rows.limit(FEW), each, CLASSES, SEED)
            start = time.perf_counter()
            fit_stages(rows, each, CLASSES, SEED)
            taken[f"{name}_s"] = round(time.perf_counter() - start, 1)
        spark.session().stop()
    return taken


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=44_000)
    parser.add_argument("--features", type=int, default=1_280)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(fit_all()))
        return
    with tempfile.TemporaryDirectory() as data:
        write_features(Path(data), arguments.tiles, arguments.features)
        found = run_watched("benchmarks.training", "--measure", data=data)
    figures = {
        "tiles": arguments.tiles,
        "features": arguments.features,
        "cores": len(os.sched_getaffinity(0)),
        **found,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
