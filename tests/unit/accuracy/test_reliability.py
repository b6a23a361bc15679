import numpy as np
import pytest

from aerial_kedro.accuracy.reliability import (
    ReliabilityBin,
    brier_score,
    check_probabilities,
    expected_calibration_error,
    reliability_curve,
)


def draw(n: int = 2_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns of labels drawn from the very probabilities that come with them."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet([1, 1, 1], size=n)
    codes = (rng.random((n, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(max=2)
    return codes, chances


def test_labels_drawn_from_their_probabilities_are_calibrated() -> None:
    labels, chances = draw(20_000)
    curve = reliability_curve(labels, chances)
    assert expected_calibration_error(curve) < 0.02


def test_too_sure_a_model_is_not_calibrated() -> None:
    labels, chances = draw()
    sure = np.eye(3)[chances.argmax(axis=1)]
    curve = reliability_curve(labels, sure)
    right = np.mean(chances.argmax(axis=1) == labels)
    assert expected_calibration_error(curve) == pytest.approx(1 - right)


def test_bins_are_of_equal_width_and_empty_ones_left_out() -> None:
    chances = np.array([[0.95, 0.05], [0.91, 0.09], [0.52, 0.48]])
    curve = reliability_curve(np.array([0, 1, 0]), chances)
    assert [point.count for point in curve] == [1, 2]
    assert curve[1].confidence == pytest.approx(0.93)
    assert curve[1].accuracy == 0.5


def test_every_tile_is_counted_once_also_at_the_edges() -> None:
    chances = np.array([[1.0, 0.0], [0.5, 0.5], [0.7, 0.3], [0.6, 0.4]])
    curve = reliability_curve(np.array([0, 0, 1, 0]), chances)
    assert sum(point.count for point in curve) == 4
    accuracy = sum(point.accuracy * point.count for point in curve) / 4
    assert accuracy == pytest.approx(0.75)


def test_calibration_error_weighs_bins_by_their_tiles() -> None:
    curve = [
        ReliabilityBin(confidence=0.5, accuracy=0.5, count=99),
        ReliabilityBin(confidence=0.9, accuracy=0.4, count=1),
    ]
    assert expected_calibration_error(curve) == pytest.approx(0.005)


@pytest.mark.parametrize("size", [2, 3, 6])
def test_brier_score_runs_from_0_to_2(size: int) -> None:
    labels, certain = np.arange(size), np.eye(size)
    assert brier_score(labels, certain) == 0
    assert brier_score(labels, np.roll(certain, 1, axis=1)) == pytest.approx(2)


def test_brier_score_is_the_mean_squared_distance() -> None:
    labels, chances = draw(50)
    truth = np.eye(3)[labels]
    expected = ((chances - truth) ** 2).sum(axis=1).mean()
    assert brier_score(labels, chances) == pytest.approx(expected)


def test_float32_probabilities_are_scaled_not_refused() -> None:
    chances = draw(100)[1].astype(np.float32)
    found = check_probabilities(chances, rows=100, classes=3)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("chances", "message"),
    [
        ([[0.5, 0.2, 0.2]], "sum to 1.*row 0"),
        ([[1.5, -0.5, 0.0]], "0–1"),
        ([[np.nan, 0.5, 0.5]], "0–1"),
        ([[0.5, 0.5]], r"shape \(1, 2\)"),
    ],
)
def test_refuses_what_are_no_probabilities(chances: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_probabilities(np.array(chances), rows=1, classes=3)
