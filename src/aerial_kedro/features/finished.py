"""A finished network, an ONNX file that somebody else exported, made into a backbone.

The contract: one input, and either

- uint8 ``(batch, side, side, 3)``: pixels as they are, with the preprocessing inside; or
- float32 ``(batch, 3, side, side)``: pixels that are scaled to 0-1, less ``input_mean`` and divided
  by ``input_std``, which the run has to give;

an output with one vector a tile, ``(batch, n)``, is the features. Another, with maps
``(batch, channels, rows, columns)`` or ``(batch, rows, columns, channels)``, or with a
transformer's tokens ``(batch, tokens, channels)``, those of the patches last, embeds the cells.
"""

import hashlib
import logging
import math

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Backbone, BackboneCard, WeightsFile
from aerial_kedro.features.cell_maps import layer_of, numbers_of_cells
from aerial_kedro.features.engines import open_engine
from aerial_kedro.features.export import MIN_COSINE, fold_shapes, parity_tiles
from aerial_kedro.features.finished_graph import Entrance, Exits, wrap_network
from aerial_kedro.features.grain import Grain
from aerial_kedro.features.input_sizes import first_line
from aerial_kedro.features.precision_loss import smallest_cosine

LOGGER = logging.getLogger(__name__)

_OLDEST_OPSET = 11
_CHANNELS = 3


def adopt_network(
    file: WeightsFile, pooling: str, seed: int, grain: Grain | None = None
) -> Backbone:
    """Make a backbone of a finished network, and prove it equal to the file.

    Parameters
    ----------
    file
        The ONNX file, and what the run asks of the input.
    pooling
        The run parameter; a finished network has its own pooling.
    seed
        Draws the tiles of the proof.
    grain
        What the run asks of the input's pixels; None for the network's own.

    Raises
    ------
    AerialError
        If the file does not keep the contract of this module, or cannot be run.
    """
    if pooling not in {"auto", "last"}:
        raise _refusal(file, f"pooling={pooling} is asked for, and it has a pooling of its own")
    model = _read(file)
    entrance = _find_entrance(file, model)
    size = _choose_size(file, entrance, grain)
    mean, std = _choose_scale(file, entrance)
    tiles = parity_tiles(size, seed)
    outputs = _run_alone(file, tiles, entrance, mean, std)
    exits = _find_exits(file, outputs)
    layer = exits.layer
    card = BackboneCard(
        name=file.backbone,
        architecture="onnx/finished",
        weights_source=file.source,
        weights_sha256=file.sha256,
        input_size=size,
        n_features=math.prod(outputs[exits.features].shape[1:]),
        mean=mean,
        std=std,
        preprocessing="inside the network" if entrance.takes_pixels else "input_mean, input_std",
        weights_notes=(
            f"features: output {exits.features}",
            f"cells: output {layer.name}" if layer else "cells: none, no output has maps",
        ),
        opset=_opset(model),
        parity_cosine=0.0,
        onnx_sha256="",
        cell_layers=(layer.name,) if layer else (),
    )
    network = wrap_network(model, entrance, exits, card)
    try:
        # Constants that the file computes; quantization looks for them where they are used.
        folded = fold_shapes(network)
        cosine = _prove(file, folded, tiles, outputs, exits)
        network = folded
    except Exception as error:  # noqa: BLE001  # the runtime's own, one for each way to fail
        LOGGER.debug("The graph stays as it came: %s", error)
        cosine = _prove(file, network, tiles, outputs, exits)
    proven = {
        "parity_cosine": cosine,
        "onnx_sha256": hashlib.sha256(network).hexdigest(),
    }
    LOGGER.info("The network %s: %s", file.name, "; ".join(card.weights_notes))
    return Backbone(network, card.model_copy(update=proven))


def _refusal(file: WeightsFile, problem: str) -> AerialError:
    return AerialError(f"The network {file.name} cannot be a backbone: {problem}.")


def _read(file: WeightsFile) -> onnx.ModelProto:
    try:
        model = onnx.load_from_string(file.content)
    except Exception as error:  # protobuf's own
        raise _refusal(file, f"it is no ONNX file ({first_line(error)})") from error
    if not model.graph.node:
        raise _refusal(file, "it is no ONNX file, or an empty one")
    if any(each.data_location == TensorProto.EXTERNAL for each in model.graph.initializer):
        raise _refusal(
            file, "its weights are in another file beside it; save it as one (onnx.save of the "
            "loaded model does, up to 2 GB)"
        )  # fmt: skip
    if _opset(model) < _OLDEST_OPSET:
        raise _refusal(
            file, f"it is of opset {_opset(model)}; export it in {_OLDEST_OPSET} or newer"
        )
    return model


def _opset(model: onnx.ModelProto) -> int:
    versions = [each.version for each in model.opset_import if each.domain in {"", "ai.onnx"}]
    return int(max(versions, default=0))


def _find_entrance(file: WeightsFile, model: onnx.ModelProto) -> Entrance:
    constants = {each.name for each in model.graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in constants]
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs)
        raise _refusal(file, f"it has the inputs {names}, and one, the tiles, is given to it")
    kind = inputs[0].type.tensor_type
    shape = [each.dim_value or None for each in kind.shape.dim]
    takes_pixels = kind.elem_type == TensorProto.UINT8
    ends = {TensorProto.UINT8: (3, 1, 2), TensorProto.FLOAT: (1, 2, 3)}.get(kind.elem_type)
    if ends is None or len(shape) != 4 or shape[ends[0]] not in {None, _CHANNELS}:  # noqa: PLR2004
        raise _refusal(
            file,
            f"its input {inputs[0].name} is {TensorProto.DataType.Name(kind.elem_type).lower()} of "
            f"the shape {tuple(shape)}; it must be uint8 (batch, side, side, 3) or float "
            "(batch, 3, side, side)",
        )
    rows, columns = shape[ends[1]], shape[ends[2]]
    if rows != columns:
        raise _refusal(file, f"its input has {rows} by {columns} pixels, and tiles are square")
    if shape[0] not in {None, 1}:
        raise _refusal(file, f"it takes {shape[0]} tiles at once; export it for a batch of any")
    return Entrance(inputs[0].name, rows, takes_pixels)


def _choose_size(file: WeightsFile, entrance: Entrance, grain: Grain | None) -> int:
    asked, own = file.request.size, entrance.size
    if asked is not None and own is not None and asked != own:
        raise _refusal(file, f"its input has {own} pixels, and input_size={asked} is asked for")
    size = asked or own
    chosen = grain.choose_input(size) if grain else size
    if chosen is None:
        raise _refusal(file, "it takes inputs of any size; give --params=input_size=PIXELS")
    if grain and own is not None and chosen != own:
        raise grain.refuse_input(file.backbone, [own], "its input is fixed")
    return chosen


def _choose_scale(
    file: WeightsFile, entrance: Entrance
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    mean, std = file.request.mean, file.request.std
    if entrance.takes_pixels:
        if mean or std:
            raise _refusal(
                file, "it takes pixels as they are, with its preprocessing inside; leave "
                "input_mean and input_std out"
            )  # fmt: skip
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if mean is None or std is None:
        raise _refusal(
            file, "its input is float, and nothing says how pixels are scaled; give "
            "--params=input_mean=A/B/C,input_std=A/B/C (0 and 1 for pixels divided by 255)"
        )  # fmt: skip
    return mean, std


def _run_alone(
    file: WeightsFile,
    tiles: np.ndarray,
    entrance: Entrance,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> dict[str, np.ndarray]:
    """Run the file as it came, one tile at a time."""
    given = tiles
    if not entrance.takes_pixels:
        scaled = (tiles / 255.0 - np.array(mean)) / np.array(std)
        given = scaled.transpose(0, 3, 1, 2).astype(np.float32)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(file.content, options, providers=["CPUExecutionProvider"])
        found = [session.run(None, {entrance.name: given[at : at + 1]}) for at in range(len(given))]
    except Exception as error:  # the runtime has an error for each way to fail
        raise _refusal(file, f"ONNX Runtime does not run it ({first_line(error)})") from error
    names = [each.name for each in session.get_outputs()]
    return {
        name: np.concatenate(each)
        for name, each in zip(names, zip(*found, strict=True), strict=True)
        if all(isinstance(one, np.ndarray) and one.ndim and len(one) == 1 for one in each)
    }


def _find_exits(file: WeightsFile, outputs: dict[str, np.ndarray]) -> Exits:
    """Choose the first vector for the features, and the first maps for the cells."""
    shapes = {name: each.shape for name, each in outputs.items() if each.dtype == np.float32}
    vectors = [
        name
        for name, shape in shapes.items()
        if len(shape) > 1 and all(side == 1 for side in shape[2:])
    ]
    if not vectors:
        found = ", ".join(f"{name} {each.shape}" for name, each in outputs.items())
        raise _refusal(
            file, f"no output is one vector of float32 a tile, (batch, n); it gives {found}"
        )
    layers = (layer_of(name, shape) for name, shape in shapes.items() if name not in vectors)
    layer = next((each for each in layers if each is not None), None)
    return Exits(vectors[0], layer, shapes[layer.name] if layer else ())


def _prove(
    file: WeightsFile,
    network: bytes,
    tiles: np.ndarray,
    outputs: dict[str, np.ndarray],
    exits: Exits,
) -> float:
    """Least cosine of any tile's features, or cell's numbers, with those of the file alone."""
    try:
        found, cells = open_engine("onnxruntime", "fp32", network).run_with_cells(tiles)
    except Exception as error:
        problem = f"it takes one tile at a time ({first_line(error)}); export it for a batch of any"
        raise _refusal(file, problem) from error
    pairs = [(outputs[exits.features].reshape(len(tiles), -1), found)]
    if (layer := exits.layer) is not None and cells is not None:
        expected = numbers_of_cells([(torch.from_numpy(outputs[layer.name]), layer)]).numpy()
        pairs.append((expected.reshape(-1, cells.shape[-1]), cells.reshape(-1, cells.shape[-1])))
    cosine = min(smallest_cosine(one, other) for one, other in pairs)
    if not cosine >= MIN_COSINE:
        raise _refusal(
            file,
            f"several tiles at once give other features than each alone (cosine {cosine:.6f}, at "
            f"least {MIN_COSINE} is needed)",
        )
    return cosine
