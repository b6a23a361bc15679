"""A network that costs next to nothing, for benchmarks of everything around it."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

SIDE = 224
CELL_PX = 32
CHANNELS, FEATURES = 96, 1_280


class StubNetwork(nn.Module):
    """Mean colours of cells, mixed: as many features as a real network's, maps of 7 by 7."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.maps, self.features = nn.Conv2d(3, CHANNELS, 1), nn.Conv2d(CHANNELS, FEATURES, 1)

    def forward(self, tiles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Take pixels ``(n, 224, 224, 3)`` uint8; give features ``(n, 1280)`` and maps."""
        scaled = tiles.permute(0, 3, 1, 2).float() / 127.5 - 1
        maps = torch.relu(self.maps(nn.functional.avg_pool2d(scaled, CELL_PX)))
        return self.features(maps.mean((2, 3), keepdim=True)).flatten(1), maps


def write_network(path: Path) -> None:
    """Write it as a finished network (`backbone_onnx`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            StubNetwork().eval(),
            (torch.zeros((1, SIDE, SIDE, 3), dtype=torch.uint8),),
            str(path),
            input_names=["tiles"],
            output_names=["features", "maps"],
            dynamic_axes={"tiles": {0: "n"}},
            opset_version=13,
            dynamo=False,
        )
