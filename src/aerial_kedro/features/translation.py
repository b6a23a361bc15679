"""Names that other projects gave to the parameters of a network, as the libraries know them."""

import contextlib
import functools
import io
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import nn

from aerial_kedro.features.known import BackboneDefinition

# What timm's modules call the function that reads files of other origin.
_FILTERS = ("checkpoint_filter_fn", "_filter_fn", "_filter_torchvision_pretrained")
_POSITIONS = ("pos_embed", "relative_position_bias_table", "rel_pos_h", "rel_pos_w")
# Hugging Face's names of DINOv3, and its authors' own, which timm knows: in this order.
_HUGGING_FACE = (
    (r"^embeddings\.patch_embeddings\.(?:proj\.)?", "patch_embed.proj."),
    (r"^embeddings\.register_tokens$", "storage_tokens"),
    (r"^embeddings\.", ""),
    (r"^layer\.(\d+)\.", r"blocks.\1."),
    (r"\.attention\.o_proj\.", ".attn.proj."),
    (r"\.attention\.", ".attn."),
    (r"\.layer_scale(\d)\.(?:lambda1|gamma)$", r".ls\1.gamma"),
)
_GATED = {"gate_proj": "w1", "up_proj": "w2", "down_proj": "w3"}
_PLAIN = {"up_proj": "fc1", "down_proj": "fc2"}
_DENSE_LAYER = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


@dataclass(frozen=True)
class Translated:
    """A state dict under the network's names.

    Parameters
    ----------
    state
        The parameters.
    notes
        Remarks on what was changed.
    problem
        Why it is not the network's, though it has its names; None where nothing is known.
    """

    state: dict[str, torch.Tensor]
    notes: tuple[str, ...] = ()
    problem: str | None = None


Translate = Callable[[Mapping[str, torch.Tensor], nn.Module, bool], Translated | None]
"""Renames a state dict for a whole network, perhaps with positions of another input; None where
that is not possible."""


def translation_of(definition: BackboneDefinition) -> Translate | None:
    """Find how a network's library reads files of other origin, DINOv3's own for one.

    timm runs these functions when it loads a file itself. That way is not taken: wherever the
    classes differ it accepts missing parameters, and says so in a line of its log only.
    """
    if definition.library == "torchvision":
        return _rename_dense_layers if definition.architecture.startswith("densenet") else None
    entrypoint = timm.models.model_entrypoint(definition.architecture.split(".")[0])
    module = sys.modules[entrypoint.__module__]
    found = (getattr(module, name, None) for name in _FILTERS)
    filter_names = next((each for each in found if each is not None), None)
    return None if filter_names is None else functools.partial(_by_timm, filter_names)


def _rename_dense_layers(
    state: Mapping[str, torch.Tensor], _: nn.Module, __: bool = False
) -> Translated | None:
    return Translated({_DENSE_LAYER.sub(r"\1\2", name): each for name, each in state.items()})


def _by_timm(
    filter_names: Callable[..., Any],
    state: Mapping[str, torch.Tensor],
    network: nn.Module,
    resize: bool,  # of the type `Translate`
) -> Translated | None:
    state = _from_hugging_face(state)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # some print what they leave out
            found = filter_names(dict(state), network)
    except Exception:  # noqa: BLE001  # each has its own way to fail on what is not of its kind
        return None
    if not isinstance(found, Mapping):
        return None
    found = {name: each for name, each in found.items() if isinstance(each, torch.Tensor)}
    resized = [
        name for name in found if name in state and found[name].numel() != state[name].numel()
    ]
    positions = [name for name in resized if name.endswith(_POSITIONS)]
    refused = [name for name in resized if not (resize and name in positions)]
    if refused:
        name = refused[0]
        return Translated(
            found,
            problem=f"their {name} is of the shape {tuple(state[name].shape)}, and the network's "
            f"of {tuple(found[name].shape)}",
        )
    notes = [f"{name} is interpolated to the input asked for" for name in positions]
    return Translated(found, tuple(notes), _lost_bias(state, found))


def _from_hugging_face(state: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """Rename what Hugging Face's transformers call the parameters of DINOv3; leave others."""
    if "embeddings.register_tokens" not in state:
        return state
    layers = _GATED if any(".gate_proj." in name for name in state) else _PLAIN
    renamed: dict[str, torch.Tensor] = {}
    for name, each in state.items():
        own = name
        for pattern, replacement in _HUGGING_FACE:
            own = re.sub(pattern, replacement, own)
        for theirs, meta in layers.items():
            own = own.replace(f".mlp.{theirs}.", f".mlp.{meta}.")
        renamed[own] = each
    for name in [each for each in renamed if each.endswith(".attn.q_proj.weight")]:
        block = name.removesuffix("q_proj.weight")
        for kind in ("weight", "bias"):
            parts = [renamed.pop(f"{block}{each}_proj.{kind}", None) for each in "qkv"]
            given = [each for each in parts if each is not None]
            if given:  # keys have no bias
                empty = torch.zeros_like(given[0])
                whole = [empty if each is None else each for each in parts]
                renamed[f"{block}qkv.{kind}"] = torch.cat(whole)
    return renamed


def _lost_bias(state: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> str | None:
    """Find a bias of queries or values that says something and that the network has no place for.

    DINOv3's own files have such biases, all of them zero, and timm's networks leave them out.
    """
    if any(name.endswith(("q_bias", "qkv.bias", "q_proj.bias")) for name in found):
        return None
    for name, each in state.items():
        if name.endswith("qkv.bias"):
            query, _, value = each.chunk(3, dim=-1)
            if query.any() or value.any():
                return (
                    f"their {name} is not zero, and the network has no such bias (timm's networks "
                    "with _qkvb in their name do)"
                )
    return None
