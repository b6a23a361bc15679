"""Pooling of stages: what the features hold, in which order, and at what price."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from timm.models.mlp_mixer import MlpMixer
from torch import nn
from torchvision.models import VisionTransformer

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Weights, feature_key
from aerial_kedro.features.definitions import build_classifier, cut_classifier, define_backbone
from aerial_kedro.features.export import export_backbone
from aerial_kedro.features.known import BackboneDefinition
from aerial_kedro.features.pooling import PooledStages, pool_features


class TwoStages(nn.Module):
    """A network whose outputs can be worked out by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Identity()
        self.second = nn.AvgPool2d(2)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return -self.second(self.first(pixels)).mean((2, 3))


def test_output_mean_and_spread_of_each_stage_come_in_order() -> None:
    maps = torch.tensor([[[[1.0, 1.0, 5.0, 5.0]] * 2]])  # one tile, one channel
    features = PooledStages(TwoStages(), ("first", "second"))(maps)
    # Output -3; both stages have the mean 3 and the standard deviation 2.
    expected = np.sqrt([3, 3, 2, 3, 2]) * [-1, 1, 1, 1, 1]
    np.testing.assert_allclose(features.numpy(), [expected], rtol=1e-6)


def test_tiles_of_a_batch_do_not_mix() -> None:
    network = PooledStages(TwoStages(), ("first",))
    tiles = torch.rand(3, 2, 4, 4)
    together = network(tiles)
    alone = torch.cat([network(tile[None]) for tile in tiles])
    torch.testing.assert_close(together, alone)


def test_the_default_network_gives_more_features_and_says_which() -> None:
    definition = define_backbone("efficientnet_lite0")
    torch.manual_seed(0)
    state = build_classifier(definition).state_dict()
    weights = Weights(state, "seed", "0")
    last, stages = (export_backbone(definition, weights, 1, each) for each in ("last", "stages"))
    assert (last.card.n_features, last.card.stages) == (1280, ())
    assert stages.card.stages == ("blocks.1", "blocks.2", "blocks.3", "blocks.4")
    assert stages.card.n_features == 1280 + 2 * (24 + 40 + 80 + 112)


def test_without_known_stages_auto_takes_the_last_layer() -> None:
    definition = define_backbone("alexnet")
    network = nn.Identity()
    assert pool_features(network, definition, "auto") is network
    with pytest.raises(AerialError, match=r"'alexnet' no stages are known.*pooling=last"):
        pool_features(network, definition, "stages")


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(AerialError, match=r"'max'\. There are: auto, last, stages"):
        pool_features(nn.Identity(), define_backbone("alexnet"), "max")


class TestTokens:
    """Of a transformer: the class token, or the mean of its patches."""

    @pytest.mark.parametrize(
        ("name", "size", "build"),
        [
            ("timm/test_vit", 160, lambda: timm.create_model("test_vit", num_classes=0)),
            (  # its last norm comes behind the pooling
                "timm/test_vit",
                160,
                lambda: timm.create_model("test_vit", num_classes=0, global_pool="avg"),
            ),
            (
                "timm/vit_tiny_patch16_dinov3_qkvb",
                64,
                lambda: timm.create_model("vit_tiny_patch16_dinov3_qkvb", num_classes=0),
            ),
        ],
    )
    def test_of_timm_are_its_own(
        self, name: str, size: int, build: Callable[[], nn.Module]
    ) -> None:
        torch.manual_seed(5)
        network = build().eval()
        definition = replace(define_backbone(name), input_size=size)
        pixels = torch.rand(2, 3, size, size)
        with torch.inference_mode():
            tokens = network.forward_features(pixels)
            prefix = network.num_prefix_tokens
            assert tokens.shape[1] == (size // 16) ** 2 + prefix
            norm = network.fc_norm
            token = pool_features(network, definition, "token")(pixels)
            mean = pool_features(network, definition, "mean")(pixels)
            assert torch.equal(token, norm(tokens[:, 0]))
            torch.testing.assert_close(mean, norm(tokens[:, prefix:].mean(1)))
            assert not torch.allclose(token, mean)

    def test_of_torchvision_are_its_own(self) -> None:
        torch.manual_seed(5)
        network = VisionTransformer(64, 16, 2, 2, 24, 48).eval()
        network.heads = nn.Identity()
        definition = BackboneDefinition("small", "torchvision", "vit", 64, (0.5,) * 3, (0.5,) * 3)
        pixels = torch.rand(2, 3, 64, 64)
        with torch.inference_mode():
            token = pool_features(network, definition, "token")(pixels)
            assert torch.equal(token, network(pixels))
            assert pool_features(network, definition, "mean")(pixels).shape == token.shape

    def test_are_on_the_card_and_in_the_key_and_equal_in_onnx(
        self, capfd: pytest.CaptureFixture
    ) -> None:
        torch.manual_seed(5)
        definition = define_backbone("timm/test_vit")
        weights = Weights(timm.create_model("test_vit").state_dict(), "seed", "0")
        cards = [
            export_backbone(definition, weights, 1, each).card for each in ("auto", "token", "mean")
        ]
        assert capfd.readouterr().out == ""  # no graph, where opset 13 lacks an operator
        assert [each.pooling for each in cards] == ["last", "token", "mean"]
        assert all(each.parity_cosine > 0.9999 for each in cards)
        assert all(each.cell_layers == ("norm",) for each in cards)
        assert len({feature_key(each, "onnxruntime", "fp32", "1") for each in cards}) == 3

    def test_of_a_network_without_are_refused(self) -> None:
        definition = define_backbone("resnet18")
        network = cut_classifier(build_classifier(definition), definition).eval()
        with pytest.raises(AerialError, match=r"'resnet18' is no transformer.*pooling=last"):
            pool_features(network, definition, "mean")
        mixer = MlpMixer(patch_size=32, num_blocks=1, embed_dim=32, num_classes=0).eval()
        known = replace(definition, library="timm", name="mixer")
        with pytest.raises(AerialError, match=r"'mixer' has no class token.*pooling=mean"):
            pool_features(mixer, known, "token")
