"""Which backbone and engine a run takes, where no tile has to be read for it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from aerial_kedro.features.engines import EngineChoice
from aerial_kedro.pipelines.featurization.precision import measure_precision, prepare_backbone
from tests.models import make_backbone

EXPORTED = make_backbone(b"fp32")
INT8 = make_backbone(b"int8", precision="int8", calibration="0123456789abcdef")
NO_TILES = cast("Any", None)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_other_precisions_than_int8_run_the_export_itself(precision: str) -> None:
    assert prepare_backbone(EXPORTED, [INT8], NO_TILES, precision, 0.0, 1) is EXPORTED


def test_fp32_has_nothing_to_lose() -> None:
    choice = EngineChoice(engine="openvino", precision="fp32", milliseconds={"openvino": 4.0})
    found = measure_precision(EXPORTED, EXPORTED, choice, NO_TILES, 0.0, 1)
    assert (found.engine, found.milliseconds) == ("openvino", {"openvino": 4.0})
    assert found.mean_cosine is None
    assert found.probe is None
