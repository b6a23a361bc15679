"""Featurization on Spark against loops without it, over the same tile files.

``bare``: a process for each core that reads, decodes and runs ONNX Runtime, and does nothing else.
``engine``: the same on tiles that are decoded beforehand, so the engine alone; one core by itself
with the batch that is fastest here, which the pipeline uses too, and with the usual 16.
``torch_loader``: a DataLoader and the network in channels-last, as a torch user would write it.

The pipeline reads, decodes, resizes, runs the same network and writes the features to Parquet. What
a run takes that finds nothing to do (Kedro's session, Spark's plans) is stated apart, as
``fixed_s``, and not counted in the ratios; ``gross`` counts it. The share of the time inside the
engine follows from its rate alone. Everything is measured some times over, and the median of the
rounds is given: a machine that others use too changes its speed within minutes.
``over_synapseml`` is the pipeline's rate over that of SynapseML's ImageFeaturizer with the same
network, on the first tiles of each format, in the same Spark; null without ``--synapseml``, which
needs its Java parts (166 MB, fetched by name).

Run it with ``make bench``, or ``python -m benchmarks.featurization --tiles 4000``.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import shutil
import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image

from aerial_kedro.cluster import spark
from benchmarks.image_featurizer import TILES as FEATURIZER_TILES
from benchmarks.image_featurizer import run_image_featurizer, start_spark
from benchmarks.loops import on_all_cores, read_and_run, run_engine, run_torch_loader
from benchmarks.processes import PROJECT

WARM_TILES = 400
FORMATS = ("png", "tiff", "jpeg")
PRECISIONS = ("fp32", "int8")
STEPS = ("export_backbone", "prepare_backbone")
PREPARE = ["data_ingestion.catalog_folders", *(f"featurization.{each}" for each in STEPS)]


def write_tiles(
    folder: Path, count: int, image_format: str, size: int = 224, seed: int = 0
) -> list[str]:
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
        paths.append(str(path))
    return paths


def run_nodes(folder: Path, precision: str, *nodes: str) -> float:
    """Run nodes of the main job in a session of their own; return the seconds taken."""
    given = {"folders_root": str(folder), "precision": precision}
    with KedroSession.create(PROJECT, runtime_params=given) as session:
        start = time.perf_counter()
        session.run(pipeline_names=["from_folders"], node_names=nodes)
        return time.perf_counter() - start


def run_pipeline(folder: Path, precision: str) -> tuple[float, float]:
    """Seconds of the node `featurize_tiles`, saving included: all to do, then nothing to do."""
    shutil.rmtree(
        Path(os.environ["AERIAL_KEDRO_DATA"]) / "04_feature/tile_features", ignore_errors=True
    )
    node = "featurization.featurize_tiles"
    return run_nodes(folder, precision, node), run_nodes(folder, precision, node)


def measure(
    folder: Path, paths: list[str], precision: str, cores: int, *, torch_loader: float, rounds: int
) -> dict[str, float]:
    """Measure the tiles of one format in one precision; the median of some rounds."""
    run_nodes(folder, precision, *PREPARE)
    suffix = "_int8" if precision == "int8" else ""
    data = Path(os.environ["AERIAL_KEDRO_DATA"])
    onnx = (data / f"06_models/backbone{suffix}.onnx").read_bytes()
    found = [measure_once(folder, paths, precision, cores, onnx) for _ in range(rounds)]
    figures = {name: float(np.median([each[name] for each in found])) for name in found[0]}
    figures["over_torch_loader"] = figures["pipeline"] / torch_loader
    return {f"{name}_{precision}": round(value, 3) for name, value in figures.items()}


def measure_once(
    folder: Path, paths: list[str], precision: str, cores: int, onnx: bytes
) -> dict[str, float]:
    """Measure everything once, one right after the other: only neighbours compare."""
    few = paths[: cores * WARM_TILES]
    engine = on_all_cores(run_engine, onnx, precision, few, cores)
    seconds, fixed = run_pipeline(folder, precision)
    engine = (engine + on_all_cores(run_engine, onnx, precision, few, cores)) / 2
    bare = on_all_cores(read_and_run, onnx, precision, paths, cores)
    alone = run_engine(onnx, precision, paths[:WARM_TILES])
    pipeline = len(paths) / (seconds - fixed)
    return {
        "bare": bare,
        "engine": engine,
        "engine_one_core": alone,
        "engine_one_core_batch_16": run_engine(onnx, precision, paths[:WARM_TILES], 16),
        "pipeline": pipeline,
        "fixed_s": fixed,
        "pipeline_over_bare": pipeline / bare,
        "gross": len(paths) / seconds / bare,
        "pipeline_over_engine": pipeline / (alone * cores),
        "engine_share": pipeline / engine,
    }


def compare_synapseml(paths: list[str], figures: dict[str, float]) -> dict[str, float]:
    """Measure ImageFeaturizer on the first tiles, and the pipeline over it."""
    data = Path(os.environ["AERIAL_KEDRO_DATA"])
    onnx = (data / "06_models/backbone.onnx").read_bytes()
    rate = run_image_featurizer(onnx, paths[:FEATURIZER_TILES])
    return {
        "synapseml": round(rate, 2),
        "over_synapseml": round(figures["pipeline_fp32"] / rate, 2),
        "over_synapseml_int8": round(figures["pipeline_int8"] / rate, 2),
    }


def main() -> None:
    """Measure, and print one line of JSON: the first format's figures, then the others' by name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=["png", "tiff"])
    parser.add_argument("--synapseml", action="store_true", help="measure ImageFeaturizer as well")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    found: dict[str, dict[str, float | None]] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        os.environ["AERIAL_KEDRO_DATA"] = f"{scratch}/data"
        bootstrap_project(PROJECT)
        if arguments.synapseml:
            start_spark(PROJECT)
        # Spark's start, its first plans and the workers' imports are not what is measured.
        write_tiles(scratch / "warm", WARM_TILES, "png", seed=1)
        run_nodes(scratch / "warm", "fp32", *PREPARE)
        run_pipeline(scratch / "warm", "fp32")
        for name in arguments.formats:
            paths = write_tiles(scratch / name, arguments.tiles, name)
            loader = run_torch_loader(paths[: 4 * WARM_TILES], cores)
            found[name] = {"torch_loader": round(loader, 1), "over_synapseml": None}
            for precision in PRECISIONS:
                found[name] |= measure(
                    scratch / name,
                    paths,
                    precision,
                    cores,
                    torch_loader=loader,
                    rounds=arguments.rounds,
                )
            if arguments.synapseml:
                found[name] |= compare_synapseml(paths, found[name])
        spark.session().stop()
        mlflow.end_run()  # before its database goes
    first, *others = arguments.formats
    figures = {
        "tiles": arguments.tiles,
        "rounds": arguments.rounds,
        "format": first,
        "cores": cores,
        "processor": platform.processor() or platform.machine(),
        **found[first],
        **{name: found[name] for name in others},
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
