"""Quantization of a backbone to eight bits, with ranges measured on tiles."""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import quantization
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone
from aerial_kedro.features.cell_projection import names_of_projection

# Raise it when the same tiles would give another int8 network.
QUANTIZATION_VERSION = "2"
_BATCH = 4
# Statistics of the features and their square root stay in floating point.
_QUANTIZED = ["Conv", "Add", "Clip", "Relu"]


class _Tiles(quantization.CalibrationDataReader):  # type: ignore[misc]  # untyped
    def __init__(self, tiles: np.ndarray) -> None:
        starts = range(0, len(tiles), _BATCH)
        self._batches = iter([{"tiles": tiles[at : at + _BATCH]} for at in starts])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)


def name_calibration(tiles: Sequence[tuple[str, str]]) -> str:
    """Name a calibration by its tiles.

    Parameters
    ----------
    tiles
        ``image_id`` and ``source_version`` of each, in any order.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    text = repr((QUANTIZATION_VERSION, sorted(tiles)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def quantize_backbone(backbone: Backbone, tiles: np.ndarray, calibration: str) -> Backbone:
    """Quantize a backbone's convolutions to int8, weights by channel and activations by range.

    The convolutions that `leading_convolutions` names stay in floating point: of EfficientNet-Lite0
    they make an eighth of the work and nearly all of the loss, since few channels with ranges of
    their own carry all that follows.

    Parameters
    ----------
    backbone
        In fp32.
    tiles
        ``(n, size, size, 3)``, uint8; ranges are the least and greatest values found on them.
    calibration
        `name_calibration` of the tiles.

    Raises
    ------
    AerialError
        If there is no tile, or the network has no convolution to quantize.
    """
    if not len(tiles):
        raise AerialError(
            "No tile could be read to calibrate precision=int8 on. Mend the tiles, or use "
            "--params=precision=fp32."
        )
    model = onnx.load_from_string(backbone.onnx)
    kept = leading_convolutions(model.graph)
    if not any(node.op_type == "Conv" and node.name not in kept for node in model.graph.node):
        raise AerialError(
            f"The backbone {backbone.card.name!r} has no convolutions that int8 could speed up. "
            "Use --params=precision=fp32."
        )
    add_pre_process_metadata(model)  # the export has folded the graph already
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            model,
            path,
            _Tiles(tiles),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            # Seven bits: without VNNI a processor adds pairs of products in 16 bits, where those of
            # eight-bit weights overflow, and the same file gives other features than with it.
            reduce_range=True,
            op_types_to_quantize=_QUANTIZED,
            nodes_to_exclude=[*kept, *names_of_projection(model.graph)],
        )
        quantized = path.read_bytes()
    card = backbone.card.model_copy(
        update={
            "precision": "int8",
            "calibration": calibration,
            "onnx_sha256": hashlib.sha256(quantized).hexdigest(),
            "program_sha256": None,
        }
    )
    return Backbone(quantized, card)


def leading_convolutions(graph: onnx.GraphProto) -> list[str]:
    """Name the convolution that sees the pixels, and the separable one right behind it.

    Parameters
    ----------
    graph
        Its nodes in the order in which they run.
    """
    first = [node for node in graph.node if node.op_type == "Conv"][:3]
    is_separable = len(first) > 1 and any(
        each.name == "group" and each.i > 1 for each in first[1].attribute
    )
    return [node.name for node in (first if is_separable else first[:1])]
