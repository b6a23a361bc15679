from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.change.summary import assess_change, expect_changes


def places_of(probabilities: list[float], changed: list[bool]) -> pd.DataFrame:
    """Places that were forest; those that changed are shrub now, as the estimate has it."""
    return pd.DataFrame(
        {
            "probability": probabilities,
            "class_before": "Forest",
            "class_after": "Shrub",
            "true_before": "Forest",
            "true_after": ["Shrub" if each else "Forest" for each in changed],
            "block_id": [f"b{i}" for i in range(len(changed))],
            "unseen": True,
        }
    )


# Above 0.5: four places, three of them truly changed; a fourth change lies below.
SIX = places_of([0.2, 0.9, 0.8, 0.7, 0.6, 0.1], [True, True, True, False, True, False])


def test_precision_and_recall_at_the_threshold() -> None:
    found = assess_change(SIX).detection
    assert (found.precision.hits, found.precision.cases) == (3, 4)
    assert (found.recall.hits, found.recall.cases) == (3, 4)
    assert found.expected == pytest.approx(3.0)


def test_a_place_at_the_threshold_is_not_above_it() -> None:
    assert assess_change(places_of([0.5, 0.4], [True, False])).detection.precision.cases == 0


def test_lists_are_evaluated_by_rank() -> None:
    found = assess_change(SIX)
    assert found.places == 6
    assert found.true_changes == 4
    assert found.expected_changes == pytest.approx(3.3)
    [as_many] = found.candidates  # 10, 20 and 50 are more than there are places
    assert as_many.first == 4
    assert as_many.expected == pytest.approx(3.0)
    assert (as_many.precision.hits, as_many.recall.hits) == (3, 3)


def test_average_precision_is_the_mean_over_the_true_changes_ranks() -> None:
    # True changes are at ranks 1, 2, 4 and 5.
    assert assess_change(SIX).average_precision == pytest.approx((1 + 1 + 3 / 4 + 4 / 5) / 4)


def test_from_and_to_must_both_be_right() -> None:
    places = places_of([0.9, 0.8, 0.7], [True, True, True])
    places.loc[1, "class_after"] = "Barren"
    places.loc[2, "true_before"] = "Barren"
    found = assess_change(places).detection
    assert found.recall.hits == 3
    assert (found.same_classes.hits, found.same_classes.cases) == (1, 3)


def test_places_that_were_trained_on_are_evaluated_apart() -> None:
    found = assess_change(SIX.assign(unseen=[False, False, True, True, True, True])).unseen
    assert found is not None
    assert (found.precision.hits, found.precision.cases) == (2, 3)
    assert (found.recall.hits, found.recall.cases) == (2, 2)
    assert assess_change(SIX.assign(unseen=False)).unseen is None


def test_where_nothing_changed_there_is_no_recall() -> None:
    found = assess_change(places_of([0.9, 0.1], [False, False]))
    assert found.detection.recall.value is None
    assert found.detection.precision.value == 0
    assert found.average_precision is None
    assert found.candidates == []


def test_without_a_place_nothing_can_be_evaluated() -> None:
    with pytest.raises(ValueError, match="no place"):
        assess_change(SIX.iloc[:0])


@given(st.integers(1, 3000), st.integers(0, 2**32 - 1))
def test_the_curve_ends_with_all_places(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = assess_change(places_of(rng.random(count).tolist(), (rng.random(count) < 0.2).tolist()))
    assert len(found.curve) <= 200
    last = found.curve[-1]
    assert (last.first, last.true) == (count, found.true_changes)
    assert last.expected == pytest.approx(found.expected_changes)


def test_expectations_are_sums_down_the_list() -> None:
    found = expect_changes(np.array([0.5, 0.25, 1.0] + [0.0] * 9))
    assert [(each.first, each.expected) for each in found] == [(10, 1.75)]
