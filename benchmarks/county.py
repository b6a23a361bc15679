"""A county of 67,000 tiles: from features to predictions, map, change and report.

The size is that of Middlesex County in the 2017 sample. A small embedded sample is drawn and run
whole; then its catalog and its features are laid side by side until there are enough places, all
of them pointing into the same few scenes. What is measured is `scoring` and `reporting` on that, in
a process of its own: seconds, processor time of all processes (steadier beside others), and the
peak memory of Java, of the driver's Python and of the workers. (`featurization` would compute all
anew: the embedding of cells is fitted on tiles of another catalog.)

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
from benchmarks.processes import PROJECT, cpu_seconds, run_watched

# A corner of the sample, large enough for blocks of every split.
SAMPLE: dict[str, Any] = {
    "sample_county": {"width_m": 4480, "height_m": 4480, "west_share": 0.2, "scene_rows": 1},
    "report": {"gallery_tiles": 4},
}
CATALOG, FEATURES = Path("03_primary/tile_catalog"), Path("04_feature/tile_features")
PIPELINES = ("scoring", "reporting")
GAP_TILES = 4  # from one copy of the sample to the next
COPIES_A_FILE = 16  # of the catalog


def run_pipelines(*names: str | None, given: dict[str, Any] = SAMPLE) -> float:
    """Run pipelines one after another, as a user does; return the seconds taken."""
    start = time.perf_counter()
    for name in names:
        with KedroSession.create(PROJECT, runtime_params=given) as session:
            session.run(pipeline_names=[name] if name else None)
        mlflow.end_run()
    return time.perf_counter() - start


def enlarge(data: Path, tiles: int) -> int:
    """Lay copies of the catalog and its features side by side; return the number of tiles."""
    catalog, features = pq.read_table(data / CATALOG), pq.read_table(data / FEATURES)
    for table in (CATALOG, FEATURES):
        shutil.rmtree(data / table)
    key = str(features["feature_key"][0].as_py())
    folder = data / FEATURES / f"feature_key={key}"
    folder.mkdir(parents=True)
    copies = copies_of(catalog, tiles)
    write_parts(data / CATALOG, copies)
    features = features.drop_columns(["feature_key"])
    for number in range(len(copies)):
        pq.write_table(rename(features, "image_id", number), folder / f"part-{number:04d}.parquet")
    return sum(each.num_rows for each in copies)


def enlarge_catalog(sample: Path, data: Path, tiles: int) -> int:
    """Lay copies of the sample's catalog side by side elsewhere; return the number of tiles."""
    copies = copies_of(pq.read_table(sample / CATALOG), tiles)
    write_parts(data / CATALOG, copies)
    return sum(each.num_rows for each in copies)


def copies_of(catalog: pa.Table, tiles: int) -> list[pa.Table]:
    """Copy a catalog side by side, in its commonest zone, until there are enough tiles."""
    frame = catalog.select(["xmin", "ymin", "xmax", "ymax", "epsg"]).to_pandas()
    own = frame["epsg"] == frame["epsg"].mode().iloc[0]
    catalog, frame = catalog.filter(pa.array(own.to_numpy())), frame[own]
    size = float((frame["xmax"] - frame["xmin"]).iloc[0])
    extent = max(float(frame[f"{axis}max"].max() - frame[f"{axis}min"].min()) for axis in "xy")
    step = extent + GAP_TILES * size
    count = -(-tiles // catalog.num_rows)
    side = int(np.ceil(np.sqrt(count)))
    places = [(step * (number % side), step * (number // side)) for number in range(count)]
    return [copy_of(catalog, number, shift) for number, shift in enumerate(places)]


def copy_of(catalog: pa.Table, number: int, shift: tuple[float, float]) -> pa.Table:
    """Copy a catalog: every name gets the copy's number, every place is moved."""
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
    return moved


def write_parts(folder: Path, copies: list[pa.Table]) -> None:
    """Write a table's copies, some in each file, as Spark would."""
    folder.mkdir(parents=True)
    for first in range(0, len(copies), COPIES_A_FILE):
        part = pa.concat_tables(copies[first : first + COPIES_A_FILE])
        pq.write_table(part, folder / f"part-{first:04d}.parquet")
    (folder / "_SUCCESS").touch()


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
    figures["cpu_s"] = round(cpu_seconds(os.getpid()), 1)
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
