"""Files of weights as they are found: one of each layout, made of small networks at random.

Each must give the features of the network that it was made from.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.definitions import cut_classifier, define_backbone
from aerial_kedro.features.weight_files import find_weights
from aerial_kedro.features.weights import fit_backbone, read_weights

Build = Callable[[str], nn.Module]
State = dict[str, torch.Tensor]

RESNET = "resnet18"  # torchvision's
VIT = "timm/test_vit"
DINOV3 = "vit_small_patch16_dinov3"


def prefixed(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": each for name, each in state.items()}


def without_last(state: State, *names: str) -> State:
    return {name: each for name, each in state.items() if not name.startswith(names)}


def projector(prefix: str = "projector.") -> State:
    return prefixed(prefix, nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).state_dict())


def noise(state: State) -> State:
    """Another network: the pupil, the key encoder, what must not be taken."""
    return {
        name: torch.rand_like(each) if each.is_floating_point() else each
        for name, each in state.items()
    }


def features(network: nn.Module, size: int) -> torch.Tensor:
    torch.manual_seed(0)
    with torch.inference_mode():
        return network(torch.rand(2, 3, size, size)).flatten(1)


def expected_of(network: nn.Module, name: str, size: int) -> torch.Tensor:
    return features(cut_classifier(network, define_backbone(name)).eval(), size)


def load(path: Path, name: str) -> tuple[nn.Module, tuple[str, ...]]:
    return fit_backbone(define_backbone(name), read_weights(find_weights(name, str(path))))


# What a file holds, made of the state dict of a ResNet-18; and what the run says of it.
LAYOUTS: dict[str, tuple[Callable[[State], object], str]] = {
    "torchvision": (lambda state: state, ""),
    "without a last layer": (lambda state: without_last(state, "fc."), ""),
    "wrapped": (lambda state: {"epoch": 3, "state_dict": state}, "taken from 'state_dict'"),
    "wrapped twice": (lambda state: {"model": {"state_dict": state}}, "'model / state_dict'"),
    "DDP": (
        lambda state: {"state_dict": prefixed("module.", state), "optimizer": {"state": {}}},
        "taken from 'state_dict / module'",
    ),
    "doubled prefix": (lambda state: prefixed("model.backbone.", state), "'model.backbone'"),
    "encoder and projector, as SimCLR has them": (
        lambda state: prefixed("encoder.", without_last(state, "fc.")) | projector(),
        "4 tensor(s) are no part of it and ignored: projector.0 (2), projector.2 (2)",
    ),
    "MoCo: the query, not the key": (
        lambda state: {
            "state_dict": prefixed("module.encoder_k.", noise(without_last(state, "fc.")))
            | prefixed("module.encoder_q.", without_last(state, "fc."))
            | projector("module.encoder_q.fc.")
            | {"module.queue": torch.rand(4, 8)}
        },
        "taken from 'state_dict / module.encoder_q', which is preferred to others",
    ),
    "EMA beside the model": (
        lambda state: {"model": noise(state), "model_ema": state, "args": argparse.Namespace(lr=1)},
        "taken from 'model_ema', which is preferred",
    ),
    "timm's EMA": (
        lambda state: {"state_dict": noise(state), "state_dict_ema": state},
        "taken from 'state_dict_ema', which is preferred",
    ),
    "EMA under a prefix, as Lightning has it": (
        lambda state: {
            "state_dict": prefixed("model.", noise(state)) | prefixed("ema_model.module.", state)
        },
        "taken from 'state_dict / ema_model.module', which is preferred",
    ),
    "teacher and student, as DINO has them": (
        lambda state: {
            "student": prefixed("module.backbone.", noise(without_last(state, "fc."))),
            "teacher": prefixed("backbone.", without_last(state, "fc.")) | projector("head."),
            "epoch": 1,
        },
        "taken from 'teacher / backbone', which is preferred",
    ),
    "a student alone": (
        lambda state: {"student": prefixed("module.backbone.", state)},
        "taken from 'student / module.backbone'",
    ),
    "a decoder beside it, as SatlasPretrain's ResNet": (
        lambda state: (
            prefixed("backbone.resnet.", without_last(state, "fc."))
            | prefixed("intermediates.0.inner_blocks.", nn.Conv2d(4, 4, 1).state_dict())
        ),
        "2 tensor(s) are no part of it and ignored: intermediates.0.inner_blocks (2)",
    ),
    "with a profiler's counts": (
        lambda state: {**state, "layer1.0.total_ops": torch.zeros(1)},
        "1 tensor(s) are no part",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_of_a_convolutional_network(
    layout: str, random_network: Build, weights_file: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    network = random_network(RESNET)
    make, remark = LAYOUTS[layout]
    path = weights_file(make(network.state_dict()))
    with caplog.at_level(logging.INFO):
        loaded, notes = load(path, RESNET)
    assert torch.equal(features(loaded, 64), expected_of(network, RESNET, 64))
    assert remark in "; ".join(notes)
    assert bool(notes) == bool(remark)
    lines = [each.message for each in caplog.records if "Weights from" in each.message]
    assert len(lines) == (1 if remark else 0)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_of_safetensors(
    metadata: dict[str, str] | None, prefix: str, random_network: Build, tmp_path: Path
) -> None:
    network = random_network(RESNET)
    path = tmp_path / "model.safetensors"
    save_file(prefixed(prefix, network.state_dict()), path, metadata)
    loaded, _ = load(path, RESNET)
    assert torch.equal(features(loaded, 64), expected_of(network, RESNET, 64))


@pytest.mark.parametrize(
    ("name", "last"),
    [(VIT, "head."), ("timm/test_resnet", "fc."), ("timm/test_convnext", "head.fc.")],
)
def test_of_timm(name: str, last: str, random_network: Build, weights_file: Callable) -> None:
    network = random_network(name)
    state = network.state_dict()
    expected = expected_of(network, name, 160)
    for content in (
        state,
        without_last(state, last),
        {**state, f"{last}weight": torch.zeros(6, 9), f"{last}bias": torch.zeros(6)},
        {"state_dict": prefixed("model.", state)},
    ):
        loaded, _ = load(weights_file(content), name)
        assert torch.equal(features(loaded, 160), expected)


def test_of_satlas(weights_file: Callable) -> None:
    """A Swin transformer of torchvision under ``backbone.backbone.``, a pyramid beside it."""
    name = "swin_v2_t"
    torch.manual_seed(7)
    network = torchvision.models.swin_v2_t(weights=None).eval()
    beside = prefixed("intermediates.0.fpn.", nn.Conv2d(4, 4, 1).state_dict())
    state = prefixed("backbone.backbone.", network.state_dict()) | beside
    loaded, notes = load(weights_file(state), name)
    assert torch.equal(features(loaded, 64), expected_of(network, name, 64))
    assert "taken from 'backbone.backbone'" in notes[0]
    assert "intermediates" in notes[1]


def test_of_torchvisions_older_names(random_network: Build, weights_file: Callable) -> None:
    """The files that torchvision publishes of ViT and DenseNet are older than its code."""
    name = "densenet121"
    network = random_network(name)
    state = {
        each.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value
        for each, value in network.state_dict().items()
    }
    loaded, _ = load(weights_file(state), name)
    assert torch.equal(features(loaded, 64), expected_of(network, name, 64))


def meta_names(state: State, bias: float = 0.0) -> State:
    """DINOv3's own names of what timm calls otherwise (facebookresearch/dinov3)."""
    own = {}
    for name, each in state.items():
        renamed = name.replace("reg_token", "storage_tokens")
        for number in ("1", "2"):
            renamed = renamed.replace(f"gamma_{number}", f"ls{number}.gamma")
        own[renamed] = each
        if name.endswith("attn.qkv.weight"):
            own[name.replace("weight", "bias")] = torch.full((len(each),), bias)
            own[name.replace("weight", "bias_mask")] = torch.full((len(each),), float("nan"))
    own["mask_token"] = torch.zeros(1, 384)
    own["rope_embed.periods"] = torch.rand(16)
    return own


def hugging_face_names(state: State) -> State:
    """Names that Hugging Face's transformers have for DINOv3, made of its authors' own."""
    own = {}
    for name, each in state.items():
        renamed = re.sub(r"^blocks\.(\d+)\.", r"layer.\1.", name)
        renamed = renamed.replace("patch_embed.proj", "embeddings.patch_embeddings")
        renamed = renamed.replace("storage_tokens", "register_tokens")
        renamed = re.sub(r"ls(\d)\.gamma", r"layer_scale\1.lambda1", renamed)
        renamed = renamed.replace("mlp.fc1", "mlp.up_proj").replace("mlp.fc2", "mlp.down_proj")
        if renamed.endswith(("_token", "_tokens")):
            renamed = f"embeddings.{renamed}"
        if "attn.qkv" not in name:
            own[renamed.replace("attn.proj", "attention.o_proj")] = each
        elif "mask" not in name:
            for part, tensor in zip("qkv", each.chunk(3), strict=True):
                if (part, name.rpartition(".")[2]) != ("k", "bias"):
                    own[renamed.replace("attn.qkv", f"attention.{part}_proj")] = tensor
    return own


class TestDinov3:
    def network(self, random_network: Build) -> nn.Module:
        network = random_network(DINOV3)
        for each in network.parameters():  # layer scales of 1e-5 would hide what is inside
            if each.dim() == 1:
                nn.init.uniform_(each, 0.5, 1.5)
        return network

    def test_of_timms_names_and_of_metas(
        self, random_network: Build, weights_file: Callable
    ) -> None:
        network = self.network(random_network)
        expected = expected_of(network, DINOV3, 64)
        state = network.state_dict()
        metas = meta_names(state)
        wrapped = {"teacher": prefixed("backbone.", metas)}
        for content in (state, metas, wrapped, hugging_face_names(metas)):
            loaded, _ = load(weights_file(content), DINOV3)
            assert torch.equal(features(loaded, 64), expected)

    def test_of_gated_layers(self, random_network: Build, weights_file: Callable) -> None:
        name = "vit_small_plus_patch16_dinov3"
        network = random_network(name)
        for each in network.parameters():
            if each.dim() == 1:
                nn.init.uniform_(each, 0.5, 1.5)
        names = {"fc1_g": "w1", "fc1_x": "w2", "fc2": "w3"}
        metas = meta_names(network.state_dict())
        theirs = {}
        for layers in (names, {"fc1_g": "gate_proj", "fc1_x": "up_proj", "fc2": "down_proj"}):
            state = {
                re.sub(r"mlp\.(\w+)\.", lambda found: f"mlp.{layers[found[1]]}.", each): value  # noqa: B023
                for each, value in metas.items()
            }
            theirs = state if layers is names else hugging_face_names(state)
            loaded, _ = load(weights_file(theirs), name)
            assert torch.equal(features(loaded, 64), expected_of(network, name, 64))

    def test_a_bias_that_would_be_lost_is_refused(
        self, random_network: Build, weights_file: Callable
    ) -> None:
        state = meta_names(self.network(random_network).state_dict(), bias=0.5)
        with pytest.raises(AerialError, match=r"qkv\.bias is not zero.*_qkvb"):
            load(weights_file(state), DINOV3)


class TestNearInfrared:
    def test_a_fourth_channel_is_left_out(
        self, random_network: Build, weights_file: Callable
    ) -> None:
        network = random_network(RESNET)
        state = dict(network.state_dict())
        kernel = state["conv1.weight"]
        state["conv1.weight"] = torch.cat([kernel, torch.rand_like(kernel[:, :1])], dim=1)
        loaded, notes = load(weights_file({"state_dict": prefixed("module.", state)}), RESNET)
        assert torch.equal(features(loaded, 64), expected_of(network, RESNET, 64))
        assert any("near infrared" in each and "left out" in each for each in notes)

    @pytest.mark.parametrize("channels", [1, 2, 13])
    def test_other_numbers_are_refused(
        self, channels: int, random_network: Build, weights_file: Callable
    ) -> None:
        state = dict(random_network(RESNET).state_dict())
        state["conv1.weight"] = torch.rand(64, channels, 7, 7)
        with pytest.raises(AerialError, match=r"conv1\.weight"):
            load(weights_file(state), RESNET)


class TestRefused:
    @pytest.mark.parametrize("gone", ["layer4.1.bn2.weight", "conv1.weight"])
    def test_a_missing_parameter_in_a_wrapper(
        self, gone: str, random_network: Build, weights_file: Callable
    ) -> None:
        state = dict(random_network(RESNET).state_dict())
        del state[gone]
        content = {"state_dict": prefixed("module.", state) | projector()}
        with pytest.raises(AerialError, match=rf"they lack parameters such as {gone}"):
            load(weights_file(content), RESNET)

    @pytest.mark.parametrize(
        ("more", "shape"),
        [
            ("register_tokens", (1, 4, 64)),  # DINOv2's with registers, in a network without
            ("dist_token", (1, 1, 64)),
            ("norm_pre.weight", (64,)),  # CLIP's
            ("blocks.0.attn.q_norm.weight", (8,)),
            ("blocks.6.norm1.weight", (64,)),
        ],
    )
    def test_what_another_transformer_has_beside(
        self, more: str, shape: tuple[int, ...], random_network: Build, weights_file: Callable
    ) -> None:
        state = {**random_network(VIT).state_dict(), more: torch.rand(shape)}
        with pytest.raises(AerialError, match=rf"does not know, such as {more}"):
            load(weights_file(state), VIT)

    def test_what_training_alone_needs_is_none_of_that(
        self, random_network: Build, weights_file: Callable
    ) -> None:
        network = random_network(VIT)
        beside = {"mask_token": torch.rand(1, 1, 64), "decoder_pos_embed": torch.rand(1, 101, 64)}
        state = (
            network.state_dict() | beside | projector("head.mlp.") | projector("decoder_blocks.")
        )
        loaded, (note,) = load(weights_file(state), VIT)
        assert torch.equal(features(loaded, 160), expected_of(network, VIT, 160))
        assert note.startswith("10 tensor(s) are no part")

    def test_two_networks_of_which_none_is_preferred(
        self, random_network: Build, weights_file: Callable
    ) -> None:
        state = random_network(RESNET).state_dict()
        two = prefixed("left.", state) | prefixed("right.", noise(state))
        with pytest.raises(AerialError, match=r"two networks .*'left' and 'right'"):
            load(weights_file(two), RESNET)
        same = prefixed("left.", state) | prefixed("right.", state)
        load(weights_file(same), RESNET)

    def test_an_optimizers_state_alone(self, weights_file: Callable) -> None:
        content = {"optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}}
        with pytest.raises(AerialError, match="holds no state dict"):
            load(weights_file(content), RESNET)

    def test_patches_of_another_size(self, random_network: Build, weights_file: Callable) -> None:
        """timm would resample them."""
        state = dict(random_network(VIT).state_dict())
        kernel = state["patch_embed.proj.weight"]
        state["patch_embed.proj.weight"] = torch.rand(*kernel.shape[:2], 14, 14)
        with pytest.raises(AerialError, match=r"patch_embed\.proj\.weight"):
            load(weights_file(state), VIT)

    def test_what_else_than_tensors_a_pickle_has_is_named(self, weights_file: Callable) -> None:
        path = weights_file({"state_dict": {"a": torch.zeros(1)}, "folder": Path("here")})
        with pytest.raises(AerialError, match=r"beside tensors it has pathlib.*could run code"):
            load(path, RESNET)


class TestPositions:
    def test_of_another_input_are_refused_with_the_remedy(self, weights_file: Callable) -> None:
        larger = timm.create_model("test_vit", img_size=192)
        with pytest.raises(AerialError, match=r"pos_embed.*input_size=PIXELS"):
            load(weights_file(larger.state_dict()), VIT)

    def test_are_interpolated_where_an_input_is_asked_for(self, weights_file: Callable) -> None:
        torch.manual_seed(7)
        own = timm.create_model("test_vit", num_classes=0).eval()
        path = weights_file(own.state_dict())
        definition = define_backbone(VIT)
        asked = type(definition)(**{**vars(definition), "input_size": 192})
        weights = read_weights(find_weights(VIT, str(path)))
        loaded, notes = fit_backbone(asked, weights, resize=True)
        overlay = {"state_dict": own.state_dict(), "num_classes": 0}
        timms = timm.create_model(
            "test_vit",
            pretrained=True,
            img_size=192,
            num_classes=0,
            pretrained_cfg_overlay=overlay,
        ).eval()
        assert torch.equal(features(loaded, 192), features(timms, 192))
        assert notes == ("pos_embed is interpolated to the input asked for",)
        with pytest.raises(AerialError, match="pos_embed"):
            fit_backbone(asked, weights)
