"""Loops without Spark over tiles: the engine alone, and with reading."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from aerial_kedro.features.engines import open_engine
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.reading import Tile, read_tile, read_tile_into
from benchmarks.processes import PROJECT

READ_TOGETHER = 64  # fastest: reading and running by turns empties the core's cache


@dataclass(frozen=True)
class Work:
    """What a loop is given.

    Parameters
    ----------
    onnx
        The network.
    precision
        Its precision.
    size
        Side of its input in pixels.
    tiles
        Tiles, scene by scene, with `aerial_kedro.tiles.reading.SOURCE_COLUMNS`.
    """

    onnx: bytes = field(repr=False)
    precision: str
    size: int
    tiles: Sequence[Tile]

    def first(self, count: int) -> Work:
        """Keep the first tiles."""
        return replace(self, tiles=self.tiles[:count])


def run_engine(work: Work) -> float:
    """Tiles a second of ONNX Runtime alone: one thread, tiles decoded before."""
    engine = open_engine("onnxruntime", work.precision, work.onnx)
    with SceneReader() as reader:
        tiles = np.stack([read_tile(each, work.size, reader) for each in work.tiles])
    engine.run(tiles[: engine.batch])
    start = time.perf_counter()
    for first in range(0, len(tiles), engine.batch):
        engine.run(tiles[first : first + engine.batch])
    return len(tiles) / (time.perf_counter() - start)


def read_and_run(work: Work) -> float:
    """Tiles a second of reading and decoding some, then ONNX Runtime on them; one thread."""
    engine = open_engine("onnxruntime", work.precision, work.onnx)
    pixels = np.empty((READ_TOGETHER, work.size, work.size, 3), dtype=np.uint8)

    def features(some: Sequence[Tile], reader: SceneReader) -> None:
        for row, tile in enumerate(some):
            read_tile_into(pixels[row], tile, reader)
        for first in range(0, len(some), engine.batch):
            engine.run(pixels[first : min(first + engine.batch, len(some))])

    with SceneReader() as reader:  # scenes stay open, and GDAL is set up once, as in the pipeline
        features(work.tiles[:READ_TOGETHER], reader)
        start = time.perf_counter()
        for first in range(0, len(work.tiles), READ_TOGETHER):
            features(work.tiles[first : first + READ_TOGETHER], reader)
        return len(work.tiles) / (time.perf_counter() - start)


LOOPS = {"engine": run_engine, "bare": read_and_run}


def on_all_cores(loop: str, work: Work, cores: int) -> float:
    """Tiles a second of as many of `LOOPS` side by side, each with its share of neighbours.

    In processes of their own, which import nothing else.
    """
    step = -(-len(work.tiles) // cores)
    processes = []
    for first in range(0, len(work.tiles), step):
        command = [sys.executable, "-m", "benchmarks.loops", loop]
        process = subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        processes.append(process)
        assert process.stdin is not None  # as it is a pipe
        pickle.dump(replace(work, tiles=work.tiles[first : first + step]), process.stdin)
        process.stdin.close()
    rates = [float(process.stdout.read()) for process in processes if process.stdout]
    if any(process.wait() for process in processes):
        raise SystemExit(f"A loop ({loop}) failed: see above.")
    return sum(rates)


if __name__ == "__main__":
    print(LOOPS[sys.argv[1]](pickle.load(sys.stdin.buffer)))
