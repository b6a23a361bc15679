"""Loops without Spark over tile files: the engine alone, with reading, and torch's own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.features.weights import load_backbone, read_weights
from aerial_kedro.tiles.reading import SceneReader, read_image_file

BACKBONE = "efficientnet_lite0"
LOADER_BATCH = 32
READ_TOGETHER = 64  # fastest: reading and running by turns empties the core's cache


def run_engine(onnx: bytes, precision: str, paths: list[str], batch: int | None = None) -> float:
    """Tiles a second of ONNX Runtime alone: one thread, tiles decoded before."""
    engine = open_engine("onnxruntime", precision, onnx)
    step = batch or engine.batch
    size = define_backbone(BACKBONE).input_size
    tiles = np.stack([read_image_file(path, size) for path in paths])
    engine.run(tiles[:step])
    start = time.perf_counter()
    for first in range(0, len(tiles), step):
        engine.run(tiles[first : first + step])
    return len(tiles) / (time.perf_counter() - start)


def read_and_run(onnx: bytes, precision: str, paths: list[str]) -> float:
    """Tiles a second of reading and decoding some, then ONNX Runtime on them; one thread."""
    engine = open_engine("onnxruntime", precision, onnx)
    size = define_backbone(BACKBONE).input_size
    pixels = np.empty((READ_TOGETHER, size, size, 3), dtype=np.uint8)

    def features(some: list[str]) -> None:
        for row, path in enumerate(some):
            pixels[row] = read_image_file(path, size)
        for first in range(0, len(some), engine.batch):
            engine.run(pixels[first : min(first + engine.batch, len(some))])

    with SceneReader():  # GDAL is set up once, as in the pipeline
        features(paths[:READ_TOGETHER])
        start = time.perf_counter()
        for first in range(0, len(paths), READ_TOGETHER):
            features(paths[first : first + READ_TOGETHER])
        return len(paths) / (time.perf_counter() - start)


def on_all_cores(
    loop: Callable[[bytes, str, list[str]], float],
    onnx: bytes,
    precision: str,
    paths: list[str],
    cores: int,
) -> float:
    """Tiles a second of as many loops side by side, each with its share of the files."""
    shares = [(onnx, precision, paths[number::cores]) for number in range(cores)]
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        return sum(pool.starmap(loop, shares, chunksize=1))


class TileFiles(Dataset[torch.Tensor]):
    """Tiles as a torch user reads them: decoded, scaled and normalised one by one.

    Parameters
    ----------
    paths
        Image files.
    """

    def __init__(self, paths: list[str]) -> None:
        definition = define_backbone(BACKBONE)
        self.paths, self.size = paths, definition.input_size
        self.mean = torch.tensor(definition.mean)[:, None, None]
        self.std = torch.tensor(definition.std)[:, None, None]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        """Read a tile: float32, ``(3, size, size)``."""
        image = Image.open(Path(self.paths[index])).convert("RGB").resize((self.size, self.size))
        pixels = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255
        normalised: torch.Tensor = (pixels - self.mean) / self.std
        return normalised


def run_torch_loader(paths: list[str], cores: int) -> float:
    """Tiles a second of a torch DataLoader and the network in channels-last, on all cores."""
    definition = define_backbone(BACKBONE)
    network = load_backbone(definition, read_weights(find_weights(definition.name)))
    network = network.to(memory_format=torch.channels_last)
    torch.set_num_threads(cores)
    loader = DataLoader(TileFiles(paths), batch_size=LOADER_BATCH, num_workers=cores)
    count, start = 0, 0.0
    with torch.inference_mode():
        for tiles in loader:
            network(tiles.to(memory_format=torch.channels_last))
            if not start:  # the first batch waits for the workers to begin
                start = time.perf_counter()
            else:
                count += len(tiles)
    return count / (time.perf_counter() - start)
