"""Published weights whose preprocessing is another than their architecture's usual one.

They are recognised by what their authors called the file, by the metadata of a safetensors file, or
by the digits of its digest that are part of the published name. What torchvision and timm publish
themselves is not here: they say it of each of their files (`aerial_kedro.features.recognition`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class KnownWeights:
    """A family of published weights.

    Parameters
    ----------
    name
        As messages name it.
    pattern
        Regular expression of names of its files, lower case.
    digests
        First hexadecimal digits of the sha256 of its files.
    mean, std
        Channel-wise normalisation of an input scaled to 0–1.
    input_size
        Side of the square input in pixels; None for the architecture's own.
    licence
        Licence of the weights.
    source
        Where mean, deviation and size are stated.
    """

    name: str
    pattern: str
    digests: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    input_size: int | None
    licence: str
    source: str


KNOWN_WEIGHTS = (
    KnownWeights(
        name="DINOv3 of satellite images (SAT-493M)",
        pattern=r"dinov3.*sat493m",
        digests=("eadcf0ff", "a6675841"),
        mean=(0.430, 0.411, 0.296),
        std=(0.213, 0.156, 0.143),
        input_size=256,
        licence="DINOv3 License of Meta",
        source="facebookresearch/dinov3, README.md (Image transforms) and hub/backbones.py",
    ),
    KnownWeights(
        name="DINOv3 of web images (LVD-1689M)",
        pattern=r"dinov3.*lvd1689m",
        digests=(
            *("08c60483", "4057cbaa", "73cec8be", "8aa4cbdd", "46503df0", "7c1da9a5", "a955f4ea"),
            "21b726bb",
        ),
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        input_size=256,
        licence="DINOv3 License of Meta",
        source="facebookresearch/dinov3, README.md (Image transforms) and hub/backbones.py",
    ),
    KnownWeights(
        name="SatlasPretrain (RGB)",
        pattern=(
            r"aerial_swin[bt]_[sm]i|sentinel2_(swin[bt]|resnet\d+)_[sm]i_rgb"
            r"|(naip|sentinel2)_(rgb_|[sm]i_)*satlas"
        ),
        digests=("685f45bd", "51471041"),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        input_size=256,
        licence="ODC-BY 1.0",
        source="allenai/satlaspretrain_models, README.md; 256 px: torchgeo, models/swin.py",
    ),
    KnownWeights(
        name="DINOv2",
        pattern=r"dinov2_vit[a-z]?(s|b|l|g)?14.*pretrain",
        digests=(),
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        input_size=None,
        licence="Apache-2.0",
        source="facebookresearch/dinov2, dinov2/data/transforms.py and README.md",
    ),
    KnownWeights(
        name="DINO",
        pattern=r"dino_(vit|deit|resnet|xcit).*pretrain",
        digests=(),
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        input_size=224,
        licence="Apache-2.0",
        source="facebookresearch/dino, eval_linear.py and README.md",
    ),
    KnownWeights(
        name="MAE",
        pattern=r"mae_(pretrain|finetuned?|visualize)_vit",
        digests=(),
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        input_size=224,
        licence="CC BY-NC 4.0",
        source="facebookresearch/mae, main_linprobe.py and LICENSE",
    ),
    KnownWeights(
        name="geography-aware contrastive learning (fMoW)",
        pattern=r"fmow_rgb_gassl",
        digests=("da43d987",),
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        input_size=224,
        licence="not stated with the file",
        source="torchgeo, models/resnet.py",
    ),
)


def find_known(hints: Iterable[str], sha256: str) -> KnownWeights | None:
    """Recognise a file of weights.

    Parameters
    ----------
    hints
        Its name and its metadata.
    sha256
        Digest of its content.

    Examples
    --------
    >>> find_known(["dinov3_vitl16_pretrain_sat493m-eadcf0ff.pth"], "").mean
    (0.43, 0.411, 0.296)
    >>> find_known(["mine.pth"], "eadcf0ff" + 56 * "0").name
    'DINOv3 of satellite images (SAT-493M)'
    >>> find_known(["mine.pth"], "0")
    """
    for known in KNOWN_WEIGHTS:
        if known.digests and sha256.startswith(known.digests):
            return known
    names = [each.lower().replace("-", "_") for each in hints]
    return next(
        (known for known in KNOWN_WEIGHTS if any(re.search(known.pattern, name) for name in names)),
        None,
    )
