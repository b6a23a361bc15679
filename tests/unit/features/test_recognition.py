"""The preprocessing follows the weights, not the architecture."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import WeightsFile, feature_key
from aerial_kedro.features.input_request import InputRequest
from aerial_kedro.features.known import PACKAGED
from aerial_kedro.features.known_weights import KNOWN_WEIGHTS
from aerial_kedro.features.recognition import Preprocessing, choose_preprocessing
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.pipelines.featurization.exporting import export_backbone

Build = Callable[[str], nn.Module]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SATELLITE = ((0.430, 0.411, 0.296), (0.213, 0.156, 0.143))
NONE, ALL = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
DINOV3 = "timm/vit_large_patch16_dinov3"


def choose(backbone: str, hint: str, sha256: str = "0" * 64, **request: object) -> Preprocessing:
    file = WeightsFile(backbone, b"", hint, "file", sha256, (hint,), InputRequest(**request))
    return choose_preprocessing(file)


@pytest.mark.parametrize(
    ("backbone", "name", "scale", "size"),
    [
        (DINOV3, "dinov3_vitl16_pretrain_sat493m-eadcf0ff.pth", SATELLITE, 256),
        (DINOV3, "dinov3-vitl16-pretrain-sat493m/model.safetensors", SATELLITE, 256),
        (DINOV3, "dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth", IMAGENET, 256),
        (DINOV3, "vit_large_patch16_dinov3.sat493m.safetensors", SATELLITE, 256),
        (
            DINOV3,
            "models--timm--vit_large_patch16_dinov3.sat493m/snapshots/ab12/model.safetensors",
            SATELLITE,
            256,
        ),
        ("swin_v2_b", "aerial_swinb_si.pth", (NONE, ALL), 256),
        ("swin_v2_b", "swin_v2_b_naip_rgb_satlas-685f45bd.pth", (NONE, ALL), 256),
        ("swin_v2_t", "sentinel2_swint_si_rgb.pth", (NONE, ALL), 256),
        ("resnet50", "sentinel2_resnet50_mi_rgb.pth", (NONE, ALL), 256),
        ("timm/vit_small_patch16_224", "dino_deitsmall16_pretrain.pth", IMAGENET, 224),
        ("timm/vit_base_patch16_224", "mae_pretrain_vit_base.pth", IMAGENET, 224),
        ("timm/vit_small_patch14_dinov2", "dinov2_vits14_pretrain.pth", IMAGENET, 518),
        ("timm/resnet50", "resnet50_fmow_rgb_gassl-da43d987.pth", IMAGENET, 224),
    ],
)
def test_known_files_bring_theirs(
    backbone: str, name: str, scale: tuple[tuple[float, ...], ...], size: int
) -> None:
    found = choose(backbone, name)
    assert (found.definition.mean, found.definition.std) == scale
    assert found.definition.input_size == size
    assert found.assumed == ()
    assert found.licence


def test_a_file_with_another_name_is_known_by_its_digest() -> None:
    found = choose(DINOV3, "mine.pth", "eadcf0ff" + "0" * 56)
    assert found.definition.mean == SATELLITE[0]
    assert "DINOv3" in str(found.licence)
    assert choose(DINOV3, "mine.pth").assumed == ("input_mean", "input_std", "input_size")


def test_each_source_is_named() -> None:
    assert all(each.source and each.licence for each in KNOWN_WEIGHTS)


def test_a_tag_says_it(random_network: Build) -> None:
    tagged = choose("vit_large_patch16_dinov3.sat493m", "mine.pth")
    assert (tagged.definition.mean, tagged.definition.std) == SATELLITE
    assert tagged.assumed == ()
    assert tagged.licence == "dinov3-license"
    # Of one architecture, and another input: what the tag says counts.
    other = choose("timm/vit_base_patch16_224.mae", "mine.pth")
    assert other.definition.mean == IMAGENET[0]
    assert choose("timm/vit_base_patch16_224", "mine.pth").definition.mean == (0.5, 0.5, 0.5)


def test_a_tag_of_another_architecture_says_nothing() -> None:
    found = choose("timm/vit_base_patch16_224", "vit_large_patch16_dinov3.pth")
    assert found.assumed


def test_torchvisions_own_files_are_known_by_their_digest() -> None:
    digest = torchvision.models.ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1.url[-12:-4]
    found = choose("vit_b_16", "mine.pth", digest + "0" * 56)
    assert found.definition.input_size == 384
    assert found.licence == "CC BY-NC 4.0"
    swin = torchvision.models.Swin_V2_T_Weights.IMAGENET1K_V1.url[-12:-4]
    assert choose("swin_v2_t", "mine.pth", swin + "0" * 56).definition.input_size == 256


def test_metadata_of_a_safetensors_file_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"source": "dinov3_vitl16_pretrain_sat493m"})
    found = choose_preprocessing(find_weights(DINOV3, str(path)))
    assert (found.definition.mean, found.assumed) == (SATELLITE[0], ())
    save_file({"a": torch.zeros(1)}, path)
    assert choose_preprocessing(find_weights(DINOV3, str(path))).assumed


def test_the_packaged_network_is_as_it_was() -> None:
    own = PACKAGED["efficientnet_lite0"]
    found = choose_preprocessing(find_weights(own.name))
    assert (found.definition, found.assumed, found.resize) == (own, (), False)


def test_what_the_run_asks_for_counts_most() -> None:
    found = choose(DINOV3, "dinov3_vitl16_pretrain_sat493m.pth", mean="0.1/0.2/0.3", size=224)
    assert found.definition.mean == (0.1, 0.2, 0.3)
    assert found.definition.std == SATELLITE[1]
    assert (found.definition.input_size, found.resize) == (224, True)
    assert found.origin.startswith("input_mean, input_size of the run, else as published for DINO")
    asked = choose("resnet18", "mine.pth", mean=0, std=1)
    assert (asked.definition.mean, asked.definition.std) == (NONE, ALL)
    assert asked.assumed == ("input_size",)


@pytest.mark.parametrize(
    "request_", [{"mean": "0.4/0.4"}, {"mean": 120}, {"std": 0}, {"size": 7}, {"mean": "a/b/c"}]
)
def test_what_makes_no_sense_is_refused(request_: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(request_))):
        InputRequest(**request_)


class TestOnTheCard:
    """What the weights want is on the card, and in the names of export and features."""

    @pytest.fixture
    def file(self, random_network: Build, weights_file: Callable) -> WeightsFile:
        path = weights_file(random_network("squeezenet1_1").state_dict(), "mine.pth")
        return find_weights("squeezenet1_1", str(path))

    def test_an_unknown_file_is_warned_of_with_what_is_assumed(
        self, file: WeightsFile, caplog: pytest.LogCaptureFixture
    ) -> None:
        exported = export_backbone(file, "last", "onnxruntime", 224, None, 1)
        (warning,) = [each.message for each in caplog.records if each.levelname == "WARNING"]
        assert "not known" in warning
        assert "mean 0.485/0.456/0.406, deviation 0.229/0.224/0.225, 224 px" in warning
        assert "--params=input_mean=0.43/0.411/0.296,input_std=" in warning
        caplog.clear()
        again = replace(file, stored=(exported,))
        assert export_backbone(again, "last", "onnxruntime", 224, None, 1) is exported
        assert "not known" in caplog.text

    def test_a_known_or_asked_one_is_not(
        self, file: WeightsFile, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked = replace(file, request=InputRequest(mean=0.5, std=0.25, size=96))
        known = replace(file, hints=("aerial_swinb_si.pth",))
        cards = []
        with caplog.at_level(logging.INFO):
            for each in (file, asked, known):
                caplog.clear()
                cards.append(export_backbone(each, "last", "onnxruntime", 224, None, 1).card)
        assert "WARNING" not in {each.levelname for each in caplog.records}
        assert "licence of the weights: ODC-BY 1.0" in caplog.text
        assert [each.input_size for each in cards] == [224, 96, 256]
        assert cards[1].mean == (0.5, 0.5, 0.5)
        assert cards[2].licence == "ODC-BY 1.0"
        assert len({each.export for each in cards}) == 3
        assert len({feature_key(each, "onnxruntime", "fp32", "1") for each in cards}) == 3

    def test_a_network_of_one_input_refuses_others_asked_for(
        self, random_network: Build, weights_file: Callable
    ) -> None:
        path = weights_file(random_network("alexnet").state_dict())
        file = replace(find_weights("alexnet", str(path)), request=InputRequest(size=200))
        with pytest.raises(AerialError, match=r"cannot take input_size=200.*averages maps"):
            export_backbone(file, "last", "onnxruntime", 224, None, 1)
        vit = weights_file(timm.create_model("test_vit").state_dict())
        file = replace(find_weights("timm/test_vit", str(vit)), request=InputRequest(size=150))
        with pytest.raises(AerialError, match=r"cannot take input_size=150"):
            export_backbone(file, "last", "onnxruntime", 224, None, 1)


@pytest.mark.shared_data
def test_the_shared_weights_load_as_before(shared_data: Path) -> None:
    (path,) = (shared_data / "weights").glob("squeezenet1_1*.safetensors")
    file = find_weights("squeezenet1_1", str(path))
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    card = export_backbone(file, "auto", "onnxruntime", 224, None, 1).card
    assert (card.mean, card.std) == IMAGENET
    assert (card.n_features, card.weights_notes) == (512, ())


def test_a_folder_says_nothing_of_a_file_with_a_name_of_its_own(tmp_path: Path) -> None:
    """Experiments are called by what they compare with."""
    folder = tmp_path / "dinov3_vs_sat493m"
    folder.mkdir()
    for name in ("resnet50_best.safetensors", "model.safetensors"):
        save_file({"a": torch.zeros(1)}, folder / name)
    named, nameless = (
        find_weights("timm/resnet50", str(folder / name)).hints[0]
        for name in ("resnet50_best.safetensors", "model.safetensors")
    )
    assert named == "resnet50_best.safetensors"
    assert nameless.endswith("dinov3_vs_sat493m/model.safetensors")
