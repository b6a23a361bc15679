"""A DataLoader and the network, as a torch user would write it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.features.weights import load_backbone, read_weights

BACKBONE = "efficientnet_lite0"
LOADER_BATCH = 32


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
