"""Which backbones there are, how the libraries build them, and which outputs are features."""

import difflib
from collections.abc import Callable
from typing import Any

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
        ``efficientnet_lite0`` to ``_lite2``, or any classifier of torchvision or timm, of timm also
        with the tag of its weights, as in ``vit_small_patch16_dinov3.lvd1689m``. A name that both
        have is torchvision's; ``timm/NAME`` and ``torchvision/NAME`` say which is meant.

    Raises
    ------
    AerialError
        If neither library knows the name, or timm does not know the tag.
    """
    if name in PACKAGED:
        return PACKAGED[name]
    library, _, own = name.rpartition("/")
    if library in {"", "torchvision"} and own in _of_torchvision():
        return BackboneDefinition(name, "torchvision", own, 224, _IMAGENET_MEAN, _IMAGENET_STD)
    if library in {"", "timm"} and own.split(".")[0] in timm.list_models():
        return _define_timm(name, own)
    raise AerialError(_unknown(name))


def _of_torchvision() -> list[str]:
    return list(torchvision.models.list_models(module=torchvision.models))


def _unknown(name: str) -> str:
    library, _, own = name.rpartition("/")
    of_timm, of_torchvision = timm.list_models(), _of_torchvision()
    known = {
        "": [*PACKAGED, *of_torchvision, *of_timm],
        "timm": [f"timm/{each}" for each in of_timm],
        "torchvision": [f"torchvision/{each}" for each in of_torchvision],
    }
    # Both libraries know the commonest networks.
    near = difflib.get_close_matches(name, set(known.get(library, known[""])), n=3)
    near = near or difflib.get_close_matches(own, set(known[""]), n=3)
    return (
        f"No backbone is called {name!r}"
        + (f"; did you mean {', '.join(near)}?" if near else ".")
        + f" Without a network there are {', '.join(PACKAGED)}; with --params=weights_path=FILE "
        "any classifier of torchvision or timm."
    )


def _define_timm(name: str, architecture: str) -> BackboneDefinition:
    bare, _, tag = architecture.partition(".")
    if tag and not timm.is_model_pretrained(architecture):
        tags = [each.partition(".")[2] for each in timm.list_pretrained(f"{bare}.*")]
        raise AerialError(
            f"timm has no weights {tag!r} of {bare}. There are: {', '.join(filter(None, tags))}; "
            f"without a tag backbone=timm/{bare} takes any file."
        )
    # An architecture that was never trained takes the library's usual input.
    settings = timm.get_pretrained_cfg(architecture) or timm.models.PretrainedCfg()
    red, green, blue = settings.mean
    red_std, green_std, blue_std = settings.std
    return BackboneDefinition(
        name=name,
        library="timm",
        architecture=architecture,
        input_size=int(settings.input_size[-1]),
        mean=(red, green, blue),
        std=(red_std, green_std, blue_std),
    )


def build_classifier(definition: BackboneDefinition) -> nn.Module:
    """Build the whole network with its classification layer, weights at random.

    Transformers whose positions are counted are built for the definition's input.
    """
    size = definition.input_size
    if definition.library == "timm":
        usual = _define_timm(definition.name, definition.architecture).input_size
        sizes = {} if size == usual or definition.packaged else {"img_size": size}
        return _build(timm.create_model, definition.architecture, sizes, pretrained=False)
    is_transformer = definition.architecture.startswith("vit")
    sizes = {"image_size": size} if is_transformer else {}
    return _build(torchvision.models.get_model, definition.architecture, sizes, weights=None)


def _build(
    build: Callable[..., nn.Module], architecture: str, sizes: dict[str, int], **options: Any
) -> nn.Module:
    try:
        return build(architecture, **sizes, **options)
    except TypeError:
        if not sizes:
            raise
        return build(architecture, **options)  # convolutions take any input


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
