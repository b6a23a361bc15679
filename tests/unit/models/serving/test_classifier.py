"""Classifiers in numpy: the arithmetic, written out, and the way to disk and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aerial_kedro.models.classifiers import ForestClassifier, LinearClassifier
from aerial_kedro.models.serving.model import ServedCard, ServedModel
from tests.models import make_applicability, make_source

LINEAR = LinearClassifier(
    mean=np.array([1.0, 0.0]),
    scale=np.array([2.0, 0.0]),
    coefficients=np.array([[1.0, 5.0], [-1.0, 7.0]]),
    intercepts=np.array([0.5, 0.0]),
)
# A tree of one split (at 0.5, of feature 1), and one that is a leaf alone.
FOREST = ForestClassifier(
    roots=np.array([0, 3]),
    feature=np.array([1, 0, 0, 0]),
    threshold=np.array([0.5, 0.0, 0.0, 0.0]),
    left=np.array([1, 1, 2, 3]),
    right=np.array([2, 1, 2, 3]),
    leaves=np.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [0.2, 0.8]]),
)


def served(
    classifier: LinearClassifier | ForestClassifier, temperature: float = 1.0
) -> ServedModel:
    source = make_source()
    card = ServedCard(
        model_name="oak",
        classifier="random_forest",
        classes=["a", "b"],
        column="features",
        temperature=temperature,
        feature_key=source.key,
        precision="fp32",
        backbone=source.backbone.card,
    )
    return ServedModel(source.backbone.onnx, classifier, card)


def test_regression_standardises_and_leaves_out_what_never_varied() -> None:
    found = LINEAR.probabilities(np.array([[1.5, 99.0]]))
    first, second = np.exp([1.0 + 0.5, -1.0])
    np.testing.assert_allclose(found, [[first / (first + second), second / (first + second)]])


def test_regression_bears_large_scores() -> None:
    found = LINEAR.probabilities(np.array([[1e6, 0.0]]))
    np.testing.assert_allclose(found, [[1.0, 0.0]])


def test_a_forest_goes_left_at_the_threshold_itself() -> None:
    """As Spark does: at most, not less than."""
    found = FOREST.probabilities(np.array([[0.0, 0.5], [0.0, np.nextafter(0.5, 1)]]))
    np.testing.assert_allclose(found, [[0.6, 0.4], [0.1, 0.9]])


def test_temperature_softens() -> None:
    tiles = np.array([[0.0, 0.0]])
    np.testing.assert_allclose(
        served(FOREST, 1.0).probabilities(tiles), FOREST.probabilities(tiles)
    )
    sharp, soft = (served(FOREST, t).probabilities(tiles).max() for t in (0.5, 2.0))
    assert sharp > 0.6 > soft > 0.5


@pytest.mark.parametrize("classifier", [LINEAR, FOREST], ids=["regression", "forest"])
def test_a_classifier_comes_back_from_disk(
    classifier: LinearClassifier | ForestClassifier, tmp_path: Path
) -> None:
    served(classifier).write(tmp_path)
    again = ServedModel.read(tmp_path).classifier
    tiles = np.random.default_rng(1).normal(size=(5, 2))
    assert type(again) is type(classifier)
    np.testing.assert_array_equal(again.probabilities(tiles), classifier.probabilities(tiles))


def test_where_a_served_model_holds_comes_back_with_it(tmp_path: Path) -> None:
    replace(served(FOREST), applicability=make_applicability(2)).write(tmp_path)
    again = ServedModel.read(tmp_path).applicability
    assert again is not None
    tiles, sure = np.array([[3.0, 4.0]]), np.array([0.9])
    assert again.apply(tiles, sure) == make_applicability(2).apply(tiles, sure)


def test_a_served_model_need_not_know_where_it_holds(tmp_path: Path) -> None:
    served(FOREST).write(tmp_path)
    assert ServedModel.read(tmp_path).applicability is None
