"""Pretrained weights: parsed without running code, and given to their network."""

import io
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Weights, WeightsFile
from aerial_kedro.features.definitions import build_classifier, cut_classifier
from aerial_kedro.features.known import BackboneDefinition


def read_weights(file: WeightsFile) -> Weights:
    """Parse a file of weights: safetensors by its ending, else what ``torch.save`` wrote.

    Raises
    ------
    AerialError
        If it is neither, or holds something else than a state dict.
    """
    try:
        if Path(file.name).suffix == ".safetensors":
            return Weights(safetensors.torch.load(file.content), file.source, file.sha256)
        state = torch.load(io.BytesIO(file.content), map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file torch raises nearly anything
        raise AerialError(
            f"The weights file {file.name} is neither safetensors nor a plain state dict "
            f"({error}). Save it with safetensors, or with torch.save(network.state_dict(), FILE)."
        ) from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        held = sorted(map(str, state))[:5] if isinstance(state, Mapping) else type(state).__name__
        raise AerialError(
            f"The weights file {file.name} holds no state dict (names of parameters with their "
            f"tensors) but {held}. Save it with torch.save(network.state_dict(), FILE)."
        )
    return Weights(dict(state), file.source, file.sha256)


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
