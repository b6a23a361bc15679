from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.accuracy.calibration import fit_temperature, scale_probabilities

CLASSES = ["a", "b", "c"]


def draw_labelled(count: int, temperature: float, seed: int) -> tuple[np.ndarray, list[str]]:
    """Draw probabilities that are too sure (temperature > 1 mends them), and labels."""
    rng = np.random.default_rng(seed)
    honest = rng.dirichlet([0.5, 0.5, 0.5], count)
    labels = [CLASSES[rng.choice(3, p=row)] for row in honest]
    return scale_probabilities(honest, 1 / temperature), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_is_found(temperature: float) -> None:
    probabilities, labels = draw_labelled(20_000, temperature, seed=1)
    assert fit_temperature(probabilities, labels, CLASSES) == pytest.approx(temperature, rel=0.05)


def test_few_blocks_hold_it_near_one() -> None:
    """Three hundred tiles that are all right would sharpen without bound."""
    probabilities = np.tile([0.8, 0.1, 0.1], (300, 1))
    alone = fit_temperature(probabilities, ["a"] * 300, CLASSES)
    held = fit_temperature(probabilities, ["a"] * 300, CLASSES, independent=5)
    assert alone < 0.3
    assert 0.5 < held < 1


@given(st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_scaling_keeps_the_order_and_the_sum(temperature: float, seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet([1, 1, 1], 20)
    scaled = scale_probabilities(probabilities, temperature)
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    np.testing.assert_array_equal(scaled.argmax(axis=1), probabilities.argmax(axis=1))


def test_a_class_never_seen_stays_possible() -> None:
    assert scale_probabilities(np.array([[1.0, 0.0]]), 1.0)[0, 1] > 0


def test_labels_of_unknown_classes_are_passed_over() -> None:
    probabilities, labels = draw_labelled(2_000, 2.0, seed=2)
    mixed = fit_temperature(
        np.vstack([probabilities, np.full((500, 3), 1 / 3)]), [*labels, *["z"] * 500], CLASSES
    )
    assert mixed == pytest.approx(fit_temperature(probabilities, labels, CLASSES), rel=1e-3)


def test_no_known_label_is_refused() -> None:
    with pytest.raises(ValueError, match="None of the 1 labels"):
        fit_temperature(np.array([[0.5, 0.25, 0.25]]), ["z"], CLASSES)
