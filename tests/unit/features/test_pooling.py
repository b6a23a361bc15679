"""Pooling of stages: what the features hold, in which order, and at what price."""

import numpy as np
import pytest
import torch
from torch import nn

from aerial_kedro.errors import AerialError
from aerial_kedro.features.artifact import Weights
from aerial_kedro.features.definitions import build_classifier, define_backbone
from aerial_kedro.features.export import export_backbone
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
