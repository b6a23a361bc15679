"""Pretrained weights: parsed without running code, and given to their network."""

import argparse
import contextlib
import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Weights, WeightsFile
from aerial_kedro.features.checkpoints import Part, find_parts, holds_tensors
from aerial_kedro.features.definitions import build_classifier, cut_classifier
from aerial_kedro.features.known import BackboneDefinition
from aerial_kedro.features.translation import Translate, translation_of

LOGGER = logging.getLogger(__name__)

_MOST_NAMED = 6
_RGB, _RGB_AND_INFRARED = 3, 4
# Made from the network's shape alone, or counted by a profiler: files bring them, networks do
# without.
_DERIVED = (
    *("relative_position_index", "relative_coords_table", "attn_mask"),
    *("num_batches_tracked", "total_ops", "total_params"),
)
# Tokens and positions that a network reads; mask tokens and decoders are of the training alone.
_OF_INPUT = re.compile(r"(?!.*(mask|decoder))(\w*tokens?|pos_embed\w*)")


def read_weights(file: WeightsFile) -> Weights:
    """Parse a file of weights: safetensors by its ending, else what ``torch.save`` wrote.

    Raises
    ------
    AerialError
        If it is neither, or holds no tensors with names.
    """
    try:
        if Path(file.name).suffix == ".safetensors":
            return Weights(safetensors.torch.load(file.content), file.source, file.sha256)
        # The options of a training script, which DINO and timm write beside the weights: plain
        # attributes, and no code.
        with torch.serialization.safe_globals([argparse.Namespace]):
            state = torch.load(io.BytesIO(file.content), map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file torch raises nearly anything
        raise AerialError(
            f"The weights file {file.name} is neither safetensors nor a plain state dict "
            f"({_shortly(file, error)}). Save it with safetensors, or with "
            "torch.save(network.state_dict(), FILE)."
        ) from error
    if not holds_tensors(state):
        held = sorted(map(str, state))[:5] if isinstance(state, dict) else type(state).__name__
        raise AerialError(
            f"The weights file {file.name} holds no state dict (names of parameters with their "
            f"tensors) but {held}. Save it with torch.save(network.state_dict(), FILE)."
        )
    return Weights(dict(state), file.source, file.sha256)


def _shortly(file: WeightsFile, error: Exception) -> str:
    """Name the objects of other packages that a pickle holds, or give torch's own reason."""
    with contextlib.suppress(Exception):
        content = io.BytesIO(file.content)
        others = torch.serialization.get_unsafe_globals_in_checkpoint(content)
        if others := sorted(set(others) - {"argparse.Namespace"}):
            return (
                f"beside tensors it has {', '.join(others[:3])}, which could run code and are "
                "not read"
            )
    return str(error)


def load_backbone(definition: BackboneDefinition, weights: Weights) -> nn.Module:
    """Build a network with its weights, as `fit_backbone` does, without its notes."""
    return fit_backbone(definition, weights)[0]


def fit_backbone(
    definition: BackboneDefinition, weights: Weights, *, resize: bool = False
) -> tuple[nn.Module, tuple[str, ...]]:
    """Build a network with its weights, cut before its last layer, ready to infer.

    The weights are looked for in all that the file holds: inside wrappers, under prefixes, and
    under the names that timm knows of their origin. Of the network's parameters none may be
    missing or of another shape, but those of the last layer (other classes than ImageNet's). What
    else is in the file is named in the notes.

    Parameters
    ----------
    definition
        The network.
    weights
        What the file holds.
    resize
        Whether positions of another input may be interpolated to that of the definition.

    Returns
    -------
    tuple
        The network, and remarks on what was taken from the file.

    Raises
    ------
    AerialError
        If nothing in the file fits the network, or several parts do and none is preferred.
    """
    network = build_classifier(definition)
    own = network.state_dict()  # with the last layer
    parts = find_parts(weights.state, len(own))
    translate = translation_of(definition)
    options = list(_options(parts, network, translate, resize=resize))
    if definition.packaged is not None:
        options += _in_order(weights, own)
    network = cut_classifier(network, definition)
    last_layer = set(own) - set(network.state_dict())
    attempts = [_attempt(network, each, last_layer) for each in options]
    fitting = [each for each in attempts if each.problem is None]
    if not fitting:
        if definition.packaged is not None and not any(
            set(each.state) & set(own) for each in parts
        ):
            raise _misfit(definition, weights, "the tensors' shapes differ")
        closest = min(attempts, key=lambda each: each.misfits, default=None)
        problem = closest.problem if closest else "they have too few parameters"
        raise _misfit(definition, weights, str(problem))
    chosen = _choose(fitting, definition, weights)
    network.load_state_dict(chosen.state, strict=False)
    notes = _describe(chosen, several=len({each.option.part.label for each in fitting}) > 1)
    if notes:
        LOGGER.info("Weights from %s: %s", weights.source, "; ".join(notes))
    return network.eval(), notes


@dataclass(frozen=True)
class _Option:
    """A state dict that may be the network's."""

    part: Part
    state: dict[str, torch.Tensor]
    notes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class _Attempt:
    """What came of giving it to the network."""

    option: _Option
    state: dict[str, torch.Tensor]
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str | None = None
    misfits: int = 0


def _options(
    parts: Sequence[Part], network: nn.Module, translate: Translate | None, *, resize: bool
) -> Iterator[_Option]:
    for part in parts:
        yield _Option(part, part.state)
        translated = translate and translate(part.state, network, resize)
        if translated:
            yield _Option(part, translated.state, translated.notes, translated.problem)


def _in_order(weights: Weights, own: dict[str, torch.Tensor]) -> list[_Option]:
    """Take the same tensors in the same order under other names, as the packages have them."""
    state = {name: each for name, each in weights.state.items() if isinstance(each, torch.Tensor)}
    same = [each.shape for each in state.values()] == [each.shape for each in own.values()]
    if set(state) & set(own) or not same:
        return []
    return [_Option(Part("", state, ()), dict(zip(own, state.values(), strict=True)))]


def _attempt(network: nn.Module, option: _Option, last_layer: set[str]) -> _Attempt:
    """Let torch load a state dict, which knows the older names of its layers, and look."""
    state = {name: each for name, each in option.state.items() if name not in last_layer}
    notes = option.notes + _leave_infrared(network, state)
    needed = network.state_dict()
    if option.problem is not None:
        return _Attempt(option, state, problem=option.problem, misfits=1)
    try:
        missing, unknown = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        problem = str(error).splitlines()[-1].strip()
        misfits = len(set(needed) - set(state)) + len(str(error).splitlines())
        return _Attempt(option, state, problem=problem, misfits=misfits)
    if missing:
        problem = f"they lack parameters such as {', '.join(missing[:3])}"
        return _Attempt(option, state, problem=problem, misfits=len(missing))
    if inside := _inside(network, unknown, last_layer):
        problem = (
            "they have parameters beside or inside its layers that it does not know, such as "
            f"{', '.join(inside[:3])}, so they are another network's"
        )
        return _Attempt(option, state, problem=problem, misfits=len(inside))
    return _Attempt(option, state, (*unknown, *option.part.beside), notes)


def _inside(network: nn.Module, unknown: list[str], last_layer: set[str]) -> list[str]:
    """List unknown parameters that another network has where this one has modules or tokens.

    A deeper one has more layers, another a norm where this one has none, or registers.
    """
    own = {name for name, _ in network.named_children()}
    heads = tuple(f"{name.rpartition('.')[0]}." for name in last_layer)
    return [
        name
        for name in unknown
        if (name.split(".")[0] in own or _OF_INPUT.fullmatch(name))
        and not name.startswith(heads)
        and not name.endswith(_DERIVED)
    ]


def _leave_infrared(network: nn.Module, state: dict[str, torch.Tensor]) -> tuple[str, ...]:
    """Keep red, green and blue of a first convolution that sees near infrared as well."""
    first = next(
        (
            name
            for name, each in network.named_modules()
            if isinstance(each, nn.Conv2d) and each.in_channels == _RGB
        ),
        None,
    )
    kernel = state.get(f"{first}.weight")
    if kernel is None or kernel.dim() != 4 or kernel.shape[1] != _RGB_AND_INFRARED:  # noqa: PLR2004
        return ()
    state[f"{first}.weight"] = kernel[:, :_RGB].clone()
    return (
        "the first convolution has four channels: the first three are taken for red, green and "
        "blue, and the fourth (near infrared) is left out, as if it were 0 after normalisation "
        "everywhere",
    )


def _choose(fitting: list[_Attempt], definition: BackboneDefinition, weights: Weights) -> _Attempt:
    best = min(each.option.part.rank for each in fitting)
    first, *others = [each for each in fitting if each.option.part.rank == best]
    for each in others:
        shared = first.state.keys() & each.state.keys()
        if not all(torch.equal(first.state[name], each.state[name]) for name in shared):
            labels = [each.option.part.label or "the file itself" for each in (first, each)]
            raise _misfit(
                definition, weights, f"two networks in them do: {labels[0]!r} and {labels[1]!r}"
            )
    return first


def _describe(chosen: _Attempt, *, several: bool) -> tuple[str, ...]:
    part, notes = chosen.option.part, list(chosen.notes)
    if part.label:
        preferred = ", which is preferred to others that fit" if several else ""
        notes.insert(0, f"taken from {part.label!r}{preferred}")
    if chosen.ignored:
        groups = Counter(".".join(name.split(".")[:-1]) or name for name in chosen.ignored)
        tops = Counter(name.split(".")[0] for name in chosen.ignored)
        shown = groups if len(groups) <= _MOST_NAMED else tops
        named = ", ".join(f"{name} ({count})" for name, count in list(shown.items())[:_MOST_NAMED])
        more = " and others" if len(shown) > _MOST_NAMED else ""
        count = len(chosen.ignored)
        notes.append(f"{count} tensor(s) are no part of it and ignored: {named}{more}")
    return tuple(notes)


def _misfit(definition: BackboneDefinition, weights: Weights, problem: str) -> AerialError:
    remedy = "Give that network's own weights, or save the part that is meant."
    if "pos_embed" in problem:
        remedy = (
            "The positions are those of another input: --params=input_size=PIXELS builds the "
            "network for the one it was trained with, or interpolates them."
        )
    return AerialError(
        f"The weights from {weights.source} do not fit the backbone {definition.name!r}: "
        f"{problem}. {remedy}"
    )
