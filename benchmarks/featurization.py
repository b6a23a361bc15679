"""Featurization on Spark against loops without it, over the same tiles, of files and of scenes.

``bare``: a process for each core that reads, decodes and runs ONNX Runtime, and does nothing else;
of scenes, which it keeps open, it reads the same windows in the same order.
``engine``: the same on tiles that are decoded beforehand, so the engine alone.
``torch_loader``: a DataLoader and the network in channels-last, as a torch user would write it.

The pipeline reads, decodes, resizes, runs the same network and writes the features to Parquet; of
scenes also the embeddings and statistics of cells, for which it reads near infrared (not with
``--grain tile``). What a run takes that finds nothing to do (Kedro's session, Spark's plans) is
stated apart, as ``fixed_s``, and not counted in the ratios; ``gross`` counts it. The share of the
time inside the engine follows from its rate alone. Pipeline and loop take turns, and each figure is
the median of the rounds, their least and their greatest: a machine that others use too changes its
speed within minutes. ``draft_over_fine`` is the pipeline's rate from scenes at 2 m a pixel in int8
over that at 1 m in fp32. ``over_synapseml`` is its rate over that of SynapseML's ImageFeaturizer
with the same network, on the first files, in the same Spark; it needs ``--synapseml`` and Java
parts (166 MB, fetched by name).

Run it with ``make bench``, or ``python -m benchmarks.featurization --tiles 4000``.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image

from aerial_kedro.cluster import spark
from aerial_kedro.tiles.reading import SOURCE_COLUMNS, Tile
from benchmarks.image_featurizer import TILES as FEATURIZER_TILES
from benchmarks.image_featurizer import run_image_featurizer, start_spark
from benchmarks.loops import Work, on_all_cores
from benchmarks.processes import PROJECT
from benchmarks.results import summarise
from benchmarks.scene_tiles import LAYOUTS, draw_scenes, save_catalog
from benchmarks.torch_loader import run_torch_loader

WARM_TILES = 400
FORMATS = ("png", "tiff", "jpeg")
DEFAULT_SOURCES = ("png", "scenes", "scenes_at_2m")
SOURCES = (*FORMATS, *(f"{layout}{grain}" for layout in LAYOUTS for grain in ("", "_at_2m")))
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


def run_nodes(folder: Path | None, precision: str, *nodes: str, **given: Any) -> float:
    """Run nodes of the main job, on class folders or scenes, in a session of their own.

    Returns
    -------
    float
        Seconds.
    """
    parameters = {"precision": precision, **given}
    if folder is not None:
        parameters["folders_root"] = str(folder)
    pipeline = "__default__" if folder is None else "from_folders"
    with KedroSession.create(PROJECT, runtime_params=parameters) as session:
        start = time.perf_counter()
        session.run(pipeline_names=[pipeline], node_names=nodes)
        return time.perf_counter() - start


def run_pipeline(folder: Path | None, precision: str, **given: Any) -> tuple[float, float]:
    """Seconds of the node `featurize_tiles`, saving included: all to do, then nothing to do."""
    shutil.rmtree(data_folder() / "04_feature/tile_features", ignore_errors=True)
    node = "featurization.featurize_tiles"
    return (
        run_nodes(folder, precision, node, **given),
        run_nodes(folder, precision, node, **given),
    )


def data_folder() -> Path:
    """Where the present session keeps its data."""
    return Path(os.environ["AERIAL_KEDRO_DATA"])


@dataclass
class Case:
    """Tiles of one kind in one precision, with a data folder of their own, prepared.

    Parameters
    ----------
    source
        One of `SOURCES`.
    precision
        The precision.
    folder
        Of files: their folder; None of scenes.
    given
        Other run parameters.
    work
        What loops are given.
    data
        The data folder.
    """

    source: str
    precision: str
    folder: Path | None
    given: dict[str, Any]
    work: Work
    data: Path

    def run(self) -> tuple[float, float]:
        """Run the pipeline as `run_pipeline` does, in this case's data folder."""
        os.environ["AERIAL_KEDRO_DATA"] = str(self.data)
        return run_pipeline(self.folder, self.precision, **self.given)


def prepare(
    scratch: Path, source: str, precisions: Sequence[str], tiles: int, grain: str
) -> list[Case]:
    """Write the tiles of a source; export their network in some precisions."""
    layout, _, gsd = source.partition("_at_")
    folder, given = None, {}
    data = scratch / f"data-{source}"
    os.environ["AERIAL_KEDRO_DATA"] = str(data)
    if source in FORMATS:
        folder = scratch / source
        paths = write_tiles(folder, tiles, source)
        rows: list[Tile] = [{"kind": "file", "href": path} for path in paths]
        run_nodes(folder, "fp32", PREPARE[0])
    else:
        given = {"grain": grain, "gsd_m": float(gsd.removesuffix("m") or 1)}
        catalog = draw_scenes(scratch / source, tiles, layout)
        with KedroSession.create(PROJECT) as session:
            session.load_context()  # which hands Spark its settings
            save_catalog(catalog, data)
        in_order = catalog.sort_values(["href", "row_off", "col_off"])
        rows = in_order[SOURCE_COLUMNS].to_dict("records")
    cases = []
    for precision in precisions:
        own = scratch / f"data-{source}-{precision}"
        shutil.copytree(data, own)
        os.environ["AERIAL_KEDRO_DATA"] = str(own)
        run_nodes(folder, precision, *PREPARE[1:], **given)
        suffix = "_int8" if precision == "int8" else ""
        onnx = (own / f"06_models/backbone{suffix}.onnx").read_bytes()
        size = json.loads((own / f"06_models/backbone{suffix}.json").read_text())["input_size"]
        cases.append(Case(source, precision, folder, given, Work(onnx, precision, size, rows), own))
    return cases


def measure_once(case: Case, cores: int) -> dict[str, float]:
    """Measure everything once, one right after the other: only neighbours compare."""
    work, few = case.work, case.work.first(cores * WARM_TILES)
    tiles = len(work.tiles)
    engine = on_all_cores("engine", few, cores)
    seconds, fixed = case.run()
    bare = on_all_cores("bare", work, cores)
    pipeline = tiles / (seconds - fixed)
    return {
        "bare": bare,
        "engine": engine,
        "pipeline": pipeline,
        "fixed_s": fixed,
        "pipeline_over_bare": pipeline / bare,
        "gross": tiles / seconds / bare,
        "engine_share": pipeline / engine,
    }


def compare_cases(rounds: dict[str, list[dict[str, float]]]) -> dict[str, list[float]]:
    """Compare a draft in int8 with the network's own grain in fp32, round by round."""
    fine, draft = (rounds.get(name) for name in ("scenes fp32", "scenes_at_2m int8"))
    if not (fine and draft):
        return {}
    pairs = zip(draft, fine, strict=True)
    return {"draft_over_fine": summarise([a["pipeline"] / b["pipeline"] for a, b in pairs])}


def compare_loaders(
    cases: list[Case], rounds: dict[str, list[dict[str, float]]], cores: int, *, synapseml: bool
) -> dict[str, Any]:
    """Measure other ways to the features of the first files, and the pipeline over them."""
    of_files = [case for case in cases if case.folder is not None]
    if not of_files:
        return {}
    first = of_files[0]
    paths = [str(tile["href"]) for tile in first.work.tiles]
    rates = {
        "torch_loader": [
            run_torch_loader(paths[: 4 * WARM_TILES], cores)
            for _ in rounds[f"{first.source} {first.precision}"]
        ]
    }
    if synapseml:
        exported = (first.data / "06_models/backbone.onnx").read_bytes()
        rates["synapseml"] = [run_image_featurizer(exported, paths[:FEATURIZER_TILES])]
    found: dict[str, Any] = {name: summarise(each) for name, each in rates.items()}
    for name, each in rates.items():
        for case in of_files:
            if case.source == first.source:
                pipeline = [once["pipeline"] for once in rounds[f"{case.source} {case.precision}"]]
                found[f"over_{name}_{case.precision}"] = summarise(
                    [a / b for a in pipeline for b in each]
                )
    return found


def main() -> None:
    """Measure, and print one line of JSON: for each source and precision, and across them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=list(DEFAULT_SOURCES))
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--grain", choices=("cell", "tile"), default="cell")
    parser.add_argument("--synapseml", action="store_true", help="measure ImageFeaturizer as well")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    rounds: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        os.environ["AERIAL_KEDRO_DATA"] = f"{scratch}/data"
        bootstrap_project(PROJECT)
        if arguments.synapseml:
            start_spark(PROJECT)
        # Spark's start, its first plans and the workers' imports are not what is measured.
        write_tiles(scratch / "warm", WARM_TILES, "png", seed=1)
        run_nodes(scratch / "warm", "fp32", *PREPARE)
        run_pipeline(scratch / "warm", "fp32")
        asked = (arguments.precisions, arguments.tiles, arguments.grain)
        cases = [case for source in arguments.sources for case in prepare(scratch, source, *asked)]
        for _ in range(arguments.rounds):
            for case in cases:
                found = measure_once(case, cores)
                rounds[f"{case.source} {case.precision}"].append(found)
                print(case.source, case.precision, json.dumps(found), file=sys.stderr)
        others = compare_loaders(cases, rounds, cores, synapseml=arguments.synapseml)
        spark.session().stop()
        mlflow.end_run()  # before its database goes
    figures = {
        "tiles": arguments.tiles,
        "rounds": arguments.rounds,
        "grain": arguments.grain,
        "cores": cores,
        "processor": platform.processor() or platform.machine(),
        **{
            name: {key: summarise([once[key] for once in each]) for key in each[0]}
            for name, each in rounds.items()
        },
        **compare_cases(rounds),
        **others,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
