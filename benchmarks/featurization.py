"""Featurization on Spark against a bare ONNX Runtime loop over the same tiles.

The bare loop runs in one process on tiles that are decoded beforehand, so it is the engine and
nothing else; a machine with two cores could at best do twice that. The pipeline reads, decodes,
resizes, runs the same network and writes the features to Parquet.

Run it with ``make bench``, or ``python -m benchmarks.featurization --tiles 4000``.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import platform
import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image

from aerial_kedro import spark
from aerial_kedro.backbones.definitions import define_backbone
from aerial_kedro.backbones.engines import open_engine
from aerial_kedro.backbones.export import export_backbone
from aerial_kedro.backbones.featurize import NETWORK_BATCH
from aerial_kedro.backbones.weights import find_weights
from aerial_kedro.tiles.reading import read_image_file

PROJECT = Path(__file__).resolve().parents[1]
BARE_TILES = 200
WARM_TILES = 128


def write_tiles(folder: Path, count: int, size: int = 224, seed: int = 0) -> list[Path]:
    """Write PNG tiles of smoothed noise, in two class folders."""
    rng = np.random.default_rng(seed)
    paths = []
    for index in range(count):
        coarse = rng.integers(0, 256, (size // 4, size // 4, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
        path = folder / ("a" if index % 2 else "b") / f"{index:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        path.write_bytes(buffer.getvalue())
        paths.append(path)
    return paths


def bare_loop(paths: list[str]) -> float:
    """Tiles a second of ONNX Runtime alone: one process, one thread, tiles decoded before."""
    definition = define_backbone("efficientnet_lite0")
    backbone = export_backbone(definition, find_weights(definition), seed=0)
    engine = open_engine("onnxruntime", "fp32", backbone.onnx)
    tiles = np.stack([read_image_file(path, definition.input_size) for path in paths])
    engine.run(tiles[:NETWORK_BATCH])
    start = time.perf_counter()
    for first in range(0, len(tiles), NETWORK_BATCH):
        engine.run(tiles[first : first + NETWORK_BATCH])
    return len(tiles) / (time.perf_counter() - start)


def bare_loops(paths: list[str], processes: int) -> float:
    """Tiles a second of as many bare loops side by side: what this machine's cores can share."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        return sum(pool.map(bare_loop, [paths] * processes, chunksize=1))


def run_nodes(folder: Path, *nodes: str) -> float:
    """Run nodes of the main job in a session of their own; return the seconds taken."""
    with KedroSession.create(PROJECT, runtime_params={"folders_root": str(folder)}) as session:
        start = time.perf_counter()
        session.run(pipeline_names=["from_folders"], node_names=nodes)
        return time.perf_counter() - start


def pipeline_rate(folder: Path, count: int) -> float:
    """Tiles a second of the node `featurize_tiles`, saving included."""
    run_nodes(
        folder,
        "data_ingestion.catalog_folders",
        "featurization.export_backbone",
        "featurization.name_features",
    )
    return count / run_nodes(folder, "featurization.featurize_tiles")


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=4000)
    count = parser.parse_args().tiles
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["AERIAL_KEDRO_DATA"] = f"{scratch}/data"
        cores = len(os.sched_getaffinity(0))
        paths = [str(path) for path in write_tiles(Path(scratch) / "tiles", count)]
        bare_before = bare_loop(paths[:BARE_TILES])
        together = bare_loops(paths[:BARE_TILES], cores)
        bootstrap_project(PROJECT)
        # Spark's start, its first plans and the workers' imports are not what is measured.
        write_tiles(Path(scratch) / "warm", WARM_TILES, seed=1)
        pipeline_rate(Path(scratch) / "warm", WARM_TILES)
        pipeline = pipeline_rate(Path(scratch) / "tiles", count)
        bare_after = bare_loop(paths[:BARE_TILES])
        spark.session().stop()
        mlflow.end_run()  # before its database goes
    bare = (bare_before + bare_after) / 2
    figures = {
        "tiles": count,
        "cores": cores,
        "processor": platform.processor() or platform.machine(),
        "bare_one_core": round(bare, 1),
        "bare_all_cores": round(together, 1),
        "pipeline": round(pipeline, 1),
        "pipeline_over_bare_fp32": round(pipeline / (bare * cores), 3),
        "pipeline_over_bare_all_cores": round(pipeline / together, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
