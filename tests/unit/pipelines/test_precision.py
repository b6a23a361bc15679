"""Which backbone and engine a run takes, where no tile has to be read for it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from aerial_kedro.backbones.artifact import Backbone, feature_key
from aerial_kedro.backbones.engines import EngineChoice
from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.featurization.precision import (
    choose_engine_of_model,
    judge_precision,
    settle_backbone,
    take_stored_backbone,
)
from aerial_kedro.tiles.reading import READING_VERSION
from tests.unit.pipelines.test_score_folder import CARD, model

EXPORTED = Backbone(b"fp32", CARD)
INT8 = Backbone(
    b"int8", CARD.model_copy(update={"precision": "int8", "calibration": "0123456789abcdef"})
)
NO_TILES = cast("Any", None)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_other_precisions_than_int8_run_the_export_itself(precision: str) -> None:
    assert settle_backbone(EXPORTED, [INT8], NO_TILES, precision, 0.0, 1) is EXPORTED
    assert take_stored_backbone(EXPORTED, [INT8], precision) is EXPORTED


def test_scoring_in_int8_takes_the_stored_backbone_of_the_same_network() -> None:
    assert take_stored_backbone(EXPORTED, [INT8], "int8") is INT8
    other = Backbone(b"int8", INT8.card.model_copy(update={"weights_sha256": "cc"}))
    for stored in ([], [other]):
        with pytest.raises(AerialError, match=r"no int8 backbone of .lite.*Copy backbone_int8"):
            take_stored_backbone(EXPORTED, stored, "int8")


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_auto_is_the_engine_that_the_model_was_trained_with(engine: str) -> None:
    trained = model(feature_key(INT8.card, engine, "int8", READING_VERSION))
    found = choose_engine_of_model(INT8, trained, "auto", "int8", 1)
    assert found == EngineChoice(engine=engine, precision="int8")
    asked = choose_engine_of_model(INT8, trained, "openvino", "int8", 1)
    assert asked.engine == "openvino"


def test_fp32_has_nothing_to_lose() -> None:
    choice = EngineChoice(engine="openvino", precision="fp32", milliseconds={"openvino": 4.0})
    found = judge_precision(EXPORTED, EXPORTED, choice, NO_TILES, 0.0, 1)
    assert (found.engine, found.milliseconds) == ("openvino", {"openvino": 4.0})
    assert found.mean_cosine is None
    assert found.probe is None
