"""A backbone is exported once, and again when anything that it depends on is another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from aerial_kedro.datasets.backbones import BackboneWeightsDataset
from aerial_kedro.features import known, weights
from aerial_kedro.features.artifact import Backbone, WeightsFile
from aerial_kedro.features.definitions import build_classifier, define_backbone
from aerial_kedro.pipelines.featurization.preparation import export_backbone

NETWORK = "squeezenet1_1"


class ReadError(Exception):
    """The weights are parsed: the backbone is exported again."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> WeightsFile:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(build_classifier(define_backbone(NETWORK)).state_dict(), path)
    return BackboneWeightsDataset(backbone=NETWORK, weights_path=str(path)).load()


@pytest.fixture(scope="module")
def exported(file: WeightsFile) -> Backbone:
    return export_backbone(file, "last", "onnxruntime", seed=1)


@pytest.fixture
def _unread(exported: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: WeightsFile) -> None:
        raise ReadError

    monkeypatch.setattr(weights, "read_weights", refuse)


@pytest.mark.usefixtures("_unread")
def test_what_is_exported_is_not_exported_again(file: WeightsFile, exported: Backbone) -> None:
    assert (
        export_backbone(replace(file, stored=(exported,)), "last", "onnxruntime", seed=2)
        is exported
    )


@pytest.mark.usefixtures("_unread")
@pytest.mark.parametrize(
    "change",
    [
        lambda file: (replace(file, sha256="0" * 64), "last", "onnxruntime"),
        lambda file: (replace(file, backbone="resnet18"), "last", "onnxruntime"),
        lambda file: (file, "stages", "onnxruntime"),
        lambda file: (file, "last", "torch"),
    ],
    ids=["weights", "backbone", "pooling", "engine"],
)
def test_another_one_is(
    file: WeightsFile,
    exported: Backbone,
    change: Callable[[WeightsFile], tuple[WeightsFile, str, str]],
) -> None:
    others, pooling, engine = change(file)
    with pytest.raises(ReadError):
        export_backbone(replace(others, stored=(exported,)), pooling, engine, seed=1)


@pytest.mark.usefixtures("_unread")
def test_an_int8_backbone_is_not_taken_for_the_export(
    file: WeightsFile, exported: Backbone
) -> None:
    card = exported.card.model_copy(update={"precision": "int8"})
    others = replace(file, stored=(replace(exported, card=card),))
    with pytest.raises(ReadError):
        export_backbone(others, "last", "onnxruntime", seed=1)


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
