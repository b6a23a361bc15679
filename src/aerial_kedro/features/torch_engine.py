"""The engine ``torch``: what `torch.export` wrote, on a processor or a graphics card."""

import io
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeAlias

import numpy as np
import torch

from aerial_kedro.features.artifact import PROJECTION_FILE

Run: TypeAlias = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]

# Tiles at once.
_ON_PROCESSOR, _ON_CARD = 2, 64


def open_program(program: bytes, precision: str) -> tuple[int, Run]:
    """Open what `torch.export.save` wrote: on a graphics card where there is one.

    So a worker needs torch, but neither timm nor torchvision nor this project's definitions. In
    ``bf16`` convolutions and matrix products are rounded.

    Parameters
    ----------
    program
        `aerial_kedro.features.artifact.Backbone.program`.
    precision
        ``fp32`` or ``bf16``.

    Returns
    -------
    tuple
        ``batch`` and ``run_with_cells`` of `aerial_kedro.features.engines.Engine`.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    on_card = device.type == "cuda"
    if on_card:
        # Ten bits of mantissa, PyTorch's default for convolutions, are not fp32.
        torch.backends.cudnn.allow_tf32 = False
    else:
        torch.set_num_threads(1)
    extra = {PROJECTION_FILE: ""}
    exported = torch.export.load(io.BytesIO(program), extra_files=extra).module()
    project = _read_projection(extra[PROJECTION_FILE], device)
    # Tiles come as rows, columns, channels and stay so; twice as fast on a processor.
    network = exported.to(device).to(memory_format=torch.channels_last)

    def run(tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        half = precision == "bf16"
        rounding = torch.autocast(device.type, torch.bfloat16) if half else nullcontext()
        with torch.inference_mode(), rounding:
            features, *numbers = network(torch.from_numpy(tiles).to(device))
        cells = project(numbers[0].float()).cpu().numpy() if project and numbers else None
        return np.asarray(features.float().cpu().numpy()), cells

    return _ON_CARD if on_card else _ON_PROCESSOR, run


def _read_projection(archive: str | bytes, device: Any) -> Callable[[Any], Any] | None:
    """Read how `open_program` embeds cells; None where the file says nothing of it."""
    if not archive:
        return None
    content = archive if isinstance(archive, bytes) else archive.encode("latin-1")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        centre, matrix = (
            torch.from_numpy(arrays[name]).to(device) for name in ("centre", "matrix")
        )
    largest = np.iinfo(np.int8).max

    def project(numbers: Any) -> Any:
        return torch.round((numbers - centre) @ matrix).clamp(-largest, largest).to(torch.int8)

    return project
