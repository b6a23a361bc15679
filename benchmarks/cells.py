"""The map of cells on the embedded sample: how right it is, and what cells cost.

Reads the figures of a finished main job and measures featurization with cells (embedding,
statistics, near infrared) against the same network without, by turns, on one core: reading, engine,
statistics and Arrow, as a Spark worker does it.

Run it with ``make bench-cells``, or ``python -m benchmarks.cells --data DATA``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import dataset

from aerial_kedro.datasets.backbones import FeatureSourceDataset
from aerial_kedro.features.cell_projection import without_cells
from aerial_kedro.features.featurize import featurize_batches
from aerial_kedro.tiles.reading import SOURCE_COLUMNS

TILES = 256


def read_figures(data: Path) -> dict[str, Any]:
    """Read how right the maps are, the mean of the years where the truth is known."""
    metrics = json.loads((data / "08_reporting/metrics.json").read_text(encoding="utf-8"))
    cells = metrics["cells"]
    names = (
        "accuracy", "macro_f1", "tile_map_accuracy", "tiles_by_cells_pure", "tiles_by_cells_mixed",
        "area_error", "tile_map_area_error", "calibration_error", "tile_shares_error",
        "tile_map_shares_error",
    )  # fmt: skip
    found = {
        name: statistics.mean(each[name] for each in cells["truth"].values()) for name in names
    }
    covers = cells["land_cover"].values()
    return {
        **found,
        "points_above_tile_map": 100 * (found["accuracy"] - found["tile_map_accuracy"]),
        "area_error_ratio": found["area_error"] / found["tile_map_area_error"],
        "land_cover_accuracy": statistics.mean(each["accuracy"] for each in covers),
        "land_cover_macro_f1": statistics.mean(each["macro_f1"] for each in covers),
        "bytes_a_tile": cells["bytes_a_tile"],
    }


def measure_cost(data: Path, rounds: int) -> dict[str, float]:
    """Time featurization with cells over that without, the median of pairs."""
    source = FeatureSourceDataset(path=str(data / "06_models/backbone")).load()
    catalog = dataset.dataset(data / "03_primary/tile_catalog", format="parquet")
    tiles = catalog.head(TILES, columns=SOURCE_COLUMNS)
    plain = without_cells(source.backbone)
    common: dict[str, Any] = {
        "input_size": source.backbone.card.input_size,
        "engine": source.choice.engine,
        "precision": source.choice.precision,
    }
    runs = {
        "with": partial(
            featurize_batches, network=source.backbone.network_for(source.choice.engine),
            feature_key="with", with_cells=True, **common,
        ),
        "without": partial(
            featurize_batches, network=plain.network_for(source.choice.engine),
            feature_key="without", **common,
        ),
    }  # fmt: skip
    pairs = []
    for _ in range(rounds + 1):  # the first opens networks and files
        took = {name: _seconds(run, tiles) for name, run in runs.items()}
        pairs.append(took["with"] / took["without"])
    return {
        "time_with_cells_over_without": statistics.median(pairs[1:]),
        "spread": max(pairs[1:]) - min(pairs[1:]),
    }


def _seconds(run: Callable[..., Any], tiles: pa.Table) -> float:
    # Each call opens its network, since a worker keeps one only: what opens it is not counted.
    list(run(iter(tiles.slice(0, 2).to_batches())))
    start = time.process_time()
    for _ in run(iter(tiles.to_batches())):
        pass
    return time.process_time() - start


def main() -> None:
    """Print the figures, and as the last line all of them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    found = {**read_figures(asked.data), **measure_cost(asked.data, asked.rounds)}
    for name, value in found.items():
        print(f"{name:32s} {value:.3f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
