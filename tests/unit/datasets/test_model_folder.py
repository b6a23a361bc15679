"""What lies beside a model's stages: its card, and what computes its features."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aerial_kedro.datasets.model_folder import (
    parse_card,
    read_applicability,
    read_source,
    write_applicability,
    write_source,
)
from aerial_kedro.errors import AerialError
from aerial_kedro.features.source import FeatureSource
from tests.models import make_applicability, make_card, make_source


@pytest.mark.parametrize("source", [make_source(), make_source("openvino", "int8")])
def test_what_computes_features_comes_back_with_the_card(
    tmp_path: Path, source: FeatureSource
) -> None:
    write_source(str(tmp_path), source)
    assert read_source(str(tmp_path), make_card(source)) == source


def with_program() -> FeatureSource:
    plain = make_source("torch", program_sha256=hashlib.sha256(b"program").hexdigest())
    return replace(plain, backbone=replace(plain.backbone, program=b"program"))


def test_a_network_for_torch_comes_back_and_is_missed(tmp_path: Path) -> None:
    source = with_program()
    write_source(str(tmp_path), source)
    assert read_source(str(tmp_path), make_card(source)) == source
    (tmp_path / "backbone.pt2").unlink()
    with pytest.raises(
        AerialError, match=r"'county' is not whole.*backbone\.pt2\. Train the model"
    ):
        read_source(str(tmp_path), make_card(source))


def test_a_network_for_torch_does_not_outlive_its_model(tmp_path: Path) -> None:
    write_source(str(tmp_path), with_program())
    write_source(str(tmp_path), make_source())
    assert not (tmp_path / "backbone.pt2").exists()


def test_a_backbone_of_another_version_is_refused(tmp_path: Path) -> None:
    write_source(str(tmp_path), make_source())
    (tmp_path / "backbone.json").write_text('{"name": "lite"}', encoding="utf-8")
    with pytest.raises(AerialError, match="'county' says of its backbone is not of this version"):
        read_source(str(tmp_path), make_card())


def test_a_model_that_lacks_its_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AerialError, match=r"no backbone at .*backbone\.onnx\. Train the model"):
        read_source(str(tmp_path), make_card())


def test_another_models_backbone_is_refused(tmp_path: Path) -> None:
    write_source(str(tmp_path), make_source(weights_sha256="b" * 64))
    with pytest.raises(AerialError, match=r"'county' was trained on features .*another model's"):
        read_source(str(tmp_path), make_card())


@pytest.mark.parametrize("change", [{"engine": None}, {"colour": "blue"}])
def test_a_card_of_another_version_names_its_fields(change: dict[str, str | None]) -> None:
    fields = {**make_card().model_dump(), **change}
    text = json.dumps({name: value for name, value in fields.items() if value is not None})
    with pytest.raises(AerialError, match=rf"'county' .*see {next(iter(change))}\).*again"):
        parse_card(text.encode(), "'county'")


def test_a_card_that_is_no_card_is_refused() -> None:
    with pytest.raises(AerialError, match="not of this version"):
        parse_card(b"half a", "'county'")


def test_where_a_model_holds_comes_back(tmp_path: Path) -> None:
    holds = make_applicability(3, limit=2.0)
    write_applicability(str(tmp_path), holds)
    again = read_applicability(str(tmp_path), make_card())
    assert again is not None
    for name, value in vars(holds).items():
        np.testing.assert_array_equal(value, getattr(again, name))


def test_a_model_that_was_stored_without_where_it_holds_is_read(tmp_path: Path) -> None:
    assert read_applicability(str(tmp_path), make_card()) is None


def test_where_a_model_holds_does_not_outlive_it(tmp_path: Path) -> None:
    write_applicability(str(tmp_path), make_applicability(3))
    write_applicability(str(tmp_path), None)
    assert read_applicability(str(tmp_path), make_card()) is None


@pytest.mark.parametrize("how", ["no archive", "half a file", "other arrays"])
def test_a_damaged_file_of_where_a_model_holds_is_refused(tmp_path: Path, how: str) -> None:
    whole = make_applicability(3).to_npz()
    if how == "other arrays":
        np.savez(tmp_path / "applicability.npz", mean=np.zeros(3))
    else:
        content = b"nothing" if how == "no archive" else whole[: len(whole) // 2]
        (tmp_path / "applicability.npz").write_bytes(content)
    with pytest.raises(AerialError, match=r"'county' is not whole: applicability\.npz.*again"):
        read_applicability(str(tmp_path), make_card())
