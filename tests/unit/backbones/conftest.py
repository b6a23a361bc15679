from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from aerial_kedro.backbones.artifact import Backbone
from aerial_kedro.backbones.definitions import build_classifier, define_backbone
from aerial_kedro.backbones.export import export_backbone
from aerial_kedro.backbones.weights import find_weights

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def lite0() -> Backbone:
    """The default backbone with its real weights, its last layer alone, exported once."""
    definition = define_backbone("efficientnet_lite0")
    return export_backbone(definition, find_weights(definition), seed=0, pooling="last")


@pytest.fixture
def random_network() -> Callable[[str], nn.Module]:
    """Build a network by name, its weights drawn from a fixed seed."""

    def build(name: str) -> nn.Module:
        torch.manual_seed(7)
        return build_classifier(define_backbone(name)).eval()

    return build


@pytest.fixture
def weights_file(tmp_path: Path) -> Callable[..., Path]:
    """Save anything with ``torch.save`` and say where."""

    def save(content: object, name: str = "weights.pth") -> Path:
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return save


@pytest.fixture(scope="session")
def tiles224() -> np.ndarray:
    """Five tiles of noise, coarse and fine."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (5, 28, 28, 3), dtype=np.uint8)
    tiles = coarse.repeat(8, axis=1).repeat(8, axis=2)
    tiles[0] = rng.integers(0, 256, tiles[0].shape, dtype=np.uint8)
    return tiles
