from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.change.comparison import estimate_change
from aerial_kedro.change.summary import expect_changes

CLASSES = 5


def draw_places(
    count: int, rate: float, sureness: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw two years' probabilities of places of which a known share changes.

    The probabilities are those of an ideal classifier: Bayes' rule on a noisy view of the class.
    """
    rng = np.random.default_rng(seed)
    before = rng.integers(0, CLASSES, count)
    changed = rng.random(count) < rate
    after = np.where(changed, (before + rng.integers(1, CLASSES, count)) % CLASSES, before)
    views = []
    for classes in (before, after):
        seen = rng.normal(0, 1, (count, CLASSES)) + sureness * np.eye(CLASSES)[classes]
        likelihood = np.exp(sureness * seen)
        views.append(likelihood / likelihood.sum(axis=1, keepdims=True))
    return views[0], views[1], changed


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_the_rate_of_change_is_found(rate: float) -> None:
    first, second, _ = draw_places(20_000, rate, sureness=2.5, seed=1)
    assert estimate_change(first, second)[0] == pytest.approx(rate, abs=0.01)


def test_the_probabilities_mean_what_they_say() -> None:
    first, second, changed = draw_places(50_000, 0.08, sureness=2.5, seed=2)
    found = estimate_change(first, second)[1]["probability"].to_numpy()
    for low, high in [(0.0, 0.1), (0.2, 0.4), (0.6, 0.8), (0.9, 1.0)]:
        chosen = (found >= low) & (found < high)
        assert found[chosen].mean() == pytest.approx(changed[chosen].mean(), abs=0.05)


def test_the_expected_number_among_the_first_comes_true() -> None:
    first, second, changed = draw_places(20_000, 0.05, sureness=2.5, seed=3)
    found = estimate_change(first, second)[1]["probability"].to_numpy()
    order = np.argsort(-found)
    lists = expect_changes(found, (200, 1000, 3000))
    assert [each.first for each in lists] == [200, 1000, 3000]
    for each in lists:
        true = changed[order][: each.first].sum()
        assert each.expected == pytest.approx(true, rel=0.08)


def test_an_unsure_year_is_no_change() -> None:
    """The product of two unsure years would say 50 %."""
    sure = np.tile([0.98, 0.01, 0.01], (200, 1))
    first = np.vstack([sure, [[0.5, 0.5, 0.0]]])
    second = np.vstack([sure, [[0.5, 0.5, 0.0]]])
    assert estimate_change(first, second)[1]["probability"].iloc[-1] < 0.05


def test_a_change_that_is_seen_often_is_believed_on_less() -> None:
    """Many places turn from the first class to the second; none from the third to the first."""
    sure = 0.94 * np.eye(3) + 0.02
    stay, turn = np.repeat(sure, 60, axis=0), np.repeat(sure[[0]], 60, axis=0)
    hint = np.array([[0.2, 0.78, 0.02], [0.78, 0.02, 0.2]])
    first = np.vstack([stay, turn, sure[[0, 2]]])
    second = np.vstack([stay, np.repeat(sure[[1]], 60, axis=0), hint])
    rate, found = estimate_change(first, second)
    usual, unusual = found["probability"].iloc[-2:]
    assert usual > 0.7
    assert unusual < 0.1
    assert rate == pytest.approx(61 / 242, abs=0.02)


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_years_turns_the_classes_round(seed: int) -> None:
    first, second, _ = draw_places(50, 0.2, sureness=1.5, seed=seed)
    there, back = estimate_change(first, second)[1], estimate_change(second, first)[1]
    np.testing.assert_allclose(there["probability"], back["probability"], atol=1e-9)
    np.testing.assert_array_equal(there["before"], back["after"])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.ones((2, 1)), np.ones((2, 1))),
        (np.full((2, 2), 0.5), np.full((3, 2), 0.5)),
    ],
)
def test_tables_that_do_not_fit_are_refused(first: np.ndarray, second: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"needed|nothing can change"):
        estimate_change(first, second)
