"""What a network between scenes and workers costs one core: tiles read ahead, or by turns.

A server on this machine answers each request after a while, as storage far away does. One worker
computes features of tiles of its scenes, and of image files: by threads that read ahead, as workers
do, and by turns with the network, as if they lay on the disk; both in each round. ``requests`` are
of a tile.

Run it with ``make bench-distance``, or ``python -m benchmarks.distance --delays 10 100``.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
from PIL import Image

from aerial_kedro.features import groups
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.cell_projection import without_cells
from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.export import export_backbone
from aerial_kedro.features.featurize import featurize_batches
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.features.weights import read_weights
from aerial_kedro.imagery.access import RULES_VARIABLE, AccessRules
from aerial_kedro.scenes.addresses import is_distant
from aerial_kedro.tiles.reading import SOURCE_COLUMNS
from benchmarks.results import summarise
from benchmarks.scene_tiles import draw_scenes

Tiles = list[dict[Any, Any]]
WAYS = {"ahead": is_distant, "by_turns": lambda _: False}


def serve(folder: Path, delay_s: float, answers: Connection) -> None:
    """Serve the files of a folder by range; send the port, and then the requests when asked."""
    count = itertools.count()
    content = {path.name: path.read_bytes() for path in folder.iterdir()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            next(count)
            time.sleep(delay_s)
            file = content[self.path.rsplit("/", 1)[-1]]
            first, last, status = 0, len(file) - 1, 200
            if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                first, last, status = int(found[1]), min(int(found[2] or last), last), 206
            self.send_response(status)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(file)}")
            self.send_header("Content-Length", str(last - first + 1))
            self.end_headers()
            if self.command != "HEAD":
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(file[first : last + 1])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    answers.send(server.server_port)
    with contextlib.suppress(KeyboardInterrupt):
        server.timeout = 0.1
        while not answers.poll():
            server.handle_request()
    answers.send(next(count))
    server.server_close()


@contextlib.contextmanager
def served(folder: Path, delay_s: float) -> Iterator[tuple[str, list[int]]]:
    """Serve a folder from a process of its own; give its address, and at the end the requests."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(folder, delay_s, theirs))
    process.start()
    requests: list[int] = []
    try:
        yield f"http://127.0.0.1:{ours.recv()}", requests
    finally:
        ours.send("end")
        requests.append(ours.recv())
        process.join(timeout=10)


def measure(
    tiles: Tiles, folder: Path, delay_s: float, way: str, backbone: Backbone
) -> dict[str, float]:
    """Compute the features of tiles once; return tiles a second and requests a tile."""
    with (
        served(folder, delay_s) as (base, requests),
        mock.patch.object(groups, "is_distant", WAYS[way]),
    ):
        far = [{**tile, "href": f"{base}/{Path(str(tile['href'])).name}"} for tile in tiles]
        batch = pa.RecordBatch.from_pylist(far)
        start = time.perf_counter()
        found = featurize_batches(
            iter([batch]), network=backbone.onnx, input_size=backbone.card.input_size,
            feature_key="distance", engine="onnxruntime", precision="fp32",
        )  # fmt: skip
        rows = sum(each.num_rows for each in found)
        seconds = time.perf_counter() - start
    if rows != len(tiles):
        raise SystemExit(f"{len(tiles) - rows} of {len(tiles)} tiles could not be read.")
    return {"tiles_per_s": rows / seconds, "requests": requests[0] / rows}


def scenes(folder: Path, count: int) -> Tiles:
    """Write scenes; list their tiles."""
    table = draw_scenes(folder, count)[SOURCE_COLUMNS]
    found: Tiles = table.astype(object).where(table.notna(), None).to_dict("records")
    return found


def files(folder: Path, count: int) -> Tiles:
    """Write tiles as PNG files, as much like land as the scenes are."""
    rng = np.random.default_rng(1)
    tiles: Tiles = []
    for number in range(count):
        coarse = rng.integers(30, 200, (7, 7, 3), dtype=np.uint8).repeat(32, 0).repeat(32, 1)
        path = folder / f"{number:04d}.png"
        Image.fromarray(coarse + rng.integers(0, 16, coarse.shape, dtype=np.uint8)).save(path)
        given = {"image_id": path.stem, "source_version": "1", "href": str(path), "kind": "file"}
        tiles.append({**dict.fromkeys(SOURCE_COLUMNS), **given})
    return tiles


def compare(rounds: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    """Summarise rounds: the ratio of both ways, and each alone."""
    ratios = [each["ahead"]["tiles_per_s"] / each["by_turns"]["tiles_per_s"] for each in rounds]
    alone = {
        way: {key: summarise([each[way][key] for each in rounds]) for key in rounds[0][way]}
        for way in WAYS
    }
    return {"ahead_over_by_turns": summarise(ratios), **alone}


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delays", type=int, nargs="+", default=[0, 20, 60], help="ms")
    given = parser.parse_args()
    rules = AccessRules(hosts=("127.0.0.1",), signers=())
    os.environ[RULES_VARIABLE] = rules.model_dump_json()
    definition = define_backbone("efficientnet_lite0")
    backbone = without_cells(
        export_backbone(
            definition, read_weights(find_weights(definition.name)), seed=0, pooling="last"
        )
    )
    figures: dict[str, object] = {"threads": rules.threads, "tiles": given.tiles}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "scenes"
        for kind, tiles in (
            ("scenes", scenes(folder, given.tiles)),
            ("files", files(folder, given.tiles)),
        ):
            measure(tiles[:64], folder, 0, "ahead", backbone)  # the engine is opened once
            for delay in given.delays:
                rounds = [
                    {way: measure(tiles, folder, delay / 1000, way, backbone) for way in WAYS}
                    for _ in range(given.rounds)
                ]
                found = figures[f"{kind}, {delay} ms"] = compare(rounds)
                print(kind, delay, json.dumps(found))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
