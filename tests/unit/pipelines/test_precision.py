"""Which backbone and engine a run takes, where no tile has to be read for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from aerial_kedro.features.artifact import WeightsFile
from aerial_kedro.features.engine_choice import EngineChoice
from aerial_kedro.features.known import name_export
from aerial_kedro.features.source import FeatureSource
from aerial_kedro.pipelines.featurization import preparation
from aerial_kedro.pipelines.featurization.preparation import measure_precision, prepare_backbone
from tests.models import make_backbone

WEIGHTS = WeightsFile("lite", b"weights", "a.pth", "file a.pth", "a" * 64)
EXPORTED = make_backbone(b"fp32", export=name_export("lite", "a" * 64, "auto"))
INT8 = make_backbone(b"int8", precision="int8", calibration="0123456789abcdef")
NO_TILES = cast("Any", None)
ONE_CLASS_A_TILE = "tile"  # the map that needs nothing of cells, and so no tile to fit them on


@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_other_precisions_than_int8_run_the_export_itself(
    precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = EngineChoice(engine="openvino", precision="fp32")
    monkeypatch.setattr(preparation, "choose_engine", lambda *_, **__: choice)
    weights = replace(WEIGHTS, stored=(INT8, EXPORTED))
    found = prepare_backbone(
        EXPORTED, weights, NO_TILES, "openvino", precision, ONE_CLASS_A_TILE, None, 0.0, 1
    )
    assert found == FeatureSource(EXPORTED, choice)
    assert found.backbone is EXPORTED
    assert found.exported is None


def test_fp32_has_nothing_to_lose() -> None:
    choice = EngineChoice(engine="openvino", precision="fp32", milliseconds={"openvino": 4.0})
    found = measure_precision(FeatureSource(EXPORTED, choice), NO_TILES, 0.0, 1)
    assert (found.engine, found.milliseconds) == ("openvino", {"openvino": 4.0})
    assert found.mean_cosine is None
    assert found.probe is None


def test_an_engine_that_could_not_be_told_is_stated_behind_the_rest() -> None:
    choice = EngineChoice(engine="onnxruntime", precision="fp32", doubt="the rounds disagree")
    found = measure_precision(FeatureSource(EXPORTED, choice), NO_TILES, 0.0, 1)
    assert str(found) == (
        "onnxruntime, fp32; the fastest engine could not be told (the rounds disagree)"
    )
