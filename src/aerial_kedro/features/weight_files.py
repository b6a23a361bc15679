"""Files of pretrained weights: found, and checked against their published hash."""

import hashlib
import json
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from urllib.error import URLError

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import WeightsFile
from aerial_kedro.features.known import PACKAGED, BackboneDefinition, PackagedWeights

# So many parts of a path tell the network in a Hugging Face cache (models--…/snapshots/…/…).
_PARTS = 4
_NAMELESS = ("model", "pytorch_model")
_LONGEST_HEADER = 100_000_000  # bytes; safetensors' own limit


def find_weights(backbone: str, weights_path: str | None = None) -> WeightsFile:
    """Read a backbone's file of weights: the one given, else the package's, else torchvision's.

    torch and torchvision are imported for the last of these only.

    Parameters
    ----------
    backbone
        Name of the network.
    weights_path
        A ``.safetensors`` file or one that ``torch.save`` wrote.

    Raises
    ------
    AerialError
        If the file is missing or has another hash than the published one, if the download is not
        possible, or if the name is unknown or comes without weights.
    """
    if weights_path is not None:
        path = Path(weights_path)
        if not path.is_file():
            raise AerialError(
                f"There is no weights file {weights_path}. Check --params=weights_path=FILE."
            )
        return replace(_read(backbone, path, f"file {path.name}"), hints=_hints(path))
    packaged = PACKAGED[backbone].packaged if backbone in PACKAGED else None
    if packaged is not None:
        return read_packaged(backbone, packaged)
    from aerial_kedro.features.definitions import define_backbone  # noqa: PLC0415  (loads slowly)

    definition = define_backbone(backbone)
    if definition.library == "torchvision":
        return _read_official(definition)
    raise AerialError(
        f"The backbone {backbone!r} comes without weights. Give a file with "
        f"--params=weights_path=FILE (.safetensors or .pth for timm's {definition.architecture})."
    )


def find_network(onnx_path: str) -> WeightsFile:
    """Read a finished network.

    Parameters
    ----------
    onnx_path
        An ONNX file, see `aerial_kedro.features.finished`.

    Raises
    ------
    AerialError
        If there is no such file.
    """
    path = Path(onnx_path)
    if not path.is_file():
        raise AerialError(f"There is no network {onnx_path}. Check --params=backbone_onnx=FILE.")
    return replace(_read(path.stem, path, f"file {path.name}"), is_finished=True)


def _hints(path: Path) -> tuple[str, ...]:
    """Name of a file, with its folders where it says nothing, and a safetensors file's metadata."""
    # Hugging Face calls every file alike, and the folder by the network.
    parts = _PARTS if path.stem in _NAMELESS else 1
    name = "/".join(path.absolute().parts[-parts:])
    if path.suffix != ".safetensors":
        return (name,)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        head = file.read(length) if length <= _LONGEST_HEADER else b""
    try:
        metadata = json.loads(head).get("__metadata__") or {}
        return (name, *sorted(str(each) for each in metadata.values()))
    except (ValueError, AttributeError):  # damaged, which is said when it is parsed
        return (name,)


def read_packaged(backbone: str, packaged: PackagedWeights) -> WeightsFile:
    """Read the weights that a package brings.

    Raises
    ------
    AerialError
        If their hash is not the published one.
    """
    with as_file(files(packaged.package) / packaged.file) as path:
        found = _read(backbone, path, f"package {packaged.package}")
    if found.sha256 != packaged.sha256:
        raise AerialError(
            f"The weights in the package {packaged.package} have the sha256 {found.sha256}, not "
            f"{packaged.sha256}. Install the package again."
        )
    return found


def _read_official(definition: BackboneDefinition) -> WeightsFile:
    import torch  # noqa: PLC0415
    import torchvision  # noqa: PLC0415

    weights = torchvision.models.get_model_weights(definition.architecture).DEFAULT
    file = weights.url.rsplit("/", 1)[-1]
    try:
        torch.hub.load_state_dict_from_url(
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
    return _read(definition.name, path, f"torchvision {file}")


def _read(backbone: str, path: Path, source: str) -> WeightsFile:
    content = path.read_bytes()
    return WeightsFile(backbone, content, str(path), source, hashlib.sha256(content).hexdigest())
