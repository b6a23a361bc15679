"""The projection of cells to principal components in eight bits, and its place in a backbone.

The exported network gives hundreds of numbers a cell (`aerial_kedro.features.cell_maps`), most of
which say the same. Their principal components, fitted on training tiles and folded into the
network's file, keep nearly all of it in 64 bytes.
"""

import hashlib
import io
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import (
    CELLS,
    NUMBERS,
    PROJECTION_FILE,
    Backbone,
    CellEmbedding,
)
from aerial_kedro.features.engines import open_engine

COMPONENTS = 64
"""Numbers of an embedding."""

LARGEST = 127
"""Largest stored value; -128 is left free for nodata."""

_PREFIX = "aerial_kedro/cells/"
_BATCH = 8


@dataclass(frozen=True)
class Projection:
    """An affine map from the numbers of a cell to its embedding, before it is rounded.

    Parameters
    ----------
    centre
        ``(channels,)`` float32: subtracted first.
    matrix
        ``(channels, components)`` float32; in units of the stored integers.
    scales
        ``(components,)`` float64: a stored integer times its scale is the principal component.
    explained
        Share of the variance of the standardised numbers that is kept.
    """

    centre: np.ndarray
    matrix: np.ndarray
    scales: np.ndarray
    explained: float

    def apply(self, numbers: np.ndarray) -> np.ndarray:
        """Embed cells: int8 ``(…, components)`` of numbers ``(…, channels)``."""
        found = np.round((numbers - self.centre) @ self.matrix)
        return np.asarray(np.clip(found, -LARGEST, LARGEST).astype(np.int8))


def fit_projection(numbers: np.ndarray) -> Projection:
    """Fit principal components of standardised numbers, scaled to the range of a byte.

    Parameters
    ----------
    numbers
        ``(cells, channels)``, of training tiles.

    Raises
    ------
    AerialError
        If they are of fewer than two cells, or all alike.
    """
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    kept = min(COMPONENTS, numbers.shape[1], len(numbers) - 1)
    scaler = StandardScaler().fit(numbers) if len(numbers) else None
    if scaler is None or kept < 1 or not (numbers.std(axis=0) > 0).any():
        raise AerialError(
            "The training tiles show nothing that tells cells apart: no embedding can be fitted "
            "to them. Check that the scenes hold images."
        )
    standardised = scaler.transform(numbers).astype(np.float64)
    found = PCA(kept, svd_solver="covariance_eigh").fit(standardised)
    axes = found.components_
    # The sign of a component is arbitrary: that of its largest weight is positive.
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    values = np.abs(standardised @ axes.T).max(axis=0)
    scales = np.maximum(values, np.finfo(np.float32).tiny) / LARGEST
    return Projection(
        centre=scaler.mean_.astype(np.float32),
        matrix=(axes / scaler.scale_ / scales[:, None]).T.astype(np.float32),
        scales=scales,
        explained=float(found.explained_variance_ratio_.sum()),
    )


def numbers_of_cells(exported: Backbone, tiles: np.ndarray) -> np.ndarray:
    """Compute the numbers of cells by the exported network, before any projection.

    Parameters
    ----------
    exported
        In fp32.
    tiles
        ``(n, size, size, 3)``, uint8.

    Returns
    -------
    numpy.ndarray
        ``(n, 7, 7, channels)``, float32.
    """
    engine = open_engine("onnxruntime", "fp32", _with_outputs(exported.onnx, NUMBERS))
    starts = range(0, len(tiles), _BATCH)
    found = [engine.run_with_cells(tiles[at : at + _BATCH])[1] for at in starts]
    return np.concatenate([each for each in found if each is not None])


def project_cells(exported: Backbone, tiles: np.ndarray, fitted_on: str) -> Backbone:
    """Fit the projection on tiles and fold it into the network.

    Parameters
    ----------
    exported
        In fp32; a projection that it has is replaced.
    tiles
        Training tiles, ``(n, size, size, 3)``, uint8.
    fitted_on
        Identity of these tiles.

    Returns
    -------
    Backbone
        With the output ``cells``: int8, ``(batch, 7, 7, components)``.

    Raises
    ------
    AerialError
        If there is no tile to fit on, or the folded network does not give what the projection
        makes of the exported one's numbers.
    """
    if not len(tiles):
        raise AerialError(
            "No training tile could be read to fit the embedding of cells on. Mend the scenes, or "
            "allow more nodata (--params=max_nodata_fraction=…)."
        )
    numbers = numbers_of_cells(exported, tiles)
    projection = fit_projection(numbers.reshape(-1, numbers.shape[-1]))
    folded = _fold(exported.onnx, projection)
    probe = tiles[:_BATCH]
    _, found = open_engine("onnxruntime", "fp32", folded).run_with_cells(probe)
    expected = projection.apply(numbers[: len(probe)]).astype(int)
    # Numbers in the middle between two integers may be rounded either way.
    if found is None or np.abs(found - expected).max() > 1:
        raise AerialError(
            f"The embedding of cells that was folded into {exported.card.name!r} differs from the "
            "network's own numbers. Use another backbone, or another version of onnxruntime."
        )
    kept = _archive(projection)
    program = None if exported.program is None else _fold_program(exported.program, kept)
    embedding = CellEmbedding(
        layers=exported.card.cell_layers,
        channels=numbers.shape[-1],
        scales=tuple(map(float, projection.scales)),
        explained=projection.explained,
        fitted_tiles=len(tiles),
        fitted_on=fitted_on,
        projection_sha256=_digest(projection),
    )
    return _replaced(exported, folded, embedding, program)


def without_cells(backbone: Backbone) -> Backbone:
    """Leave the cells away, which tiles without a place have no use for."""
    card = backbone.card
    if not card.cell_layers:
        return backbone
    program = None if backbone.program is None else _fold_program(backbone.program, b"")
    return _replaced(backbone, _with_outputs(backbone.onnx), None, program)


def _replaced(
    backbone: Backbone, network: bytes, cells: CellEmbedding | None, program: bytes | None
) -> Backbone:
    changes = {
        "cells": cells,
        "onnx_sha256": hashlib.sha256(network).hexdigest(),
        "program_sha256": hashlib.sha256(program).hexdigest() if program else None,
    }
    return replace(
        backbone, onnx=network, program=program, card=backbone.card.model_copy(update=changes)
    )


def _digest(projection: Projection) -> str:
    return hashlib.sha256(projection.centre.tobytes() + projection.matrix.tobytes()).hexdigest()


def _with_outputs(network: bytes, second: str | None = None) -> bytes:
    """Let a network give its features and, as its second output, one of its other values."""
    model = onnx.load_from_string(network)
    del model.graph.output[1:]
    if second is not None:
        kind = TensorProto.INT8 if second == CELLS else TensorProto.FLOAT
        shape: list[str | int | None] = ["batch", SIDE, SIDE, None]
        model.graph.output.append(helper.make_tensor_value_info(second, kind, shape))
    return bytes(model.SerializeToString())


def _fold(network: bytes, projection: Projection) -> bytes:
    """Append the projection to a network, in place of one that it has."""
    model = onnx.load_from_string(network)
    graph = model.graph
    for own in (graph.node, graph.initializer):
        kept = [each for each in own if not each.name.startswith(_PREFIX)]
        del own[:]
        own.extend(kept)
    limits = {"low": np.float32(-LARGEST), "high": np.float32(LARGEST)}
    arrays = {"centre": projection.centre, "matrix": projection.matrix, **limits}
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array), f"{_PREFIX}{name}")
        for name, array in arrays.items()
    )
    steps = [
        ("Sub", [NUMBERS, "centre"], "centred"),
        ("MatMul", ["centred", "matrix"], "components"),
        ("Round", ["components"], "rounded"),
        ("Clip", ["rounded", "low", "high"], "clipped"),
    ]
    for kind, inputs, output in steps:
        names = [each if each == NUMBERS else f"{_PREFIX}{each}" for each in inputs]
        node = helper.make_node(kind, names, [f"{_PREFIX}{output}"], name=f"{_PREFIX}{kind}")
        graph.node.append(node)
    graph.node.append(
        helper.make_node(
            "Cast", [f"{_PREFIX}clipped"], [CELLS], name=f"{_PREFIX}Cast", to=TensorProto.INT8
        )
    )
    return _with_outputs(bytes(model.SerializeToString()), CELLS)


def names_of_projection(graph: onnx.GraphProto) -> list[str]:
    """Name the nodes of a folded projection, which are not to be quantized."""
    return [node.name for node in graph.node if node.name.startswith(_PREFIX)]


def _archive(projection: Projection) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, centre=projection.centre, matrix=projection.matrix)
    return buffer.getvalue()


def _fold_program(program: bytes, projection: bytes) -> bytes:
    """Put the projection beside the network that the engine ``torch`` runs."""
    import torch  # noqa: PLC0415  # loads slowly

    buffer = io.BytesIO()
    # Latin 1 has a character for each byte: extra files are text.
    extra = {PROJECTION_FILE: projection.decode("latin-1")}
    loaded = torch.export.load(io.BytesIO(program))
    torch.export.save(loaded, buffer, extra_files=extra)
    return buffer.getvalue()
