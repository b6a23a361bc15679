"""Pretrained weights: found, checked against their published hash, and loaded without code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import safetensors.torch
import torch
import torchvision
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Weights
from aerial_kedro.features.definitions import build_classifier, cut_classifier
from aerial_kedro.features.known import BackboneDefinition, digest_file


def find_weights(definition: BackboneDefinition, weights_path: str | None = None) -> Weights:
    """Load a backbone's weights: the file given, else the package's, else torchvision's own.

    Parameters
    ----------
    definition
        The backbone.
    weights_path
        A ``.safetensors`` file or one that ``torch.save`` wrote (read with ``weights_only``).

    Raises
    ------
    AerialError
        If the file is missing, broken or has another hash than the published one, or if the
        download is not possible.
    """
    if weights_path is not None:
        path = Path(weights_path)
        if not path.is_file():
            raise AerialError(
                f"There is no weights file {weights_path}. Check --params=weights_path=FILE."
            )
        return Weights(_read_state(path), f"file {path.name}", digest_file(path))
    if definition.packaged is not None:
        return _packaged_weights(definition)
    if definition.library == "torchvision":
        return _official_weights(definition)
    raise AerialError(
        f"The backbone {definition.name!r} comes without weights. Give a file with "
        "--params=weights_path=FILE (.safetensors or .pth for timm's "
        f"{definition.architecture})."
    )


def _packaged_weights(definition: BackboneDefinition) -> Weights:
    packaged = definition.packaged
    if packaged is None:
        raise ValueError(f"{definition.name} has no packaged weights")
    with packaged.on_disk() as path:
        found = digest_file(path)
        if found != packaged.sha256:
            raise AerialError(
                f"The weights in the package {packaged.package} have the sha256 {found}, not "
                f"{packaged.sha256}. Install the package again."
            )
        return Weights(_read_state(path), f"package {packaged.package}", found)


def _official_weights(definition: BackboneDefinition) -> Weights:
    weights = torchvision.models.get_model_weights(definition.architecture).DEFAULT
    file = weights.url.rsplit("/", 1)[-1]
    try:
        state = torch.hub.load_state_dict_from_url(
            weights.url, progress=False, check_hash=True, weights_only=True
        )
    except (URLError, OSError, RuntimeError) as error:
        raise AerialError(
            f"The weights of {definition.name!r} could not be downloaded ({error}). On a machine "
            f"with a network get torchvision's file {file}, copy it here and give it with "
            "--params=weights_path=FILE; or take the backbone efficientnet_lite0, whose weights "
            "are installed."
        ) from error
    path = Path(torch.hub.get_dir()) / "checkpoints" / file
    return Weights(state, f"torchvision {file}", digest_file(path))


def _read_state(path: Path) -> Mapping[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return dict(safetensors.torch.load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file torch raises nearly anything
        raise AerialError(
            f"The weights file {path} is neither safetensors nor a plain state dict ({error}). "
            "Save it with safetensors, or with torch.save(network.state_dict(), FILE)."
        ) from error
    if not _is_state_dict(state):
        held = sorted(map(str, state))[:5] if isinstance(state, Mapping) else type(state).__name__
        raise AerialError(
            f"The weights file {path} holds no state dict (names of parameters with their tensors) "
            f"but {held}. Save it with torch.save(network.state_dict(), FILE)."
        )
    return dict(state)


def _is_state_dict(state: object) -> bool:
    return isinstance(state, Mapping) and all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    )


def load_backbone(definition: BackboneDefinition, weights: Weights) -> nn.Module:
    """Build a network with its weights, cut before its last layer, ready to infer.

    The last layer's own parameters may be missing or of any shape (other classes than
    ImageNet's); all others must fit.

    Raises
    ------
    AerialError
        If the weights do not fit the network.
    """
    network = build_classifier(definition)
    state = weights.state
    own = network.state_dict()  # with the last layer
    if definition.packaged is not None and not set(state) & set(own):
        # The same tensors in the same order under other names.
        if [v.shape for v in state.values()] != [v.shape for v in own.values()]:
            raise _misfit(definition, weights, "the tensors' shapes differ")
        state = dict(zip(own, state.values(), strict=True))
    network = cut_classifier(network, definition)
    last_layer = set(own) - set(network.state_dict())
    state = {name: value for name, value in state.items() if name not in last_layer}
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise _misfit(definition, weights, str(error).splitlines()[-1].strip()) from error
    if missing or unexpected:
        names = ", ".join((missing or unexpected)[:3])
        problem = f"they {'lack' if missing else 'have unknown'} parameters such as {names}"
        raise _misfit(definition, weights, problem)
    return network.eval()


def _misfit(definition: BackboneDefinition, weights: Weights, problem: str) -> AerialError:
    return AerialError(
        f"The weights from {weights.source} do not fit the backbone {definition.name!r}: "
        f"{problem}. Give that network's own weights."
    )
