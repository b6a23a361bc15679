"""The map of cells on the embedded sample: how right it is, and what cells cost.

Reads the figures of a finished main job and measures featurization with cells (embedding,
statistics, near infrared) against the same network without, by turns, on one core: reading, engine,
statistics and Arrow, as a Spark worker does it.

A draft, the main job with gsd_m=2, is set beside it: how right its map is, and how many times as
many tiles a second it featurizes, by turns too. It is run first where it is not there yet.

Run it with ``make bench-cells``, or ``python -m benchmarks.cells --data DATA``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
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
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.tiles.reading import SOURCE_COLUMNS

TILES = 256
DRAFT_GSD_M = 2.0


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
    source, tiles = _source(data), _tiles(data)
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
    took = _by_turns(runs, tiles, rounds)
    pairs = [one / other for one, other in zip(took["with"], took["without"], strict=True)]
    return {
        "time_with_cells_over_without": statistics.median(pairs),
        "spread": max(pairs) - min(pairs),
    }


def run_draft(data: Path, draft: Path) -> None:
    """Run the main job with coarse pixels on the same sample, unless that is done."""
    if (draft / "08_reporting/metrics.json").exists():
        return
    sample = (data / "01_raw/sample").absolute()
    parameters = {
        "grain": "cell",
        "gsd_m": DRAFT_GSD_M,
        "scenes_root": sample / "scenes",
        "landcover_path": sample / "land_cover",
        "reference_root": sample / "truth",
    }
    given = ",".join(f"{name}={value}" for name, value in parameters.items())
    print(f"Running the main job with gsd_m={DRAFT_GSD_M:g} in {draft} …", flush=True)
    subprocess.run(
        [sys.executable, "-m", "kedro", "run", f"--params={given}"],
        env={**os.environ, "AERIAL_KEDRO_DATA": str(draft.absolute())},
        check=True,
    )


def measure_draft(data: Path, draft: Path, rounds: int) -> dict[str, float]:
    """Read how right the draft's map is, and time its featurization against the other's."""
    tiles = _tiles(data)
    runs = {
        name: partial(
            featurize_batches,
            network=source.backbone.network_for(source.choice.engine),
            input_size=source.backbone.card.input_size,
            feature_key=name,
            engine=source.choice.engine,
            precision=source.choice.precision,
            with_cells=True,
        )
        for name, source in (("fine", _source(data)), ("draft", _source(draft)))
    }
    took = _by_turns(runs, tiles, rounds)
    pairs = [one / other for one, other in zip(took["fine"], took["draft"], strict=True)]
    figures = read_figures(draft)
    return {
        **{f"draft_{name}": figures[name] for name in ("accuracy", "macro_f1")},
        "tiles_a_second": len(tiles) / statistics.median(took["fine"]),
        "draft_tiles_a_second": len(tiles) / statistics.median(took["draft"]),
        "draft_tiles_a_second_over": statistics.median(pairs),
        "draft_spread": max(pairs) - min(pairs),
    }


def _source(data: Path) -> FeatureSource:
    return FeatureSourceDataset(path=str(data / "06_models/backbone")).load()


def _tiles(data: Path) -> pa.Table:
    catalog = dataset.dataset(data / "03_primary/tile_catalog", format="parquet")
    return catalog.head(TILES, columns=SOURCE_COLUMNS)


def _by_turns(
    runs: dict[str, Callable[..., Any]], tiles: pa.Table, rounds: int
) -> dict[str, list[float]]:
    """Time each run once a round: seconds of the rounds."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):  # the first opens networks and files
        for name, run in runs.items():
            took[name].append(_seconds(run, tiles))
    return {name: seconds[1:] for name, seconds in took.items()}


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
    parser.add_argument("--draft", type=Path, default=Path("build/draft"), help="its data folder")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    run_draft(asked.data, asked.draft)
    found = {
        **read_figures(asked.data),
        **measure_cost(asked.data, asked.rounds),
        **measure_draft(asked.data, asked.draft, asked.rounds),
    }
    for name, value in found.items():
        print(f"{name:32s} {value:.3f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
