"""A backbone is exported once, and again when anything that it depends on is another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from aerial_kedro.datasets.backbones import BackboneWeightsDataset
from aerial_kedro.features import known
from aerial_kedro.features.artifact import Backbone, PendingWeights, Weights
from aerial_kedro.features.definitions import build_classifier, define_backbone
from aerial_kedro.pipelines.featurization.nodes import export_backbone

NETWORK = "squeezenet1_1"


class ReadError(Exception):
    """The weights are read: the backbone is exported again."""


def refuse() -> Weights:
    raise ReadError


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> PendingWeights:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(build_classifier(define_backbone(NETWORK)).state_dict(), path)
    return BackboneWeightsDataset(backbone=NETWORK, weights_path=str(path)).load()


@pytest.fixture(scope="module")
def exported(weights: PendingWeights) -> Backbone:
    return export_backbone(weights, [], NETWORK, "last", "onnxruntime", seed=1)


def test_what_is_exported_is_not_exported_again(
    weights: PendingWeights, exported: Backbone
) -> None:
    again = replace(weights, read=refuse)
    found = export_backbone(again, [exported], NETWORK, "last", "onnxruntime", seed=2)
    assert found is exported


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: (replace(weights, sha256="0" * 64), NETWORK, "last", "onnxruntime"),
        lambda weights: (replace(weights, sha256=None), NETWORK, "last", "onnxruntime"),
        lambda weights: (weights, "resnet18", "last", "onnxruntime"),
        lambda weights: (weights, NETWORK, "stages", "onnxruntime"),
        lambda weights: (weights, NETWORK, "last", "torch"),
    ],
    ids=["weights", "unknown weights", "backbone", "pooling", "engine"],
)
def test_another_one_is(
    weights: PendingWeights,
    exported: Backbone,
    change: Callable[[PendingWeights], tuple[PendingWeights, str, str, str]],
) -> None:
    others, backbone, pooling, engine = change(weights)
    with pytest.raises(ReadError):
        export_backbone(replace(others, read=refuse), [exported], backbone, pooling, engine, seed=1)


def test_other_packages_export_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = known.name_export(NETWORK, "0" * 64, "last")
    monkeypatch.setattr(known.importlib.metadata, "version", lambda _: "0.0")
    assert known.name_export(NETWORK, "0" * 64, "last") != first


def test_another_definition_exports_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "efficientnet_lite0"
    first = known.name_export(name, "0" * 64, "auto")
    other = replace(known.PACKAGED[name], stages=("blocks.1",))
    monkeypatch.setitem(known.PACKAGED, name, other)
    assert known.name_export(name, "0" * 64, "auto") != first


def test_weights_without_a_known_digest_are_exported_every_time(weights: PendingWeights) -> None:
    unknown = replace(weights, sha256=None)
    exported = export_backbone(unknown, [], NETWORK, "last", "onnxruntime", seed=1)
    assert exported.card.export is None
