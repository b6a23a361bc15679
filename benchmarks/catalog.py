"""The tile catalog with labels: tiles a second, and memory for ten and for a hundred scenes.

Draws scenes of the size of NAIP's quarter quads (6.6 by 7.5 km, 1 m, three bands, with overviews as
cloud-optimised ones have) and a land-cover raster of 30 m below them all, and runs the pipeline
`data_ingestion` on them, from the scenes to the written `tile_catalog` and its checks, in a process
of its own for each number of scenes.

What a run on one small scene takes (Kedro's session, Spark's plans, the workers' imports) is
stated apart, as ``fixed_s``, and not counted in ``tiles_per_s``; ``gross_tiles_per_s`` counts it.
On a busy machine wall time says little: ``tiles_per_s_by_cpu`` is what the processor time would
give on these cores with nothing else running. Memory is the peak of all processes together: Kedro,
Java and the workers.

Run it with ``make bench-catalog``, or ``python -m benchmarks.catalog --scenes 10 100``.
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
import pyarrow.parquet as pq
import rasterio
from affine import Affine
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from rasterio.enums import Resampling

from aerial_kedro.cluster import spark
from benchmarks.processes import PROJECT, cpu_seconds, run_watched

EPSG = 26918
WEST, NORTH = 300_000.0, 4_100_000.0
# A quarter quad with its margin, in metres and pixels, and the distance to the next one.
SCENE_SIZE = (6_600, 7_500)
SCENE_STEP = (6_300, 7_200)
SCENES_A_ROW = 10
CELL_M = 30
NOISE_PX = 8
CODES = np.array([21, 22, 31, 41, 42, 52, 71, 81, 82, 11], dtype=np.uint8)


def draw_picture(path: Path, *, overviews: bool) -> None:
    """Write a scene's picture without its place: patches under noise, of some megabytes.

    The noise is coarse, so that the disk holds a hundred copies.
    """
    rng = np.random.default_rng(0)
    width, height = SCENE_SIZE
    coarse = (height // NOISE_PX + 1, width // NOISE_PX + 1)
    patches = enlarge(rng.integers(40, 200, (94, 83)), 80)[:height, :width]
    path.parent.mkdir(parents=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=3, dtype="uint8",
        crs=f"EPSG:{EPSG}", photometric="rgb", tiled=True, blockxsize=512, blockysize=512,
        compress="deflate", predictor=2, zlevel=1,
    ) as scene:  # fmt: skip
        for band in (1, 2, 3):
            noise = enlarge(rng.integers(0, 32, coarse), NOISE_PX)[:height, :width]
            scene.write(patches + noise, band)
        if overviews:
            scene.build_overviews([2, 4, 8, 16], Resampling.nearest)


def place_scenes(picture: Path, folder: Path, count: int) -> None:
    """Lay scenes side by side: copies of one picture, placed by a world file each.

    Links would be one scene: a run lists what they lead to once.
    """
    folder.mkdir(parents=True)
    for number in range(count):
        row, column = divmod(number, SCENES_A_ROW)
        left, top = WEST + column * SCENE_STEP[0], NORTH - row * SCENE_STEP[1]
        path = folder / f"scene_{number:03d}_2018.tif"
        shutil.copyfile(picture, path)
        # A world file names the centre of the first pixel.
        lines = (1, 0, 0, -1, left + 0.5, top - 0.5)
        path.with_suffix(".tfw").write_text("".join(f"{each}\n" for each in lines))


def draw_land_cover(path: Path, count: int) -> None:
    """Write patches of classes below all scenes, with a margin."""
    rows = -(-count // SCENES_A_ROW)
    width = (SCENES_A_ROW * SCENE_SIZE[0]) // CELL_M + 100
    height = (rows * SCENE_SIZE[1]) // CELL_M + 100
    rng = np.random.default_rng(1)
    patches = CODES[rng.integers(0, len(CODES), (height // 20 + 1, width // 20 + 1))]
    codes = enlarge(patches, 20)[:height, :width].copy()
    strewn = rng.random(codes.shape) < 0.1  # noqa: PLR2004  (NLCD is not as clean as patches)
    codes[strewn] = CODES[rng.integers(0, len(CODES), int(strewn.sum()))]
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=1, dtype="uint8",
        crs=f"EPSG:{EPSG}", transform=Affine(CELL_M, 0, WEST - 1000, 0, -CELL_M, NORTH + 1000),
        compress="deflate", tiled=True,
    ) as raster:  # fmt: skip
        raster.write(codes, 1)


def enlarge(small: np.ndarray, times: int) -> np.ndarray:
    """Repeat each value ``times`` times in both directions, as uint8."""
    return np.kron(small.astype(np.uint8), np.ones((times, times), dtype=np.uint8))


def run_ingestion(scratch: Path, scenes: Path, **parameters: Any) -> tuple[int, float, float]:
    """Run `data_ingestion` once: tiles in the catalog, wall and processor time in seconds."""
    given = {
        "scenes_root": str(scenes),
        "landcover_path": str(scratch / "nlcd_2019.tif"),
        "labels": {"min_purity": 0.3},
        **parameters,
    }
    with KedroSession.create(PROJECT, runtime_params=given) as session:
        start, start_cpu = time.perf_counter(), cpu_seconds(os.getpid())
        session.run(pipeline_names=["data_ingestion"])
        seconds, cpu = time.perf_counter() - start, cpu_seconds(os.getpid()) - start_cpu
    catalog = Path(os.environ["AERIAL_KEDRO_DATA"]) / "03_primary" / "tile_catalog"
    return pq.read_table(catalog, columns=["image_id"]).num_rows, seconds, cpu


def measure_here(scratch: Path) -> dict[str, float]:
    """Run the pipeline on one scene until it is warm, then on all of them."""
    bootstrap_project(PROJECT)
    few = {"sample_fraction": 0.1, "split": {"block_size_m": 448, "buffer_m": 0}}
    for _ in range(2):
        _, fixed, fixed_cpu = run_ingestion(scratch, scratch / "one", **few)
    tiles, seconds, cpu = run_ingestion(scratch, scratch / "all")
    spark.session().stop()
    mlflow.end_run()
    cores = len(os.sched_getaffinity(0))
    return {
        "tiles": tiles,
        "seconds": round(seconds, 1),
        "cpu_s": round(cpu, 1),
        "fixed_s": round(fixed, 1),
        "fixed_cpu_s": round(fixed_cpu, 1),
        "tiles_per_s": round(tiles / (seconds - fixed)),
        "tiles_per_s_by_cpu": round(tiles * cores / (cpu - fixed_cpu)),
        "gross_tiles_per_s": round(tiles / seconds),
    }


def measure(count: int, *, overviews: bool) -> dict[str, float]:
    """Draw scenes and run the pipeline on them in a process of its own, watching its memory."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        picture = scratch / "picture" / "scene.tif"
        draw_picture(picture, overviews=overviews)
        place_scenes(picture, scratch / "one", 1)
        place_scenes(picture, scratch / "all", count)
        draw_land_cover(scratch / "nlcd_2019.tif", count)
        data = scratch / "data"
        return run_watched("benchmarks.catalog", "--measure", folder, data=data)


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--without-overviews", action="store_true")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure_here(arguments.measure)))
        return
    found = {
        count: measure(count, overviews=not arguments.without_overviews)
        for count in arguments.scenes
    }
    figures = {
        "cores": len(os.sched_getaffinity(0)),
        "overviews": not arguments.without_overviews,
        "scenes": {str(count): each for count, each in found.items()},
    }
    fewest, most = min(found), max(found)
    if fewest != most:
        ratio = found[most]["peak_total_mib"] / found[fewest]["peak_total_mib"]
        figures["memory_ratio"] = round(ratio, 3)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
