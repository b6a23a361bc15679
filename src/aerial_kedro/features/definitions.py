"""Which backbones there are, how the libraries build them, and which outputs are features."""

import difflib
from collections.abc import Callable
from typing import Any

import timm
import torch
import torchvision
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.known import PACKAGED, BackboneDefinition

POOLINGS = ("auto", "last", "stages")

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def define_backbone(name: str) -> BackboneDefinition:
    """Look up a backbone by name.

    Parameters
    ----------
    name
        ``efficientnet_lite0`` to ``_lite2``, or any classifier of torchvision or timm.

    Raises
    ------
    AerialError
        If neither library knows the name.
    """
    if name in PACKAGED:
        return PACKAGED[name]
    if name in torchvision.models.list_models(module=torchvision.models):
        return BackboneDefinition(name, "torchvision", name, 224, _IMAGENET_MEAN, _IMAGENET_STD)
    if name in timm.list_models():
        return _define_timm(name)
    known = [*PACKAGED, *torchvision.models.list_models(module=torchvision.models)]
    # Both libraries know the commonest networks.
    near = difflib.get_close_matches(name, set(known) | set(timm.list_models()), n=3)
    raise AerialError(
        f"No backbone is called {name!r}"
        + (f"; did you mean {', '.join(near)}?" if near else ".")
        + f" Without a network there are {', '.join(PACKAGED)}; with --params=weights_path=FILE "
        "any classifier of torchvision or timm."
    )


def _define_timm(name: str) -> BackboneDefinition:
    # An architecture that was never trained takes the library's usual input.
    settings = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    red, green, blue = settings.mean
    red_std, green_std, blue_std = settings.std
    return BackboneDefinition(
        name=name,
        library="timm",
        architecture=name,
        input_size=int(settings.input_size[-1]),
        mean=(red, green, blue),
        std=(red_std, green_std, blue_std),
    )


def build_classifier(definition: BackboneDefinition) -> nn.Module:
    """Build the whole network with its classification layer, weights at random."""
    network: nn.Module
    if definition.library == "timm":
        network = timm.create_model(definition.architecture, pretrained=False)
    else:
        network = torchvision.models.get_model(definition.architecture, weights=None)
    return network


def cut_classifier(network: nn.Module, definition: BackboneDefinition) -> nn.Module:
    """Replace the last, class-giving layer by the identity, so that features come out.

    Raises
    ------
    AerialError
        If the network's last layer is not found.
    """
    if definition.library == "timm":
        network.reset_classifier(0)  # type: ignore[operator]
        return network
    for head in ("fc", "head", "heads", "classifier"):
        layer = getattr(network, head, None)
        if isinstance(layer, nn.Linear):
            setattr(network, head, nn.Identity())
            return network
        if isinstance(layer, nn.Sequential):
            position = max(
                index for index, each in enumerate(layer) if isinstance(each, nn.Linear | nn.Conv2d)
            )
            # Whatever follows the class-giving layer (a ReLU in SqueezeNet) goes with it, except
            # the pooling that flattens maps to one vector.
            for index in range(position, len(layer)):
                if not isinstance(layer[index], nn.AdaptiveAvgPool2d):
                    layer[index] = nn.Identity()
            return network
    raise AerialError(
        f"The last layer of the backbone {definition.name!r} was not found, so it cannot be cut. "
        "Use another backbone."
    )


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
