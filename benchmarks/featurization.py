"""Featurization on Spark against a bare ONNX Runtime loop over the same tiles.

The bare loop runs in one process on tiles that are decoded beforehand, so it is the engine and
nothing else; a machine with two cores could at best do twice that. It is measured with the batch
that is fastest here, which the pipeline uses too, and for comparison with the usual 16.

The pipeline reads, decodes, resizes, runs the same network and writes the features to Parquet. What
a run takes that finds nothing to do (Kedro's session, Spark's plans) is stated apart, as
``fixed_s``, and not counted in the ratios; ``gross`` counts it.

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
from aerial_kedro.backbones.weights import find_weights
from aerial_kedro.tiles.reading import read_image_file

PROJECT = Path(__file__).resolve().parents[1]
WARM_TILES = 400


def write_tiles(
    folder: Path, count: int, image_format: str, size: int = 224, seed: int = 0
) -> list[Path]:
    """Write tiles of smoothed noise, in two class folders."""
    rng = np.random.default_rng(seed)
    paths = []
    for index in range(count):
        coarse = rng.integers(0, 256, (size // 4, size // 4, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
        path = folder / ("a" if index % 2 else "b") / f"{index:06d}.{image_format}"
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        picture.save(buffer, image_format, quality=90)
        path.write_bytes(buffer.getvalue())
        paths.append(path)
    return paths


def bare_loop(paths: list[str], batch: int | None = None) -> float:
    """Tiles a second of ONNX Runtime alone: one process, one thread, tiles decoded before."""
    definition = define_backbone("efficientnet_lite0")
    backbone = export_backbone(definition, find_weights(definition), seed=0)
    engine = open_engine("onnxruntime", "fp32", backbone.onnx)
    batch = batch or engine.batch
    tiles = np.stack([read_image_file(path, definition.input_size) for path in paths])
    engine.run(tiles[:batch])
    start = time.perf_counter()
    for first in range(0, len(tiles), batch):
        engine.run(tiles[first : first + batch])
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


def pipeline_seconds(folder: Path) -> tuple[float, float]:
    """Seconds of the node `featurize_tiles`, saving included: all to do, then nothing to do."""
    run_nodes(
        folder,
        "data_ingestion.catalog_folders",
        "featurization.export_backbone",
        "featurization.settle_backbone",
        "featurization.choose_engine",
        "featurization.name_features",
    )
    node = "featurization.featurize_tiles"
    return run_nodes(folder, node), run_nodes(folder, node)


def measure(scratch: Path, count: int, image_format: str, bare: float) -> dict[str, float]:
    """Measure the pipeline on tiles of one format, against all cores' bare loops."""
    write_tiles(scratch / image_format, count, image_format)
    seconds, fixed = pipeline_seconds(scratch / image_format)
    return {
        f"pipeline_{image_format}": round(count / (seconds - fixed), 1),
        f"fixed_s_{image_format}": round(fixed, 1),
        f"pipeline_over_bare_fp32_{image_format}": round(count / (seconds - fixed) / bare, 3),
        f"gross_{image_format}": round(count / seconds / bare, 3),
    }


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=6000)
    count = parser.parse_args().tiles
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["AERIAL_KEDRO_DATA"] = f"{scratch}/data"
        bootstrap_project(PROJECT)
        # Spark's start, its first plans and the workers' imports are not what is measured.
        warm = write_tiles(Path(scratch) / "warm", WARM_TILES, "png", seed=1)
        pipeline_seconds(Path(scratch) / "warm")
        paths = [str(path) for path in warm]
        bare, together = bare_loop(paths), bare_loops(paths, cores)
        figures = {
            "tiles": count,
            "cores": cores,
            "processor": platform.processor() or platform.machine(),
            "bare_one_core": round(bare, 1),
            "bare_one_core_batch_16": round(bare_loop(paths, 16), 1),
            "bare_all_cores": round(together, 1),
        }
        for image_format in ("jpeg", "png"):
            figures |= measure(Path(scratch), count, image_format, bare * cores)
        spark.session().stop()
        mlflow.end_run()  # before its database goes
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
