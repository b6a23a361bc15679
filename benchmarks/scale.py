"""How a run grows with its tiles: memory, files, tasks, Spark jobs, requests to storage.

A small sample is drawn and run whole, with a network that costs next to nothing (`stub_network`);
its catalog is laid side by side until there are enough places, all of them pointing into the same
few scenes. From there everything is computed: features, the maps, change and report. The catalog
itself is made of scenes that are copies of one picture. Each step runs in a process of its own, at
three sizes, and the line nearest to what it takes is continued to a million tiles; what follows the
files of features, to as many files as those leave.

With ``--azurite`` the run's files lie in the blob service's emulator, whose log counts requests
(scenes stay on the disk: what their tiles ask for is what ``make rehearsal`` counts); without it
they lie on the disk, and requests are not counted.

Run it with ``make bench-scale``, or ``python -m benchmarks.scale --tiles 10000 30000 90000``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import mlflow
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from aerial_kedro.cluster import spark
from aerial_kedro.pipelines.featurization.nodes import count_tasks
from benchmarks import catalog as scenes
from benchmarks.counts import count_files, count_requests, count_spark, growth_table
from benchmarks.county import CATALOG, FEATURES, SAMPLE, enlarge_catalog, run_pipelines
from benchmarks.processes import PROJECT, cpu_seconds, run_watched
from rehearsal import services
from rehearsal.runs import CONTAINER, Cluster

TARGET = 1_000_000
TILES_A_SCENE = 900
STEPS: dict[str, tuple[str, list[str]]] = {
    "catalog": ("data_ingestion", []),
    "features": (
        "featurization",
        [f"featurization.{each}_tiles" for each in ("featurize", "quarantine")]
        + ["featurization.check_quarantine"],
    ),
    "scoring": ("scoring", []),
    "reporting": ("reporting", []),
}
_PEAKS = {"driver": "peak_driver_mib", "java": "peak_java_mib", "worker": "peak_largest_worker_mib"}


def prepare(folder: Path) -> None:
    """Draw the small sample and run it whole (in a process of its own)."""
    from benchmarks.stub_network import write_network  # noqa: PLC0415  (brings torch along)

    bootstrap_project(PROJECT)
    write_network(folder / "stub.onnx")
    seconds = run_pipelines("sample_data", None, given=_given(folder))
    spark.session().stop()
    print(json.dumps({"seconds": round(seconds, 1)}))


def run_step(folder: Path, name: str, env: str) -> None:
    """Run one step (in a process of its own)."""
    bootstrap_project(PROJECT)
    pipeline, nodes = STEPS[name]
    given: dict[str, Any] = _given(folder)
    if name == "catalog":
        given |= {
            "scenes_root": str(folder / "scenes"),
            "landcover_path": str(folder / "nlcd_2019.tif"),
            "labels": {"min_purity": 0.3},
        }
    start = time.perf_counter()
    with KedroSession.create(PROJECT, env=env, runtime_params=given) as session:
        session.run(pipeline_names=[pipeline], node_names=nodes or None)
    seconds = time.perf_counter() - start
    cpu = cpu_seconds(os.getpid())
    counted = count_spark()
    spark.session().stop()
    mlflow.end_run()
    print(json.dumps({"seconds": round(seconds, 1), "cpu_s": round(cpu, 1), **counted}))


def _given(folder: Path) -> dict[str, Any]:
    return {**SAMPLE, "backbone_onnx": str(folder / "stub.onnx")}


class Storage:
    """Where the runs' files lie: on the disk, or in the blob service.

    Parameters
    ----------
    scratch
        For logs, blobs and what is not in the container.
    azurite
        Program of the blob service; None for the disk.
    ivy
        Where Spark keeps the Java libraries that it fetched.
    """

    def __init__(self, scratch: Path, azurite: Path | None, ivy: Path) -> None:
        self._scratch, self._ivy = scratch, ivy
        self._service = None
        if azurite:
            self._service = services.blob_service(str(azurite), scratch / "azurite")
            services.run_history(scratch / "history", str(scratch / "artifacts"), "")
            self._cluster("").blobs().mkdir(CONTAINER)

    @property
    def env(self) -> str:
        """Kedro's environment of the runs."""
        return "cluster" if self._service else "base"

    def _cluster(self, key: str) -> Cluster:
        changed = {"AERIAL_SPARK_MASTER": "local[*]"}
        return Cluster(self._scratch / "driver", self._ivy, Path(), key, changed)

    def put(self, data: Path, key: str) -> None:
        """Bring a data folder to where runs find it."""
        if self._service:
            self._cluster(key).blobs().put(f"{data}/", f"{CONTAINER}/{key}", recursive=True)

    def run(self, step: str, data: Path, folder: Path, key: str) -> dict[str, float]:
        """Run a step; return its seconds, memory, and what it asked for."""
        options = ["--folder", str(folder), "--step", step, "--env", self.env]
        before, environment = 0, {}
        if self._service:
            before = self._service.log.stat().st_size
            environment = self._cluster(key).environment()
            del environment["AERIAL_EXECUTORS"]  # workers run the Python that is here
        found = run_watched("benchmarks.scale", *options, data=data, environment=environment)
        figures = {name: found[name] for name in ("seconds", "cpu_s")}
        figures |= {f"{name}_mib": found[peak] for name, peak in _PEAKS.items()}
        figures |= {name: found[name] for name in ("jobs", "tasks")}
        if not self._service:
            sizes = {str(path): path.stat().st_size for path in data.rglob("*") if path.is_file()}
            return figures | count_files(sizes)
        blobs = self._cluster(key).blobs().find(f"{CONTAINER}/{key}", detail=True)
        figures |= count_files({path: blob["size"] for path, blob in blobs.items()})
        log = self._service.log.read_bytes()[before:].decode(errors="replace")
        return figures | count_requests(log, key)


def lay_out(sample: Path, data: Path, tiles: int) -> int:
    """Make a data folder of many tiles, without features; return their number."""
    own = shutil.ignore_patterns("mlflow", FEATURES.name, "07_model_output", "08_reporting")
    shutil.copytree(sample, data, ignore=own)
    shutil.rmtree(data / CATALOG)
    return enlarge_catalog(sample, data, tiles)


def measure_size(
    storage: Storage, folder: Path, tiles: int, until: float
) -> dict[str, dict[str, float]]:
    """Run all steps at one size that are not done: step to figures."""
    place = folder / str(tiles)
    data = {step: place / ("catalog" if step == "catalog" else "county") for step in STEPS}
    if not (place / "laid").exists():
        lay_size(storage, folder, place, data)
    laid = json.loads((place / "laid").read_text())
    found = {}
    for step in STEPS:
        measured = folder / f"{tiles}-{step}.json"
        if not measured.exists():
            if time.monotonic() > until:
                raise SystemExit(f"{tiles:,} tiles: {step} and what follows is left to a later run")
            figures = storage.run(step, data[step], place, f"{tiles}-{data[step].name}")
            measured.write_text(json.dumps({"tiles": laid[data[step].name], **figures}))
        found[step] = json.loads(measured.read_text())
    return found


def lay_size(storage: Storage, folder: Path, place: Path, data: dict[str, Path]) -> None:
    """Make what the steps of one size start from."""
    tiles = int(place.name)
    shutil.rmtree(place, ignore_errors=True)
    count = max(1, round(tiles / TILES_A_SCENE))
    scenes.place_scenes(folder / "picture/scene.tif", place / "scenes", count)
    scenes.draw_land_cover(place / "nlcd_2019.tif", count)
    (place / "stub.onnx").hardlink_to(folder / "stub.onnx")
    laid = lay_out(folder / "sample", data["scoring"], tiles)
    storage.put(data["scoring"], f"{tiles}-county")
    (place / "laid").write_text(json.dumps({"county": laid, "catalog": count * TILES_A_SCENE}))


def main() -> None:
    """Measure; print a table, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, nargs=3, default=[10_000, 30_000, 90_000])
    parser.add_argument("--azurite", type=Path, help="program of the blob service's emulator")
    parser.add_argument("--ivy", type=Path, default=Path("build/rehearsal/tools/ivy"))
    parser.add_argument(
        "--scratch",
        type=Path,
        help="keep the sample and what is measured here: a later run goes on from there",
    )
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no step later")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--step", choices=["prepare", *STEPS], help=argparse.SUPPRESS)
    parser.add_argument("--env", default="base", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step == "prepare":
        prepare(given.folder)
    elif given.step:
        run_step(given.folder, given.step, given.env)
    else:
        # Ended from outside, it stops the services that it has started.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        sizes = sorted(given.tiles)
        with tempfile.TemporaryDirectory() as name:
            scratch = (given.scratch or Path(name)).resolve()
            until = time.monotonic() + given.seconds
            storage = (given.azurite and given.azurite.absolute(), given.ivy.resolve())
            found = measure(scratch, sizes, *storage, until)
        table, grown = growth_table(sizes, found, TARGET)
        files, by_files = growth_table(sizes, of_files(found), count_tasks(TARGET), "feature_files")
        print("\n".join([*table, "", *files]))
        cores = len(os.sched_getaffinity(0))
        print(
            json.dumps(
                {
                    "cores": cores,
                    "sizes": sizes,
                    "steps": found,
                    "growth": grown,
                    "growth_by_files": by_files,
                }
            )
        )


def of_files(
    found: dict[str, dict[int, dict[str, float]]],
) -> dict[str, dict[int, dict[str, float]]]:
    """Keep what follows the files of features, of the steps that read them.

    Their number is no line of the tiles: the fewest are for few tiles, and from 262,144 on the
    files grow instead (`count_tasks`).
    """
    names = ("feature_files", "tasks", "requests", "listings", "reads", "writes")
    return {
        step: {
            size: {name: figures[name] for name in names if name in figures}
            for size, figures in by_size.items()
        }
        for step, by_size in found.items()
        if step != "catalog"
    }


def measure(
    folder: Path, sizes: list[int], azurite: Path | None, ivy: Path, until: float
) -> dict[str, dict[int, dict[str, float]]]:
    """Measure every size: step to size to figures."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = folder / "drawn"
    if not drawn.exists():
        shutil.rmtree(folder / "sample", ignore_errors=True)
        options = ["--folder", str(folder), "--step", "prepare"]
        run_watched("benchmarks.scale", *options, data=folder / "sample")
        drawn.touch()
    if not (folder / "picture").exists():
        scenes.draw_picture(folder / "picture/scene.tif", overviews=True)
    by_size = {}
    try:
        storage = Storage(folder / "storage", azurite, ivy)
        for size in sizes:
            by_size[size] = measure_size(storage, folder, size, until)
    finally:
        services.stop_all()
    return {step: {size: by_size[size][step] for size in sizes} for step in STEPS}


if __name__ == "__main__":
    main()
