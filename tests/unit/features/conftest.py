from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from aerial_kedro.features.definitions import build_classifier, define_backbone

torch.set_num_threads(1)


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
