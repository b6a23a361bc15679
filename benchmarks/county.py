"""A county of 67,000 tiles: from features to predictions, map, change and report.

The size is that of Middlesex County in the 2017 sample. A small embedded sample is drawn and run
whole; then its catalog and its features are laid side by side until there are enough places, all
of them pointing into the same few scenes. What is measured is `scoring` and
`reporting` on that, in a process of its own: seconds, and the peak memory of Java, of the driver's
Python and of the workers. (`featurization` would compute all anew: the embedding of cells is fitted
on tiles of another catalog.)

Run it with ``make bench-county``, or ``python -m benchmarks.county --tiles 67000``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pyproj import Transformer

from aerial_kedro.cluster import spark
from benchmarks.processes import PROJECT, run_watched

# A corner of the sample, large enough for blocks of every split.
SAMPLE: dict[str, Any] = {
    "sample_county": {"width_m": 4480, "height_m": 4480, "west_share": 0.2, "scene_rows": 1},
    "report": {"gallery_tiles": 4},
}
CATALOG, FEATURES = Path("03_primary/tile_catalog"), Path("04_feature/tile_features")
PIPELINES = ("scoring", "reporting")
STEP_CELLS = 24  # of the grid, from one copy of the sample to the next


def run_pipelines(*names: str | None) -> float:
    """Run pipelines one after another, as a user does; return the seconds taken."""
    start = time.perf_counter()
    for name in names:
        with KedroSession.create(PROJECT, runtime_params=SAMPLE) as session:
            session.run(pipeline_names=[name] if name else None)
        mlflow.end_run()
    return time.perf_counter() - start


def enlarge(data: Path, tiles: int) -> int:
    """Lay copies of the catalog and its features side by side; return the number of tiles."""
    catalog = pq.read_table(data / CATALOG)
    features = pq.read_table(data / FEATURES)
    frame = catalog.select(["xmin", "xmax", "ymin", "ymax", "epsg"]).to_pandas()
    zone = int(frame["epsg"].mode().iloc[0])
    own = pa.array((frame["epsg"] == zone).to_numpy())
    catalog, frame = catalog.filter(own), frame[frame["epsg"] == zone]
    step = STEP_CELLS * float((frame["xmax"] - frame["xmin"]).iloc[0])
    copies = -(-tiles // len(frame))
    side = int(np.ceil(np.sqrt(copies)))
    for table in (CATALOG, FEATURES):
        shutil.rmtree(data / table)
    (data / CATALOG).mkdir(parents=True)
    for number in range(copies):
        shift = (step * (number % side), step * (number // side))
        write_copy(data, catalog, features, number, shift)
    (data / CATALOG / "_SUCCESS").touch()
    return copies * len(frame)


def write_copy(
    data: Path, catalog: pa.Table, features: pa.Table, number: int, shift: tuple[float, float]
) -> None:
    """Write one copy: every name gets its number, every place is moved."""
    moved = catalog
    for column, by in zip(("xmin", "xmax", "ymin", "ymax"), np.repeat(shift, 2), strict=True):
        values = pa.array(catalog[column].to_numpy() + by)
        moved = moved.set_column(moved.column_names.index(column), column, values)
    to_degrees = Transformer.from_crs(int(catalog["epsg"][0].as_py()), 4326, always_xy=True)
    x = (moved["xmin"].to_numpy() + moved["xmax"].to_numpy()) / 2
    y = (moved["ymin"].to_numpy() + moved["ymax"].to_numpy()) / 2
    for column, values in zip(("lon", "lat"), to_degrees.transform(x, y), strict=True):
        moved = moved.set_column(moved.column_names.index(column), column, pa.array(values))
    for column in ("image_id", "tile_id", "block_id"):
        moved = rename(moved, column, number)
    pq.write_table(moved, data / CATALOG / f"part-{number:04d}.parquet")
    key = str(features["feature_key"][0].as_py())
    folder = data / FEATURES / f"feature_key={key}"
    folder.mkdir(parents=True, exist_ok=True)
    copied = rename(features.drop_columns(["feature_key"]), "image_id", number)
    pq.write_table(copied, folder / f"part-{number:04d}.parquet")


def rename(table: pa.Table, column: str, number: int) -> pa.Table:
    """Add the copy's number to names."""
    names = pd.Series(table[column].to_pylist(), dtype=object)
    return table.set_column(
        table.column_names.index(column), column, pa.array(names + f"-{number}", pa.string())
    )


def prepare(data: Path, tiles: int) -> None:
    """Run the small sample whole, then make a county of it (in a process of its own)."""
    bootstrap_project(PROJECT)
    run_pipelines("sample_data", None)
    spark.session().stop()
    print(json.dumps({"tiles": enlarge(data, tiles)}))


def measure() -> None:
    """Run the county's pipelines (in a process of its own)."""
    bootstrap_project(PROJECT)
    figures = {f"{name}_s": round(run_pipelines(name), 1) for name in PIPELINES}
    spark.session().stop()
    print(json.dumps(figures))


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=67_000)
    parser.add_argument("--step", choices=["prepare", "measure"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step == "prepare":
        prepare(Path(os.environ["AERIAL_KEDRO_DATA"]), arguments.tiles)
    elif arguments.step == "measure":
        measure()
    else:
        with tempfile.TemporaryDirectory() as data:
            steps = ["--tiles", str(arguments.tiles), "--step"]
            made = run_watched("benchmarks.county", *steps, "prepare", data=data)
            found = run_watched("benchmarks.county", *steps, "measure", data=data)
        figures = {
            "tiles": made["tiles"],
            "cores": len(os.sched_getaffinity(0)),
            "seconds": round(sum(found[f"{name}_s"] for name in PIPELINES), 1),
            **found,
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
