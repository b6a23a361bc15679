"""Files of weights as training leaves them: state dicts inside wrappers, under prefixes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

_DEEPEST = 4
# A part with fewer tensors than this share of the network's is none of it.
_LEAST_SHARE = 0.5
# Running means of what was trained, better than that; the trained one comes before its pupil.
_AVERAGED = {"ema", "teacher", "target", "averaged", "swa"}
_PUPILS = {"student", "online"}
# The slowly moving encoders of contrastive training, which their authors never evaluated.
_KEYS = {"k", "key", "momentum"}


@dataclass(frozen=True)
class Part:
    """A state dict in a file.

    Parameters
    ----------
    label
        Where in the file it is, such as ``teacher / module.backbone``; empty for the whole file.
    state
        Names of parameters without what the label says, with their tensors.
    beside
        Names of the tensors that lie beside it in the same mapping.
    """

    label: str
    state: dict[str, torch.Tensor]
    beside: tuple[str, ...]

    @property
    def rank(self) -> int:
        """Order of preference where several parts fit: 0 first."""
        words = set(re.split(r"[^a-z0-9]+", self.label.lower().replace("_", " ")))
        if words & _AVERAGED:
            return 0
        return 3 if words & _KEYS else 2 if words & _PUPILS else 1


def holds_tensors(content: object) -> bool:
    """Return whether a file's content has named tensors at any depth."""
    return isinstance(content, Mapping) and any(True for _ in _mappings(content))


def find_parts(content: Mapping[str, Any], tensors: int) -> list[Part]:
    """List what may be a network's state dict.

    Parameters
    ----------
    content
        What the file holds: names with tensors, or wrappers around such mappings.
    tensors
        Number of the network's tensors; parts of less than half as many are left out.

    Examples
    --------
    >>> weight = torch.zeros(2)
    >>> state = {"module.conv.weight": weight, "module.conv.bias": weight}
    >>> [(each.label, list(each.state)) for each in find_parts({"state_dict": state}, 2)][1]
    ('state_dict / module', ['conv.weight', 'conv.bias'])
    """
    found = []
    for path, state in _mappings(content):
        for prefix in _prefixes(state, max(1, int(tensors * _LEAST_SHARE))):
            label = " / ".join([*path, *([prefix.rstrip(".")] if prefix else [])])
            own = {
                name[len(prefix) :]: each for name, each in state.items() if name.startswith(prefix)
            }
            beside = tuple(name for name in state if not name.startswith(prefix))
            found.append(Part(label, own, beside))
    return found


def _mappings(
    content: Mapping[Any, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, torch.Tensor]]]:
    tensors = {
        name: each
        for name, each in content.items()
        if isinstance(name, str) and isinstance(each, torch.Tensor)
    }
    if tensors:
        yield path, tensors
    for name, each in content.items():
        if isinstance(each, Mapping) and isinstance(name, str) and len(path) < _DEEPEST:
            yield from _mappings(each, (*path, name))


def _prefixes(state: Mapping[str, Any], least: int) -> list[str]:
    """Beginnings of names, up to a dot, that enough names share; first the empty one."""
    counts = Counter(name[: dot.end()] for name in state for dot in re.finditer(r"\.", name))
    return ["", *(prefix for prefix, count in counts.items() if count >= least)]
