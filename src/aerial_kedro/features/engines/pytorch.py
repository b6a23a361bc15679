"""PyTorch: on a graphics card where there is one, else on one thread.

The network travels as `torch.export` writes it, so that a worker needs torch, but neither timm
nor torchvision nor this project's definitions.
"""

from __future__ import annotations

import io
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch


class TorchEngine:
    """A backbone in PyTorch.

    Parameters
    ----------
    program
        What `torch.export.save` wrote.
    precision
        ``fp32`` or ``bf16``; with the second, convolutions and matrix products are rounded.
    """

    def __init__(self, program: bytes, precision: str) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        on_card = self._device.type == "cuda"
        self.batch = 64 if on_card else 2
        if on_card:
            # Ten bits of mantissa, PyTorch's default for convolutions, are not fp32.
            torch.backends.cudnn.allow_tf32 = False
        else:
            torch.set_num_threads(1)
        network = torch.export.load(io.BytesIO(program)).module()
        # Tiles come as rows, columns, channels and stay so; twice as fast on a processor.
        self._network = network.to(self._device).to(memory_format=torch.channels_last)
        self._half = precision == "bf16"

    def run(self, tiles: np.ndarray) -> np.ndarray:
        """Features of a batch of tiles."""
        with torch.inference_mode(), self._rounding():
            features = self._network(torch.from_numpy(tiles).to(self._device))
        return np.asarray(features.float().cpu().numpy())

    def _rounding(self) -> AbstractContextManager[object]:
        if not self._half:
            return nullcontext()
        return torch.autocast(self._device.type, torch.bfloat16)
