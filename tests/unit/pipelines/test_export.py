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
from aerial_kedro.pipelines.featurization.exporting import export_backbone

NETWORK = "squeezenet1_1"


def export(
    file: WeightsFile, pooling: str, engine: str, gsd_m: float | None = None, seed: int = 1
) -> Backbone:
    return export_backbone(file, pooling, engine, tile_size_m=224, gsd_m=gsd_m, seed=seed)


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
    return export(file, "last", "onnxruntime")


@pytest.fixture
def _unread(exported: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: WeightsFile) -> None:
        raise ReadError

    monkeypatch.setattr(weights, "read_weights", refuse)


@pytest.mark.usefixtures("_unread")
def test_what_is_exported_is_not_exported_again(file: WeightsFile, exported: Backbone) -> None:
    assert export(replace(file, stored=(exported,)), "last", "onnxruntime", seed=2) is exported


@pytest.mark.usefixtures("_unread")
@pytest.mark.parametrize(
    "change",
    [
        lambda file: (replace(file, sha256="0" * 64), "last", "onnxruntime", None),
        lambda file: (replace(file, backbone="resnet18"), "last", "onnxruntime", None),
        lambda file: (file, "stages", "onnxruntime", None),
        lambda file: (file, "last", "torch", None),
        lambda file: (file, "last", "onnxruntime", 2.0),
    ],
    ids=["weights", "backbone", "pooling", "engine", "gsd_m"],
)
def test_another_one_is(
    file: WeightsFile,
    exported: Backbone,
    change: Callable[[WeightsFile], tuple[WeightsFile, str, str, float | None]],
) -> None:
    others, pooling, engine, gsd_m = change(file)
    with pytest.raises(ReadError):
        export(replace(others, stored=(exported,)), pooling, engine, gsd_m)


@pytest.mark.usefixtures("_unread")
def test_the_own_input_of_the_default_asked_for_by_gsd_m_is_not_another(
    file: WeightsFile, exported: Backbone
) -> None:
    own = replace(file, backbone="efficientnet_lite0", hints=())
    name = known.name_export(own.backbone, own.sha256, "last")
    stored = replace(exported, card=exported.card.model_copy(update={"export": name}))
    own = replace(own, stored=(stored,))
    assert export(own, "last", "onnxruntime", gsd_m=1.0) is stored


@pytest.mark.usefixtures("_unread")
def test_an_int8_backbone_is_not_taken_for_the_export(
    file: WeightsFile, exported: Backbone
) -> None:
    card = exported.card.model_copy(update={"precision": "int8"})
    others = replace(file, stored=(replace(exported, card=card),))
    with pytest.raises(ReadError):
        export(others, "last", "onnxruntime")


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
