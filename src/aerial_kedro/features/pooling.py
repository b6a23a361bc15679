"""Which outputs of a network are the features of a tile."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.cell_maps import CellLayer, cell_layers, patches_of
from aerial_kedro.features.known import BackboneDefinition

_CLASS_TOKENS = ("cls_token", "class_token")

POOLINGS = ("auto", "last", "stages", "token", "mean")


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
        ``token`` and ``mean``: of a transformer its class token, or the mean of its patches.

    Raises
    ------
    AerialError
        If stages are asked for and the definition names none, or tokens of a network without.
    """
    if pooling not in POOLINGS:
        raise AerialError(f"No pooling is called {pooling!r}. There are: {', '.join(POOLINGS)}.")
    if pooling == "stages" and not definition.stages:
        raise AerialError(
            f"For the backbone {definition.name!r} no stages are known. Use --params=pooling=last, "
            "or a backbone efficientnet_lite0 to _lite2."
        )
    if pooling in {"token", "mean"}:
        return _pool_tokens(network, definition, pooling)
    stages = chosen_stages(definition, pooling)
    return PooledStages(network, stages) if stages else network


def chosen_stages(definition: BackboneDefinition, pooling: str) -> tuple[str, ...]:
    """Name the stages whose statistics are among the features; none with ``last``."""
    return definition.stages if pooling in {"auto", "stages"} else ()


def name_pooling(
    definition: BackboneDefinition, pooling: str
) -> Literal["last", "stages", "token", "mean"]:
    """Name what the features are, as the card does: ``auto`` is resolved."""
    if pooling in {"token", "mean"}:
        return "token" if pooling == "token" else "mean"
    return "stages" if chosen_stages(definition, pooling) else "last"


def _pool_tokens(network: nn.Module, definition: BackboneDefinition, pooling: str) -> nn.Module:
    layer = next(
        (each for each in cell_layers(network, definition) if each.layout == "tokens"), None
    )
    if layer is None:
        raise AerialError(
            f"The backbone {definition.name!r} is no transformer with a token for each patch, so "
            f"that pooling={pooling} means nothing of it. Use --params=pooling=last."
        )
    has_class = any(
        isinstance(getattr(network, name, None), nn.Parameter) for name in _CLASS_TOKENS
    )
    if pooling == "token" and not has_class:
        raise AerialError(
            f"The backbone {definition.name!r} has no class token. Use --params=pooling=mean or "
            "pooling=last."
        )
    return PooledTokens(network, layer, pooling)


class PooledTokens(nn.Module):
    """A transformer's class token, or the mean of its patches' tokens, behind its last norm.

    Parameters
    ----------
    network
        The transformer, cut before its last layer.
    layer
        Its last layer that gives tokens.
    pooling
        ``token`` or ``mean``.
    """

    def __init__(self, network: nn.Module, layer: CellLayer, pooling: str) -> None:
        super().__init__()
        self.network = network
        self._layer, self._pooling = layer, pooling
        self._tokens: list[torch.Tensor] = []
        network.get_submodule(layer.name).register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        self._tokens = [output]

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Features ``(batch, channels)`` of normalised pixels."""
        self.network(pixels)
        (tokens,) = self._tokens
        self._tokens = []
        is_mean = self._pooling == "mean"
        pooled = patches_of(tokens, self._layer).mean(1) if is_mean else tokens[:, 0]
        # timm moves the last norm behind the pooling where it was trained so.
        norm = getattr(self.network, "fc_norm", None)
        return pooled if norm is None else torch.as_tensor(norm(pooled))


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
