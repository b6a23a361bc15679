"""The backbone as every engine runs it: one ONNX file and the card that describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aerial_kedro.errors import AerialError
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.input_request import InputRequest
from aerial_kedro.features.known import digest_parts
from aerial_kedro.parameters import CheckedModel

NUMBERS, CELLS = "cell_numbers", "cells"
"""Second output of an exported network: the cells' numbers, or the embedding made of them."""

PROJECTION_FILE = "projection.npz"
"""Name of the embedding's projection in the file that the engine ``torch`` runs."""


@dataclass(frozen=True)
class Weights:
    """A network's parameters and where they come from.

    Parameters
    ----------
    state
        Parameter name to tensor (torch's; this module does without torch), or wrappers around such
        mappings, as the file has them.
    source
        Origin, as a report names it.
    sha256
        Digest of the file that they were read from.
    """

    state: Mapping[str, Any]
    source: str
    sha256: str


class CellEmbedding(CheckedModel):
    """How a backbone embeds the cells of a tile: its second output, and how that is stored.

    Parameters
    ----------
    layers
        Layers of the network that the numbers of a cell come from.
    channels
        Numbers of a cell before they are projected.
    scales
        One for each principal component, largest first: the embedding is the stored integer,
        -127 to 127, times its scale.
    explained
        Share of the variance of the (standardised) numbers that the components keep.
    fitted_tiles
        Number of training tiles that the components were fitted on.
    fitted_on
        Identity of these tiles.
    projection_sha256
        Digest of the projection.
    """

    layers: tuple[str, ...]
    channels: int
    scales: tuple[float, ...]
    explained: float
    fitted_tiles: int
    fitted_on: str
    projection_sha256: str

    @property
    def components(self) -> int:
        """Number of components."""
        return len(self.scales)

    def __str__(self) -> str:
        """Describe it in one line."""
        return (
            f"{self.components} components of {self.channels} numbers ({', '.join(self.layers)}), "
            f"{self.explained:.1%} of their variance, fitted on {self.fitted_tiles:,} tiles"
        ).replace("%", " %", 1)


class BackboneCard(CheckedModel):
    """What is known of an exported backbone.

    Parameters
    ----------
    name
        Name of the backbone.
    architecture
        Library and network, such as ``timm/tf_efficientnet_lite0``.
    weights_source, weights_sha256
        Origin and digest of its weights.
    input_size
        Side of the input in pixels.
    n_features
        Length of the output.
    mean, std
        Normalisation inside the graph.
    preprocessing
        Where input size, mean and deviation come from; empty where an older version wrote the card.
    assumed
        Run parameters that would say what was assumed of them.
    licence
        Licence of the weights; None where it is not known.
    weights_notes
        What was taken from the file of weights, where that was not plain.
    stages
        Stages whose means and standard deviations are among the features; empty where only the
        last layer's output is.
    pooling
        What stands for the tile: ``last``, the network's own output; ``stages``, earlier stages
        beside it; ``token`` or ``mean`` of a transformer, its class token or its patches' mean.
    opset
        ONNX opset.
    parity_cosine
        Least cosine similarity with torch's output found at export.
    onnx_sha256
        Digest of the ONNX file.
    precision
        Precision of its convolutions.
    calibration
        Identity of the tiles that an int8 backbone's ranges were measured on.
    program_sha256
        Digest of the same network as PyTorch runs it, where that was exported too.
    export
        Name of what it was exported from and with, `aerial_kedro.features.known.name_export`;
        None where that was not known.
    cell_layers
        Layers whose maps can embed cells; empty where there are none.
    cells
        How it embeds the cells of a tile; None where it does not.
    """

    name: str
    architecture: str
    weights_source: str
    weights_sha256: str
    input_size: int
    n_features: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    preprocessing: str = ""
    assumed: tuple[str, ...] = ()
    licence: str | None = None
    weights_notes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    pooling: Literal["last", "stages", "token", "mean"] = "last"
    opset: int
    parity_cosine: float
    onnx_sha256: str
    precision: Literal["fp32", "int8"] = "fp32"
    calibration: str | None = None
    program_sha256: str | None = None
    export: str | None = None
    cell_layers: tuple[str, ...] = ()
    cells: CellEmbedding | None = None


@dataclass(frozen=True)
class Backbone:
    """An exported backbone: pixels in, features out.

    Parameters
    ----------
    onnx
        The ONNX file. Input ``tiles``: uint8, ``(batch, size, size, 3)``; output ``features``:
        float32, ``(batch, n_features)``; where the card has ``cells``, output ``cells``: int8,
        ``(batch, 7, 7, components)``.
    card
        Description of the backbone.
    program
        The same for the engine ``torch``, as `torch.export.save` writes it; None where that engine
        was not asked for.
    """

    onnx: bytes
    card: BackboneCard
    program: bytes | None = None

    def network_for(self, engine: str) -> bytes:
        """Return what an engine runs.

        Raises
        ------
        AerialError
            If the export did not make it.
        """
        if engine != "torch":
            return self.onnx
        if self.program is None:
            raise AerialError(
                f"The backbone {self.card.name!r} was exported without a network for engine=torch. "
                "Export it again with `kedro run --pipeline=featurization --params=engine=torch`."
            )
        return self.program


def feature_key(card: BackboneCard, engine: str, precision: str, reading_version: str) -> str:
    """Name of everything that features depend on, apart from the tile itself.

    Parameters
    ----------
    card
        Card of the backbone: weights and preprocessing count, the bytes of the export do not.
    engine, precision
        Engine and precision that run it.
    reading_version
        Version of the code that reads and resizes tiles.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    parts = {
        "architecture": card.architecture,
        "weights": card.weights_sha256,
        "input": [card.input_size, card.mean, card.std],
        "engine": engine,
        "precision": precision,
        "reading": reading_version,
        # Left out where there are none: keys of before there was a choice stay as they were.
        **({"stages": card.stages} if card.stages else {}),
        **({"pooling": card.pooling} if card.pooling in {"token", "mean"} else {}),
        **({"calibration": card.calibration} if card.calibration else {}),
        **({"cells": card.cells.projection_sha256} if card.cells else {}),
    }
    return digest_parts(parts)


@dataclass(frozen=True)
class WeightsFile:
    """The content of a file of weights: torch, which takes seconds to import, parses it later.

    Parameters
    ----------
    backbone
        Name of the network that the weights belong to.
    content
        The file.
    name
        Path or file name, for messages.
    source
        Origin, as a report names it.
    sha256
        Digest of the content.
    hints
        Of a file of the user's: its name and folders, and a safetensors file's metadata, by which
        known weights are recognised.
    request
        What the run asks of the preprocessing.
    is_finished
        Whether it is a whole network in ONNX, rather than weights.
    stored
        Backbones that earlier runs made, of these or of other weights, in fp32 or int8.
    measured
        The engine that an earlier run measured to be the fastest; None where none did.
    """

    backbone: str
    content: bytes = field(repr=False)
    name: str
    source: str
    sha256: str
    hints: tuple[str, ...] = ()
    request: InputRequest = field(default_factory=InputRequest)
    is_finished: bool = False
    stored: tuple[Backbone, ...] = ()
    measured: EngineChoice | None = None
