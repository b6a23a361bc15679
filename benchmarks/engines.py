"""Engines alone, on one thread: which is the fastest, and what makes one faster or slower.

Tiles are in memory, so nothing is read. Everything of one table takes turns within each round, and
ratios are of the same round; given are the median and the quartiles over the rounds.

``engines``: milliseconds a tile by engine and precision, cells embedded, at 224 pixels a side and
at 112 (`gsd_m=2`), each over ONNX Runtime in fp32 at 224. ``batches``: the same by number of tiles
at once. ``options``: ONNX Runtime with other options of its session, over the pipeline's own.
``processes``: as many processes of one thread as there are cores, over one process of as many
threads. ``nodes``: by kind of node, where ONNX Runtime spends its time.

Run it with ``make bench-engines``, or ``python -m benchmarks.engines --tables engines nodes``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from PIL import Image

from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.cell_projection import project_cells
from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.engines import available, open_engine
from aerial_kedro.features.export import export_backbone
from aerial_kedro.features.grain import Grain
from aerial_kedro.features.quantization import quantize_backbone
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.features.weights import read_weights
from benchmarks.torch_loader import BACKBONE

TILES = 96
SIDES = {224: None, 112: 2.0}
BATCHES = (1, 2, 4, 8, 16, 32)
TABLES = ("engines", "batches", "options", "processes", "nodes")
PARALLEL = ort.ExecutionMode.ORT_PARALLEL
WITHOUT_LAYOUT = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "as in the pipeline": ({}, {}),
    "without an arena": ({"enable_cpu_mem_arena": False}, {}),
    "without memory patterns": ({"enable_mem_pattern": False}, {}),
    "without reuse of memory": ({"enable_mem_reuse": False}, {}),
    "parallel execution": ({"execution_mode": PARALLEL}, {}),
    "without layout optimisation": ({"graph_optimization_level": WITHOUT_LAYOUT}, {}),
    "denormals as zero": ({}, {"session.set_denormal_as_zero": "1"}),
    "without spinning": ({}, {"session.intra_op.allow_spinning": "0"}),
    "without prepacking": ({}, {"session.disable_prepacking": "1"}),
}
Run = Callable[[np.ndarray], object]
Runs = dict[str, tuple[Run, np.ndarray, int]]


def draw_tiles(side: int, seed: int = 0) -> np.ndarray:
    """Draw tiles of smoothed noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (TILES, side // 4, side // 4, 3), dtype=np.uint8)
    smooth = [
        Image.fromarray(each).resize((side, side), Image.Resampling.BICUBIC) for each in coarse
    ]
    return np.stack([np.asarray(each) for each in smooth])


def make_networks(gsd_m: float | None, tiles: np.ndarray) -> dict[str, Backbone]:
    """Export the default backbone with cells, and quantize it: by precision."""
    definition = define_backbone(BACKBONE)
    weights = read_weights(find_weights(BACKBONE))
    exported = export_backbone(
        definition, weights, seed=1, with_program=True, grain=Grain(224, gsd_m)
    )
    fp32 = project_cells(exported, tiles, "benchmark")
    return {"fp32": fp32, "bf16": fp32, "int8": quantize_backbone(fp32, tiles, "benchmark")}


def take_turns(runs: Runs, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Milliseconds a tile by name and round; the tiles of a turn follow on one another."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (run, tiles, batch) in runs.items():
            batches = [tiles[at : at + batch] for at in range(0, len(tiles) - batch + 1, batch)]
            run(batches[0])
            calls, start = 0, time.perf_counter()
            while time.perf_counter() - start < seconds:
                run(batches[calls % len(batches)])
                calls += 1
            took[name].append(1000 * (time.perf_counter() - start) / (calls * batch))
    return took


def summarize(took: dict[str, list[float]], first: str) -> dict[str, dict[str, object]]:
    """Median and quartiles of the milliseconds, and how many times as fast as the first."""
    found: dict[str, dict[str, object]] = {}
    for name, each in took.items():
        ratios = np.divide(took[first], each)
        found[name] = {
            "ms": round(float(np.median(each)), 3),
            "ms_quartiles": np.quantile(each, (0.25, 0.75)).round(3).tolist(),
            "times_as_fast": round(float(np.median(ratios)), 3),
            "times_quartiles": np.quantile(ratios, (0.25, 0.75)).round(3).tolist(),
        }
    return found


class Bench:
    """The networks by side in pixels and precision, and tiles of each side."""

    def __init__(self, rounds: int, seconds: float) -> None:
        self.tiles = {side: draw_tiles(side) for side in SIDES}
        self.networks = {
            side: make_networks(gsd_m, self.tiles[side]) for side, gsd_m in SIDES.items()
        }
        self._rounds, self._seconds = rounds, seconds

    def engines(self) -> dict[str, dict[str, object]]:
        """Every engine that runs in Python, as many tiles at once as the pipeline gives it."""
        runs = {}
        for side, engine, precision in self._combinations():
            network = self.networks[side][precision].network_for(engine)
            opened = open_engine(engine, precision, network)
            runs[f"{engine} {precision} {side}"] = (opened.run_all, self.tiles[side], opened.batch)
        return summarize(self._measure(runs), "onnxruntime fp32 224")

    def batches(self) -> dict[str, dict[str, object]]:
        """ONNX Runtime and torch by number of tiles at once; OpenVINO's number is fixed."""
        found = {}
        for side, engine, precision in self._combinations():
            if engine == "openvino":
                continue
            network = self.networks[side][precision].network_for(engine)
            run = open_engine(engine, precision, network).run
            runs: Runs = {str(batch): (run, self.tiles[side], batch) for batch in BATCHES}
            found[f"{engine} {precision} {side}"] = dict(summarize(self._measure(runs), "1"))
        return found

    def options(self) -> dict[str, dict[str, object]]:
        """ONNX Runtime's options."""
        found = {}
        for side, precision in ((224, "fp32"), (224, "int8"), (112, "int8")):
            onnx = self.networks[side][precision].onnx
            batch = open_engine("onnxruntime", precision, onnx).batch
            runs: Runs = {
                name: (run_session(onnx, *each), self.tiles[side], batch)
                for name, each in OPTIONS.items()
            }
            compared = summarize(self._measure(runs), "as in the pipeline")
            found[f"{precision} {side}"] = {
                name: [each["times_as_fast"], each["times_quartiles"]]
                for name, each in compared.items()
            }
        return found

    def processes(self) -> dict[str, dict[str, object]]:
        """One thread in each of several processes, over many threads in one: all cores busy."""
        cores = len(os.sched_getaffinity(0))
        found: dict[str, dict[str, object]] = {}
        for precision in ("fp32", "int8"):
            onnx = self.networks[224][precision].onnx
            pairs = [
                (run_together(onnx, cores, 1), run_together(onnx, 1, cores))
                for _ in range(self._rounds)
            ]
            ratios = [many / one for many, one in pairs]
            found[precision] = {
                "tiles_a_second": [round(float(each), 1) for each in np.median(pairs, axis=0)],
                "times_as_fast": round(float(np.median(ratios)), 3),
                "times_quartiles": np.quantile(ratios, (0.25, 0.75)).round(3).tolist(),
            }
        return found

    def nodes(self) -> dict[str, dict[str, object]]:
        """Shares of ONNX Runtime's time by kind of node, the largest first."""
        return {
            f"{precision} {side}": dict(profile(network.onnx, self.tiles[side]))
            for side, networks in self.networks.items()
            for precision, network in networks.items()
            if precision != "bf16"
        }

    def _combinations(self) -> Iterator[tuple[int, str, str]]:
        for side in SIDES:
            for engine, precisions in available().items():
                if engine != "synapseml":
                    yield from ((side, engine, each) for each in precisions)

    def _measure(self, runs: Runs) -> dict[str, list[float]]:
        return take_turns(runs, self._rounds, self._seconds)


def open_session(
    onnx: bytes, options: dict[str, Any], entries: dict[str, str], threads: int = 1
) -> ort.InferenceSession:
    """Open a session as the pipeline does, but for these options."""
    given = ort.SessionOptions()
    given.intra_op_num_threads = threads
    given.inter_op_num_threads = 1
    given.log_severity_level = 3
    for name, value in options.items():
        setattr(given, name, value)
    for name, text in entries.items():
        given.add_session_config_entry(name, text)
    return ort.InferenceSession(onnx, given, providers=["CPUExecutionProvider"])


def run_session(onnx: bytes, options: dict[str, Any], entries: dict[str, str]) -> Run:
    """Return what runs such a session."""
    session = open_session(onnx, options, entries)
    return lambda tiles: session.run(None, {"tiles": tiles})


def run_together(onnx: bytes, processes: int, threads: int) -> float:
    """Tiles a second of processes side by side."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return sum(pool.starmap(run_alone, [(onnx, threads)] * processes, chunksize=1))


def run_alone(onnx: bytes, threads: int) -> float:
    """Tiles a second of one process, in three seconds."""
    session, tiles = open_session(onnx, {}, {}, threads), draw_tiles(224)
    session.run(None, {"tiles": tiles[:2]})
    calls, start = 0, time.perf_counter()
    while (took := time.perf_counter() - start) < 3:  # noqa: PLR2004
        session.run(None, {"tiles": tiles[2 * (calls % 40) :][:2]})
        calls += 1
    return 2 * calls / took


def profile(onnx: bytes, tiles: np.ndarray) -> list[tuple[str, float]]:
    """Share of each kind of node in the time of all."""
    spent: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        options = {"enable_profiling": True, "profile_file_prefix": f"{folder}/profile"}
        session = open_session(onnx, options, {})
        for at in range(0, len(tiles) - 1, 2):
            session.run(None, {"tiles": tiles[at : at + 2]})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    for each in events:
        if each.get("cat") == "Node" and each["name"].endswith("_kernel_time"):
            spent[each["args"]["op_name"]] += each["dur"]
    total = sum(spent.values())
    shares = [(name, round(each / total, 4)) for name, each in spent.items()]
    return sorted(shares, key=lambda share: -share[1])


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="of a turn")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    arguments = parser.parse_args()
    bench = Bench(arguments.rounds, arguments.seconds)
    tables = {name: getattr(bench, name)() for name in arguments.tables}
    print(json.dumps({"rounds": arguments.rounds, "load": os.getloadavg()[0], **tables}))


if __name__ == "__main__":
    main()
