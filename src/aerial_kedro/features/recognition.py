"""The preprocessing that weights want, and their licence: known, asked for, or assumed."""

import re
from dataclasses import dataclass, replace
from pathlib import PurePath

import timm
import torchvision

from aerial_kedro.features.artifact import WeightsFile
from aerial_kedro.features.definitions import define_backbone
from aerial_kedro.features.known import BackboneDefinition
from aerial_kedro.features.known_weights import find_known

_OPEN_LICENCE = "terms of the data it was trained on, see torchvision"
_SWAG = "CC BY-NC 4.0"


@dataclass(frozen=True)
class Preprocessing:
    """A network with the input that its weights want.

    Parameters
    ----------
    definition
        The network; input size, mean and deviation are those of the weights.
    origin
        Where they come from, in words.
    assumed
        Run parameters that would say what nothing else says; empty where all is known.
    licence
        Licence of the weights; None where it is not known.
    resize
        Whether the run asks for an input of another size than the network's usual one.
    """

    definition: BackboneDefinition
    origin: str
    assumed: tuple[str, ...] = ()
    licence: str | None = None
    resize: bool = False


def choose_preprocessing(file: WeightsFile) -> Preprocessing:
    """Choose the preprocessing: what the run asks for, else what is known of the weights.

    Of a file that is not known the architecture's usual preprocessing is assumed.

    Parameters
    ----------
    file
        The weights, with the backbone and what the run asks for.

    Raises
    ------
    AerialError
        If the backbone is unknown.
    """
    definition = define_backbone(file.backbone)
    known = _recognise(file, definition)
    own = known or Preprocessing(
        definition,
        f"assumed, as usual for {definition.library}'s {definition.architecture}",
        ("input_mean", "input_std", "input_size"),
    )
    asked = file.request.given
    if not asked:
        return own
    changes = {name.removeprefix("input_"): each for name, each in asked.items()}
    size = changes.pop("size", own.definition.input_size)
    asked_words = f"{', '.join(asked)} of the run"
    return replace(
        own,
        definition=replace(own.definition, input_size=size, **changes),
        origin=asked_words if len(asked) == 3 else f"{asked_words}, else {own.origin}",  # noqa: PLR2004
        assumed=tuple(name for name in own.assumed if name not in asked),
        resize="input_size" in asked,
    )


def _recognise(file: WeightsFile, definition: BackboneDefinition) -> Preprocessing | None:
    packaged = definition.packaged
    if packaged is not None and file.sha256 == packaged.sha256:
        return Preprocessing(
            definition, f"as published with the {file.source}", licence="Apache-2.0"
        )
    if known := find_known(file.hints, file.sha256):
        size = known.input_size or definition.input_size
        found = replace(definition, input_size=size, mean=known.mean, std=known.std)
        return Preprocessing(
            found, f"as published for {known.name} ({known.source})", licence=known.licence
        )
    if definition.library == "torchvision":
        return _of_torchvision(file, definition)
    return _of_timm(file, definition)


def _of_torchvision(file: WeightsFile, definition: BackboneDefinition) -> Preprocessing | None:
    """Find the file among those that torchvision publishes, by the digest in their names."""
    for each in torchvision.models.get_model_weights(definition.architecture):
        digest = PurePath(each.url).stem.rpartition("-")[2]
        if len(digest) >= 8 and file.sha256.startswith(digest):  # noqa: PLR2004
            wanted = each.transforms()
            size = int(wanted.crop_size[0])
            mean, std = tuple(wanted.mean), tuple(wanted.std)
            found = replace(definition, input_size=size, mean=mean, std=std)
            licence = _SWAG if "SWAG" in each.name else _OPEN_LICENCE
            return Preprocessing(found, f"as torchvision publishes {each}", licence=licence)
    return None


def _of_timm(file: WeightsFile, definition: BackboneDefinition) -> Preprocessing | None:
    """Take the tag in the backbone's name, or in the file's: its own or its folder's."""
    tagged = definition.architecture if "." in definition.architecture else None
    for part in (part for hint in file.hints for part in PurePath(hint).parts):
        name = re.sub(r"\.(safetensors|pth|pt|bin)$", "", part.removeprefix("models--timm--"))
        same = name.split(".")[0] == definition.architecture
        if tagged is None and same and "." in name and timm.is_model_pretrained(name):
            tagged = name
    if tagged is None:
        return None
    wanted = define_backbone(f"timm/{tagged}")
    settings = timm.get_pretrained_cfg(tagged)
    found = replace(definition, input_size=wanted.input_size, mean=wanted.mean, std=wanted.std)
    return Preprocessing(
        found, f"as timm has it for {tagged}", licence=settings.license if settings else None
    )
