"""Featurization of more and more tiles: what a tile costs, and what memory it takes.

The tiles of a run are copies of the same thousand files (links would be listed once). Every
number of tiles is measured in a process of its own, which warms up on a few hundred tiles first;
what a run takes that finds nothing to do is stated apart, as ``fixed_s``.

Run it with ``make bench-growth``, or ``python -m benchmarks.growth --tiles 5000 20000 60000``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

import mlflow
from kedro.framework.startup import bootstrap_project

from aerial_kedro.cluster import spark
from benchmarks.featurization import (
    PREPARE,
    PROJECT,
    WARM_TILES,
    run_nodes,
    run_pipeline,
    write_tiles,
)
from benchmarks.processes import run_watched

FILES = 1_000


def copy_tiles(paths: list[str], folder: Path, count: int) -> None:
    """Copy files under many names, in two class folders."""
    for number in range(count):
        source = Path(paths[number % len(paths)])
        path = folder / source.parent.name / f"{number:06d}{source.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)


def measure_here(folder: Path, tiles: int) -> dict[str, float]:
    """Featurize (in a process of its own)."""
    bootstrap_project(PROJECT)
    for each in (folder / "warm", folder / str(tiles)):
        run_nodes(each, "fp32", *PREPARE)
        seconds, fixed = run_pipeline(each, "fp32")
    spark.session().stop()
    mlflow.end_run()
    return {
        "seconds": round(seconds, 1),
        "fixed_s": round(fixed, 1),
        "milliseconds_a_tile": round(1000 * (seconds - fixed) / tiles, 3),
    }


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, nargs="+", default=[5_000, 20_000, 60_000])
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        folder, tiles = arguments.measure
        print(json.dumps(measure_here(Path(folder), int(tiles))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tiles(folder / "warm", WARM_TILES, "png", seed=1)
        paths = write_tiles(folder / "files", FILES, "png")
        found = {}
        for tiles in arguments.tiles:
            copy_tiles(paths, folder / str(tiles), tiles)
            found[str(tiles)] = run_watched(
                "benchmarks.growth",
                "--measure",
                str(folder),
                str(tiles),
                data=folder / f"data-{tiles}",
            )
    print(json.dumps({"cores": len(os.sched_getaffinity(0)), "tiles": found}))


if __name__ == "__main__":
    main()
