"""Pooling: what a network saw on its way to the last layer, beside what came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.known import BackboneDefinition

POOLINGS = ("auto", "last", "stages")


def pool_features(network: nn.Module, definition: BackboneDefinition, pooling: str) -> nn.Module:
    """Choose the features of a cut network.

    Parameters
    ----------
    network
        Cut before its last layer.
    definition
        Definition of that network.
    pooling
        ``last``: the network's own output. ``stages``: also means and standard deviations of
        earlier stages, see `PooledStages`. ``auto``: ``stages`` where the definition names some.

    Raises
    ------
    AerialError
        If stages are asked for and the definition names none.
    """
    if pooling not in POOLINGS:
        raise AerialError(f"No pooling is called {pooling!r}. There are: {', '.join(POOLINGS)}.")
    if pooling == "stages" and not definition.stages:
        raise AerialError(
            f"For the backbone {definition.name!r} no stages are known. Use --params=pooling=last, "
            "or a backbone efficientnet_lite0 to _lite2."
        )
    stages = chosen_stages(definition, pooling)
    return PooledStages(network, stages) if stages else network


def chosen_stages(definition: BackboneDefinition, pooling: str) -> tuple[str, ...]:
    """Name the stages whose statistics are among the features; none with ``last``."""
    return () if pooling == "last" else definition.stages


class PooledStages(nn.Module):
    """A network's output beside the mean and standard deviation of some of its stages.

    Earlier stages keep texture and colour that the last one, trained to distinguish objects, has
    forgotten. A signed square root evens out the long tails of such pooled activations (Perronnin
    et al. 2010, "Improving the Fisher kernel", the power normalisation), which linear classifiers
    on them profit from.

    Parameters
    ----------
    network
        Gives ``(batch, n)``, or maps that flatten to it.
    stages
        Names of modules inside it whose outputs are maps ``(batch, channels, rows, columns)``.
    """

    def __init__(self, network: nn.Module, stages: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self._maps: dict[str, torch.Tensor] = {}
        for name in stages:
            network.get_submodule(name).register_forward_hook(self._keep(name))

    def _keep(self, name: str) -> Callable[[nn.Module, Any, torch.Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            self._maps[name] = output

        return hook

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Features ``(batch, n + 2 × channels of all stages)`` of normalised pixels."""
        parts = [self.network(pixels).flatten(1)]
        for maps in self._maps.values():
            mean = maps.mean((2, 3))
            spread = (maps - mean[:, :, None, None]).square().mean((2, 3)).sqrt()
            parts += [mean, spread]
        self._maps.clear()
        features = torch.cat(parts, dim=1)
        return features.sign() * features.abs().sqrt()
