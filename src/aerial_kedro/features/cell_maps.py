"""What a network knows of the cells of a tile: its maps before they are averaged away.

The last maps of most networks have 7 by 7 positions, those of earlier stages more. Together they
describe the square of ground under each position: late ones by what it is used for, early ones by
its texture and colour.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import nn

from aerial_kedro.cells.grid import SIDE
from aerial_kedro.features.known import BackboneDefinition

# Of the sizes of maps that a network has, the smallest three: at 224 pixels usually 7, 14 and 28.
_SCALES = 3
# A vision transformer's tokens: those of patches, behind at most so many of another kind.
_MOST_PREFIX_TOKENS = 16
_SMALLEST = 3  # positions a side, below which maps say nothing of cells

Layout = Literal["channels", "rows", "tokens"]


@dataclass(frozen=True)
class CellLayer:
    """A layer whose output says something of the cells.

    Parameters
    ----------
    name
        Name of the module in the network.
    layout
        How its output lies: ``channels`` ``(batch, channels, rows, columns)``, ``rows`` ``(batch,
        rows, columns, channels)``, ``tokens`` ``(batch, tokens, channels)``.
    with_spread
        Whether the standard deviation inside each cell is taken as well as the mean.
    prefix
        Of ``tokens``: how many come before those of the patches (class token, registers); None
        where the network does not say it, and all beyond a square number are.
    """

    name: str
    layout: Layout = "channels"
    with_spread: bool = False
    prefix: int | None = None


def cell_layers(network: nn.Module, definition: BackboneDefinition) -> list[CellLayer]:
    """Choose the layers of a network that embed cells.

    The definition's own where it names some. Else, of each of the three coarsest sizes of maps,
    the last layer that gives such maps, and of the finest of them the spread as well; of a vision
    transformer the last layer that gives a token for each patch.

    Parameters
    ----------
    network
        Cut before its last layer, in evaluation mode.
    definition
        Definition of that network.

    Returns
    -------
    list of CellLayer
        Empty where the network has no maps.
    """
    if definition.cell_stages:
        *coarser, finest = definition.cell_stages
        return [*(CellLayer(name) for name in coarser), CellLayer(finest, with_spread=True)]
    found: dict[int, CellLayer] = {}
    last_tokens: CellLayer | None = None

    def look(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            nonlocal last_tokens
            shape = tuple(output.shape) if isinstance(output, torch.Tensor) else ()
            layer = layer_of(name, shape)
            if layer is None:
                return
            if layer.layout == "tokens":
                last_tokens = replace(layer, prefix=_prefix(network, shape[1]))
                return
            side = shape[2]
            found.pop(side, None)
            found[side] = layer
            last_tokens = None

        return hook

    hooks = [
        module.register_forward_hook(look(name)) for name, module in network.named_modules() if name
    ]
    size = definition.input_size
    with torch.inference_mode():
        network(torch.zeros(1, 3, size, size))
    for each in hooks:
        each.remove()
    if last_tokens is not None:
        return [last_tokens]
    sides = sorted(found)[:_SCALES]
    layers = [found[side] for side in sides]
    if len(layers) > 1:
        finest_layer = layers.pop()
        layers.append(CellLayer(finest_layer.name, finest_layer.layout, with_spread=True))
    return layers


def _side_of_maps(shape: tuple[int, ...]) -> int | None:
    """Return the positions a side, where a shape is one of square maps."""
    if len(shape) != 4:  # noqa: PLR2004
        return None
    side = shape[2]
    is_square = side in (shape[1], shape[3])
    return side if is_square and side >= _SMALLEST else None


def _side_of_tokens(shape: tuple[int, ...]) -> int | None:
    if len(shape) != 3:  # noqa: PLR2004
        return None
    side = math.isqrt(shape[1])
    return side if side >= _SMALLEST and shape[1] - side**2 <= _MOST_PREFIX_TOKENS else None


def _prefix(network: nn.Module, tokens: int) -> int | None:
    """Return how many tokens a network says come before those of its patches, if that can be."""
    prefix = getattr(network, "num_prefix_tokens", None)
    if not isinstance(prefix, int) or prefix >= tokens:
        return None
    fits = math.isqrt(tokens - prefix) ** 2 == tokens - prefix
    return prefix if fits else None


def patches_of(tokens: torch.Tensor, layer: CellLayer) -> torch.Tensor:
    """Tokens of the patches alone, ``(batch, side ** 2, channels)``, row by row."""
    count = tokens.shape[1]
    prefix = count - math.isqrt(count) ** 2 if layer.prefix is None else layer.prefix
    return tokens[:, prefix:]


class CellMaps(nn.Module):
    """Collects the outputs of layers while the network runs, and brings them to the grid of cells.

    Parameters
    ----------
    network
        The network, which has the layers.
    layers
        The layers.
    """

    def __init__(self, network: nn.Module, layers: list[CellLayer]) -> None:
        super().__init__()
        self._layers = layers
        self._maps: dict[str, torch.Tensor] = {}
        for each in layers:
            network.get_submodule(each.name).register_forward_hook(self._keep(each.name))

    def _keep(self, name: str) -> Callable[[nn.Module, Any, torch.Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            self._maps[name] = output

        return hook

    def forward(self) -> torch.Tensor:
        """Numbers of the cells, ``(batch, 7, 7, channels)``, of the batch that was just run.

        Their signed square root, which evens out the long tails of activations (see
        `aerial_kedro.features.pooling.PooledStages`).
        """
        numbers = numbers_of_cells([(self._maps[each.name], each) for each in self._layers])
        self._maps.clear()
        return numbers


def numbers_of_cells(outputs: list[tuple[torch.Tensor, CellLayer]]) -> torch.Tensor:
    """Numbers of the cells, ``(batch, 7, 7, channels)``, of outputs of layers, see `CellMaps`."""
    parts = []
    for output, layer in outputs:
        maps = _channels_first(output, layer)
        mean = _to_cells(maps)
        parts.append(mean)
        if layer.with_spread:
            parts.append((_to_cells(maps.square()) - mean.square()).clamp(min=0).sqrt())
    numbers = torch.cat(parts, dim=1).permute(0, 2, 3, 1)
    return numbers.sign() * numbers.abs().sqrt()


def layer_of(name: str, shape: tuple[int, ...]) -> CellLayer | None:
    """Describe an output of a shape, ``(batch, …)``; None where it says nothing of the cells."""
    if _side_of_maps(shape):
        return CellLayer(name, "channels" if shape[2] == shape[3] else "rows")
    return CellLayer(name, "tokens") if _side_of_tokens(shape) else None


def _channels_first(output: torch.Tensor, layer: CellLayer) -> torch.Tensor:
    if layer.layout == "channels":
        return output
    if layer.layout == "rows":
        return output.permute(0, 3, 1, 2)
    patches = patches_of(output, layer)
    side = math.isqrt(patches.shape[1])
    return patches.transpose(1, 2).reshape(output.shape[0], -1, side, side)


def _to_cells(maps: torch.Tensor) -> torch.Tensor:
    """Average maps ``(batch, channels, side, side)`` over cells; interpolate coarser ones."""
    side = int(maps.shape[-1])
    if side % SIDE == 0:
        step = side // SIDE
        return maps if step == 1 else nn.functional.avg_pool2d(maps, step)
    weights = weights_of_cells(side).to(maps.dtype)
    # Rows, then columns, of all channels at once: a product for each would be tiny.
    rows = weights @ maps.permute(0, 2, 3, 1).reshape(-1, side, side * maps.shape[1])
    return (weights @ rows.reshape(-1, SIDE, side, maps.shape[1])).permute(0, 3, 1, 2)


def weights_of_cells(side: int) -> torch.Tensor:
    """Weight of each position for each cell along one side, ``(7, side)``; rows sum to 1.

    The length of a position that lies in the cell; where positions are longer than cells, linear
    interpolation between their centres.
    """
    if side < SIDE:
        rows = torch.eye(side)[None]
        found = nn.functional.interpolate(rows, size=SIDE, mode="linear", align_corners=False)
        return found[0].T.contiguous()
    edges = torch.arange(SIDE + 1, dtype=torch.float64) * side / SIDE
    positions = torch.arange(side, dtype=torch.float64)
    upper = torch.minimum(edges[1:, None], positions[None] + 1)
    lower = torch.maximum(edges[:-1, None], positions[None])
    return ((upper - lower).clamp(min=0) * SIDE / side).float()
