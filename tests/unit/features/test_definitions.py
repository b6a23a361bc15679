import re

import pytest
import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.definitions import build_classifier, cut_classifier, define_backbone


@pytest.mark.parametrize(
    ("name", "library", "size"),
    [
        ("efficientnet_lite0", "timm", 224),
        ("efficientnet_lite1", "timm", 240),
        ("efficientnet_lite2", "timm", 260),
        ("alexnet", "torchvision", 224),
        ("resnet18", "torchvision", 224),
        ("squeezenet1_1", "torchvision", 224),
        ("mobilenetv3_small_050", "timm", 224),
        ("vit_small_patch16_384", "timm", 384),
        # The names that both have are torchvision's, unless it is said which is meant.
        ("resnet50", "torchvision", 224),
        ("torchvision/resnet50", "torchvision", 224),
        ("timm/resnet50", "timm", 224),
        ("timm/efficientnet_lite0", "timm", 224),
        # With timm's tag of the weights.
        ("vit_small_patch16_dinov3.lvd1689m", "timm", 256),
        ("timm/vit_small_patch14_dinov2.lvd142m", "timm", 518),
    ],
)
def test_backbones_are_found_by_name(name: str, library: str, size: int) -> None:
    definition = define_backbone(name)
    assert (definition.name, definition.library, definition.input_size) == (name, library, size)
    assert len(definition.mean) == len(definition.std) == 3
    assert (definition.packaged is not None) == name.startswith("efficientnet_lite")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("resnet81", "resnet18"),
        ("efficientnet_lite", "efficientnet_lite0"),
        ("alexnett", "alexnet"),
    ],
)
def test_unknown_names_suggest_near_ones(typed: str, meant: str) -> None:
    with pytest.raises(
        AerialError, match=rf"No backbone is called '{typed}'; did you mean .*{meant}"
    ):
        define_backbone(typed)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("timm/resnet51", r"did you mean .*timm/resnet50"),
        ("torchvision/regnetx_002", r"did you mean .*torchvision/regnet_x"),  # timm's
        ("tim/resnet50", r"No backbone is called 'tim/resnet50'; did you mean resnet50"),
        ("vit_small_patch16_dinov3.sat", r"no weights 'sat' of .*There are: lvd1689m; .*timm/vit_"),
        ("resnet50.a1_in1k", None),
    ],
)
def test_a_library_or_tag_that_is_not_there_is_refused(typed: str, expected: str | None) -> None:
    if expected is None:  # the tag says that timm's is meant
        assert define_backbone(typed).library == "timm"
        return
    with pytest.raises(AerialError, match=expected):
        define_backbone(typed)


def test_no_suggestion_is_made_twice() -> None:
    with pytest.raises(AerialError) as refusal:
        define_backbone("resnet81")
    near = str(refusal.value).split("did you mean ")[1].split(" Without")[0].split(", ")
    assert len(set(near)) == len(near) == 3


def test_names_like_no_other_list_what_needs_no_network() -> None:
    with pytest.raises(AerialError, match=re.escape("'?!'. Without a network")) as refusal:
        define_backbone("?!")
    assert "efficientnet_lite0, efficientnet_lite1, efficientnet_lite2" in str(refusal.value)


def test_segmentation_networks_are_no_backbones() -> None:
    with pytest.raises(AerialError, match="No backbone is called 'fcn_resnet50'"):
        define_backbone("fcn_resnet50")


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("squeezenet1_1", 512),
        ("mobilenet_v3_small", 1024),
        ("mnasnet0_5", 1280),
        ("shufflenet_v2_x0_5", 1024),
        ("mobilenetv3_small_050", 1024),  # timm's
        ("regnetx_002", 368),  # timm's
    ],
)
def test_networks_are_cut_before_their_last_layer(name: str, features: int) -> None:
    definition = define_backbone(name)
    network = cut_classifier(build_classifier(definition), definition).eval()
    with torch.inference_mode():
        found = network(torch.zeros(1, 3, 64, 64)).flatten(1)
    assert found.shape == (1, features)


def test_networks_without_a_last_layer_of_a_known_name_are_refused() -> None:
    with pytest.raises(AerialError, match="last layer of the backbone 'alexnet' was not found"):
        cut_classifier(nn.Sequential(nn.Linear(2, 2)), define_backbone("alexnet"))
