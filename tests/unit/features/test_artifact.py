import re

import pytest
from pydantic import ValidationError

from aerial_kedro.features.artifact import BackboneCard, feature_key

CARD = BackboneCard(
    name="resnet18",
    architecture="torchvision/resnet18",
    weights_source="file a.pth",
    weights_sha256="a" * 64,
    input_size=224,
    n_features=512,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    opset=13,
    parity_cosine=0.99999,
    onnx_sha256="b" * 64,
)
KEY = feature_key(CARD, "onnxruntime", "fp32", "1")


def test_keys_are_sixteen_hexadecimal_digits_and_do_not_change() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", KEY)
    assert KEY == "9ea3a54c1cd0841b"


@pytest.mark.parametrize(
    "changes",
    [
        {"weights_sha256": "c" * 64},
        {"architecture": "timm/resnet18"},
        {"input_size": 240},
        {"mean": (0.4, 0.5, 0.5)},
        {"std": (0.5, 0.5, 0.4)},
        {"stages": ("layer1",)},
    ],
)
def test_what_changes_features_changes_the_key(changes: dict) -> None:
    assert feature_key(CARD.model_copy(update=changes), "onnxruntime", "fp32", "1") != KEY


@pytest.mark.parametrize(
    "run", [("openvino", "fp32", "1"), ("onnxruntime", "int8", "1"), ("onnxruntime", "fp32", "2")]
)
def test_what_runs_the_backbone_changes_the_key(run: tuple[str, str, str]) -> None:
    assert feature_key(CARD, *run) != KEY


@pytest.mark.parametrize(
    "changes",
    [{"onnx_sha256": "d" * 64}, {"parity_cosine": 0.999999}, {"weights_source": "file b.pth"}],
)
def test_what_does_not_change_features_keeps_the_key(changes: dict) -> None:
    assert feature_key(CARD.model_copy(update=changes), "onnxruntime", "fp32", "1") == KEY


def test_cards_are_read_as_they_were_written_and_nothing_else() -> None:
    assert BackboneCard.model_validate_json(CARD.model_dump_json()) == CARD
    with pytest.raises(ValidationError, match="Extra inputs"):
        BackboneCard.model_validate({**CARD.model_dump(), "classes": 6})
