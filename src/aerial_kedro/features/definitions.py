"""Which backbones there are, and how the libraries build and cut them."""

from __future__ import annotations

import difflib

import timm
import torchvision
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.known import PACKAGED, BackboneDefinition

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
    settings = timm.get_pretrained_cfg(name)
    if settings is None:  # an architecture that was never trained: the library's usual input
        return BackboneDefinition(name, "timm", name, 224, _IMAGENET_MEAN, _IMAGENET_STD)
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
            position = _last_of(layer)
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


def _last_of(layers: nn.Sequential) -> int:
    return max(
        index for index, layer in enumerate(layers) if isinstance(layer, nn.Linear | nn.Conv2d)
    )
