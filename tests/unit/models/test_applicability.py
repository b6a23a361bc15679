"""Where a classifier holds: properties of distances, of the curve and of the flag."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aerial_kedro.models.applicability import Applicability
from aerial_kedro.models.holding import FEWEST_MEASURED, Known, Part, fit_applicability

WHOLE = [Part(slice(None), 1.0)]
CENTRES = {"Forest": (0.0, 0.0, 0.0), "Town": (9.0, 0.0, 0.0), "Water": (0.0, 9.0, 0.0)}
SURE = np.array([0.3, 0.6, 0.9, 1.0])


def make_known(count: int = 1200, **changes: Any) -> Known:
    """Cells of three classes, each spread around its own place; one in ten is predicted wrongly."""
    rng = np.random.default_rng(3)
    labels = np.resize(np.array(list(CENTRES), dtype=object), count)
    numbers = np.array([CENTRES[name] for name in labels]) + rng.normal(size=(count, 3))
    confidence = rng.uniform(0.5, 1, count)
    known = Known(
        numbers=numbers.astype(np.float32),
        labels=labels,
        folds=np.array([f"fold_{number % 3}" for number in rng.permutation(count)], dtype=object),
        groups=np.full(count, "", dtype=object),
        teaches=np.ones(count, dtype=bool),
        weights=np.ones(count),
        measured=np.ones(count, dtype=bool),
        right=rng.random(count) < confidence,
        confidence=confidence,
    )
    return replace(known, **changes)


@functools.cache
def fitted() -> Applicability:
    found = fit_applicability(make_known(), WHOLE, 0.1, seed=1)
    assert found is not None
    return found


def test_what_was_learned_from_is_not_unlike_itself() -> None:
    alone = np.arange(1200) < 12  # four a class, so that each is a reference
    found = fit_applicability(make_known(teaches=alone), WHOLE, 0.1, seed=1)
    assert found is not None
    numbers = make_known().numbers
    np.testing.assert_allclose(found.measure(numbers[alone]), 0, atol=1e-3)
    assert found.measure(numbers[~alone]).min() > 0


def test_the_order_of_cells_and_of_references_says_nothing() -> None:
    numbers = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    order = np.random.default_rng(2).permutation(50)
    sure = np.linspace(0.2, 1, 50)
    one = fitted().apply(numbers, sure)
    other = fitted().apply(numbers[order], sure[order])
    turned = replace(
        fitted(),
        references=fitted().references[::-1],
        reference_classes=fitted().reference_classes[::-1],
    )
    for name in ("dissimilarity", "expected", "outside"):
        np.testing.assert_allclose(getattr(one, name)[order], getattr(other, name), rtol=1e-4)
    np.testing.assert_allclose(turned.measure(numbers), one.dissimilarity, rtol=1e-4)


def test_cells_beyond_a_batch_are_measured_as_the_first_are() -> None:
    numbers = np.random.default_rng(1).normal(size=(20_000, 3)).astype(np.float32)
    found = fitted().measure(numbers)
    assert found.shape == (20_000,)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[-100:], fitted().measure(numbers[-100:]), rtol=1e-4)
    assert fitted().measure(numbers[:0]).shape == (0,)


@pytest.mark.parametrize("confidence", SURE)
def test_the_further_away_the_less_is_expected(confidence: float) -> None:
    away = np.linspace(0, 100, 400)[:, None] * np.array([[0.0, 0.0, 1.0]])
    found = fitted().apply(away.astype(np.float32), np.full(400, confidence))
    assert (np.diff(found.expected) <= 1e-6).all()
    assert (np.diff(found.outside.astype(int)) >= 0).all()
    assert ((found.expected >= 0) & (found.expected <= 1)).all()
    assert found.outside[-1]
    assert found.expected[-1] == 0  # nothing was ever measured there


def test_the_surer_the_more_is_expected_and_the_later_is_it_outside() -> None:
    assert (np.diff(fitted().accuracies) >= 0).all()
    assert (np.diff(fitted().limits) >= 0).all()
    place = np.repeat([[0.0, 0.0, 2.5]], 99, axis=0).astype(np.float32)
    found = fitted().apply(place, np.linspace(0.01, 0.99, 99))
    assert (np.diff(found.expected) >= -1e-6).all()


def test_at_home_what_is_expected_is_what_is_right() -> None:
    known = make_known()
    found = fitted().apply(known.numbers, known.confidence)
    assert found.expected.mean() == pytest.approx(known.right.mean(), abs=0.03)
    assert found.outside.mean() < 0.25


def test_a_cluster_far_away_is_outside_and_its_nearest_class_is_not() -> None:
    rng = np.random.default_rng(4)
    far = rng.normal(size=(200, 3)) + np.array([0, 0, 12])
    near = rng.normal(size=(200, 3)) + np.array(CENTRES["Forest"])
    sure = np.full(200, 0.95)
    assert fitted().apply(far.astype(np.float32), sure).outside.mean() > 0.95
    assert fitted().apply(near.astype(np.float32), sure).outside.mean() < 0.1


@pytest.mark.parametrize(
    ("year_is_like_others", "least", "most"), [(True, 0.6, 1), (False, 0, 0.4)]
)
def test_years_left_out_say_what_is_right_as_far_away_as_they_are(
    year_is_like_others: bool, least: float, most: float
) -> None:
    known = make_known(confidence=np.full(1200, 0.9), right=np.arange(1200) % 10 != 0)
    late = np.arange(1200) % 2 == 1
    swap = {"Forest": "Town", "Town": "Water", "Water": "Forest"}
    swapped = np.array([swap[name] for name in known.labels], dtype=object)
    changed = replace(
        known,
        numbers=known.numbers + np.where(late[:, None], (0, 0, 5), 0).astype(np.float32),
        labels=known.labels if year_is_like_others else np.where(late, swapped, known.labels),
        groups=np.where(late, "2018", "2012").astype(object),
    )
    found = fit_applicability(changed, WHOLE, 0.1, seed=1)
    assert found is not None
    as_far = (known.numbers - np.array([0, 0, 5], np.float32))[~late]
    expected = found.apply(as_far, np.full(600, 0.9)).expected.mean()
    assert least < expected < most


def test_a_part_without_weight_has_no_say() -> None:
    found = fit_applicability(make_known(), [Part(slice(0, 2), 1.0)], 0.1, seed=1)
    assert found is not None
    numbers = make_known().numbers
    moved = numbers + np.array([0, 0, 50], np.float32)
    np.testing.assert_allclose(found.measure(numbers), found.measure(moved), atol=1e-3)


def test_the_same_seed_gives_the_same() -> None:
    again = fit_applicability(make_known(), WHOLE, 0.1, seed=1)
    assert again is not None
    for name, value in vars(fitted()).items():
        np.testing.assert_array_equal(value, getattr(again, name))


def test_it_comes_back_from_its_file() -> None:
    again = Applicability.from_npz(fitted().to_npz())
    for name, value in vars(fitted()).items():
        np.testing.assert_array_equal(value, getattr(again, name))
    assert isinstance(again.unit, float)


@pytest.mark.parametrize(
    "changes",
    [
        {"measured": np.arange(1200) < FEWEST_MEASURED - 1},
        {"folds": np.full(1200, "fold_1", dtype=object)},
        {"labels": np.full(1200, "Forest", dtype=object)},
    ],
)
def test_too_little_to_say(changes: dict[str, Any]) -> None:
    assert fit_applicability(make_known(**changes), WHOLE, 0.1, seed=1) is None


def test_two_classes_alone_give_a_limit_for_all_confidences() -> None:
    known = make_known()
    two = np.where(known.labels == "Water", "Town", known.labels).astype(object)
    found = fit_applicability(replace(known, labels=two), WHOLE, 0.1, seed=1)
    assert found is not None
    assert len(set(found.limits.tolist())) == 1


def test_where_nothing_was_right_nothing_is_expected() -> None:
    found = fit_applicability(make_known(right=np.zeros(1200, dtype=bool)), WHOLE, 0.1, seed=1)
    assert found is not None
    expected = found.apply(make_known().numbers, make_known().confidence).expected
    assert expected.max() < 0.01


@pytest.mark.filterwarnings("error")
def test_fits_that_stop_before_they_are_exact_say_nothing() -> None:
    """A run's log is for what the user can do something about."""
    stretched = make_known().numbers * np.float32([1, 1e3, 1e-3])
    assert fit_applicability(make_known(numbers=stretched), WHOLE, 1e-9, seed=1) is not None
