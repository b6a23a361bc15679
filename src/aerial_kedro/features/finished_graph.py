"""The graph of a finished network between the input and the outputs of a backbone."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.features.artifact import NUMBERS, BackboneCard
from aerial_kedro.features.cell_maps import CellLayer, weights_of_cells

_OWN = "network/"  # in front of the file's own names
_ADDED = "aerial_kedro/"
_CHANNELS = 3


@dataclass(frozen=True)
class Entrance:
    """How the file takes tiles.

    Parameters
    ----------
    name
        Name of its input.
    size
        Side in pixels; None for any.
    takes_pixels
        Whether it takes uint8 pixels, channels last, as they are.
    """

    name: str
    size: int | None
    takes_pixels: bool


@dataclass(frozen=True)
class Exits:
    """Which of the file's outputs are used.

    Parameters
    ----------
    features
        Name of the one with a vector a tile.
    layer
        The one that embeds cells; None for none.
    shape
        Shape of that, ``(batch, …)``; empty for none.
    """

    features: str
    layer: CellLayer | None = None
    shape: tuple[int, ...] = ()


def wrap_network(
    model: onnx.ModelProto, entrance: Entrance, exits: Exits, card: BackboneCard
) -> bytes:
    """Give a network the input and the outputs of a backbone.

    Parameters
    ----------
    model
        The network; it is left as it is.
    entrance, exits
        Its input and its outputs.
    card
        Size, mean and deviation of the input.

    Returns
    -------
    bytes
        An ONNX file as `aerial_kedro.features.artifact.Backbone` has it.
    """
    wrapped = onnx.compose.add_prefix(model, _OWN)
    graph, entry = wrapped.graph, _OWN + entrance.name
    for number, node in enumerate(graph.node):
        node.name = node.name or f"{_OWN}{node.op_type}_{number}"
    added = _Nodes()
    if entrance.takes_pixels:
        added.node("Identity", "tiles", into=entry)
    else:
        mean, std = (
            np.array(each, dtype=np.float32).reshape(1, _CHANNELS, 1, 1) * 255
            for each in (card.mean, card.std)
        )
        planes = added.node("Transpose", added.node("Cast", "tiles", to=1), perm=[0, 3, 1, 2])
        centred = added.node("Sub", planes, added.constant(mean))
        added.node("Div", centred, added.constant(std), into=entry)
    before = added.take()
    added.node("Flatten", _OWN + exits.features, axis=1, into="features")
    float32 = TensorProto.FLOAT
    ends = [_describe("features", float32, card.n_features)]
    if exits.layer is not None:
        channels = _add_cells(added, exits.layer, exits.shape)
        ends.append(_describe(NUMBERS, float32, SIDE, SIDE, channels))
    nodes = [*before, *graph.node, *added.take()]
    del graph.node[:], graph.output[:], graph.value_info[:]
    kept = [each for each in graph.input if each.name != entry]
    del graph.input[:]
    size = card.input_size
    graph.input.extend([_describe("tiles", TensorProto.UINT8, size, size, _CHANNELS), *kept])
    graph.node.extend(nodes)
    graph.output.extend(ends)
    graph.initializer.extend(added.constants)
    return bytes(wrapped.SerializeToString())


def _describe(name: str, kind: int, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, ["batch", *shape])


def _add_cells(added: "_Nodes", layer: CellLayer, shape: tuple[int, ...]) -> int:
    """Add what `aerial_kedro.features.cell_maps.numbers_of_cells` computes; return the channels."""
    maps = _OWN + layer.name
    if layer.layout == "tokens":
        side = math.isqrt(shape[1])
        first, last, axis = (
            added.constant(np.array([each])) for each in (shape[1] - side**2, shape[1], 1)
        )
        patches = added.node("Slice", maps, first, last, axis)
        flat = added.node("Transpose", patches, perm=[0, 2, 1])
        maps = added.node("Reshape", flat, added.constant(np.array([0, -1, side, side])))
        channels = shape[2]
    else:
        side = shape[2]
        channels = shape[1] if layer.layout == "channels" else shape[3]
        if layer.layout == "rows":
            maps = added.node("Transpose", maps, perm=[0, 3, 1, 2])
    weights = weights_of_cells(side).numpy().astype(np.float32)
    rows = added.node("MatMul", added.constant(weights), maps)
    mean = added.node("MatMul", rows, added.constant(weights.T.copy()))
    cells = added.node("Transpose", mean, perm=[0, 2, 3, 1])
    root = added.node("Sqrt", added.node("Abs", cells))
    added.node("Mul", added.node("Sign", cells), root, into=NUMBERS)
    return channels


class _Nodes:
    """Nodes that are added to a graph, each with a name of its own."""

    def __init__(self) -> None:
        self.constants: list[onnx.TensorProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._count = 0

    def node(self, operator: str, *inputs: str, into: str | None = None, **options: Any) -> str:
        """Add a node and return the name of its output."""
        self._count += 1
        name = f"{_ADDED}{operator}_{self._count}"
        self._nodes.append(helper.make_node(operator, inputs, [into or name], name, **options))
        return into or name

    def constant(self, values: np.ndarray) -> str:
        """Add a constant and return its name."""
        name = f"{_ADDED}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def take(self) -> list[onnx.NodeProto]:
        """Return the nodes since the last time."""
        taken, self._nodes = self._nodes, []
        return taken
