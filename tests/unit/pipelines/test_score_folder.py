"""Scoring a folder: what is refused before a tile is read, and the values of the map."""

from __future__ import annotations

from typing import Any, cast

import pandas as pd
import pytest

from aerial_kedro.backbones.artifact import Backbone, BackboneCard, feature_key
from aerial_kedro.classifiers.model import ModelCard, TrainedModel
from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.score_folder.nodes import (
    check_backbone,
    check_features,
    draw_scored_maps,
    release_features,
)
from aerial_kedro.tiles.quarantine import QuarantineSummary
from aerial_kedro.tiles.reading import READING_VERSION
from tests.builders import CLASSES, cell_of_origin, grid_tiles

CARD = BackboneCard(
    name="lite", architecture="timm/lite", weights_source="here", weights_sha256="aa",
    input_size=224, n_features=8, mean=(0, 0, 0), std=(1, 1, 1), opset=13, parity_cosine=1,
    onnx_sha256="bb",
)  # fmt: skip
KEY = feature_key(CARD, "onnxruntime", "fp32", READING_VERSION)


def model(key: str = KEY, classes: tuple[str, ...] = ("Forest", "Developed")) -> TrainedModel:
    card = ModelCard(
        name="county", classifier="random_forest", classes=list(classes), column="features",
        feature_key=key, backbone="lite", settings={}, seed=1, training_tiles=9,
    )  # fmt: skip
    return TrainedModel(cast("Any", None), card)


def test_a_model_of_another_backbone_says_what_to_add() -> None:
    assert check_backbone(model(), "lite") == "lite"
    with pytest.raises(AerialError, match=r"'county'.*'heavy'.*--params=backbone=lite\b"):
        check_backbone(model(), "heavy")


def test_a_model_of_another_engine_or_precision_says_what_to_add() -> None:
    other = "0123456789abcdef"
    assert check_features(model(), Backbone(b"", CARD), [], KEY) == KEY
    with pytest.raises(
        AerialError, match="--params=backbone=lite,engine=onnxruntime,precision=fp32"
    ):
        check_features(model(), Backbone(b"", CARD), [], other)


def test_a_model_in_int8_asks_for_int8_where_its_backbone_is_stored() -> None:
    int8 = CARD.model_copy(update={"precision": "int8", "calibration": "0123"})
    trained = model(feature_key(int8, "openvino", "int8", READING_VERSION))
    with pytest.raises(AerialError, match="engine=openvino,precision=int8"):
        check_features(trained, Backbone(b"", CARD), [Backbone(b"", int8)], KEY)
    with pytest.raises(AerialError, match="an int8 calibration of its own"):
        check_features(trained, Backbone(b"", CARD), [], KEY)


def test_a_model_of_other_weights_asks_for_them() -> None:
    with pytest.raises(AerialError, match="--params=backbone=lite,weights_path=FILE"):
        check_features(model("0123456789abcdef"), Backbone(b"", CARD), [], KEY)


def test_nothing_is_scored_where_nothing_could_be_read() -> None:
    broken = QuarantineSummary(tiles=3, quarantined=3, reasons={"broken": 3}, examples=[])
    with pytest.raises(AerialError, match=r"None of the 3 tiles.*broken"):
        release_features(KEY, broken)
    assert release_features(KEY, broken.model_copy(update={"quarantined": 2})) == KEY


@pytest.mark.parametrize(
    ("classes", "value"), [(("Developed", "Forest"), 3), (("Checks", "Developed"), 2)]
)
def test_the_map_has_the_values_of_the_table_or_of_the_model(
    classes: tuple[str, ...], value: int
) -> None:
    tiles = grid_tiles([cell_of_origin()]).assign(mapped_class="Developed", probability=0.5)
    maps = draw_scored_maps(tiles, model(classes=classes), CLASSES)
    assert list(maps) == ["map_2018"]
    assert maps["map_2018"].pixels[0].tolist() == [[value]]


def test_a_map_without_a_year_is_called_map() -> None:
    tiles = grid_tiles([cell_of_origin()]).assign(
        mapped_class="Forest", probability=0.5, year=pd.array([None], dtype="Int32")
    )
    assert list(draw_scored_maps(tiles, model(), CLASSES)) == ["map"]
    assert draw_scored_maps(tiles.iloc[:0], model(), CLASSES) == {}
