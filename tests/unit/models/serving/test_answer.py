"""The served model's answer: a class, and what is to be expected of it."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from mlflow.types.schema import DataType
from PIL import Image

from aerial_kedro.datasets.served_models import _SIGNATURE
from aerial_kedro.features.featurize import image_statistics
from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.classifiers import LinearClassifier
from aerial_kedro.models.serving import model as serving
from aerial_kedro.models.serving.model import ServedModel, TilePredictor
from aerial_kedro.models.serving.pyfunc import PictureClassifier, decode_images
from tests.models import make_applicability
from tests.unit.models.serving.test_classifier import served

COLOURS = ["black", "grey", "white"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classifier reads plain statistics: no engine is needed."""
    monkeypatch.setattr(serving, "open_engine", lambda *_: None)


def pictures() -> pd.DataFrame:
    texts = []
    for colour in COLOURS:
        buffer = io.BytesIO()
        Image.new("RGB", (20, 20), colour).save(buffer, "PNG")
        texts.append(base64.b64encode(buffer.getvalue()).decode())
    return pd.DataFrame({"image": texts})


def answer(applicability: Applicability | None) -> pd.DataFrame:
    numbers = image_statistics(np.zeros((1, 8, 8, 3), np.uint8)).shape[1]
    classifier = LinearClassifier(
        np.zeros(numbers), np.ones(numbers), np.zeros((2, numbers)), np.array([0.4, 0.0])
    )
    made = served(classifier)
    card = made.card.model_copy(update={"column": "statistics"})
    model: ServedModel = replace(made, card=card, applicability=applicability)
    return PictureClassifier(TilePredictor(model)).predict(pictures())


def test_an_answer_says_what_to_expect_of_it() -> None:
    read = image_statistics(decode_images(pictures()["image"].tolist(), 224))
    lengths = np.linalg.norm(read, axis=1)
    limit = float(lengths[1:].mean())
    found = answer(make_applicability(read.shape[1], limit))
    assert found["outside"].tolist() == (lengths > limit).tolist() == [False, False, True]
    expected = 0.9 - 0.8 * (lengths / (2 * limit)).clip(max=1)
    assert found["expected_accuracy"].tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert found["class"].tolist() == ["a"] * 3


def test_where_the_model_does_not_know_the_answer_is_null_and_no_number() -> None:
    found = answer(None).to_dict("records")
    assert [(each["expected_accuracy"], each["outside"]) for each in found] == [(None, None)] * 3
    assert [each["class"] for each in found] == ["a"] * 3


def test_the_signature_has_the_columns_of_the_answer() -> None:
    columns = {each.name: each for each in _SIGNATURE.outputs}
    assert list(columns) == list(answer(None))
    for name, kind in (("expected_accuracy", DataType.double), ("outside", DataType.boolean)):
        assert (columns[name].type, columns[name].required) == (kind, False)
