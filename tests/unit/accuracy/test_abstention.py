"""Abstention: what the tiles that are left are worth, and how many they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.accuracy.abstention import THRESHOLDS, evaluate_abstention

tiles = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40)


def test_counts_the_sure_and_the_unsure() -> None:
    right = [True, True, False, True, False]
    found = evaluate_abstention(right, [0.9, 0.8, 0.5, 0.4, 0.2], 0.5)
    assert found.as_mapped.share_unsure == pytest.approx(2 / 5)
    assert found.as_mapped.accuracy_sure == pytest.approx(2 / 3)
    assert found.accuracy_unsure == pytest.approx(1 / 2)
    assert [point.min_probability for point in found.curve] == list(THRESHOLDS)


def test_what_there_is_none_of_has_no_accuracy() -> None:
    none_left = evaluate_abstention([True, False], [0.5, 0.6], 0.7)
    assert (none_left.as_mapped.share_unsure, none_left.as_mapped.accuracy_sure) == (1, None)
    all_left = evaluate_abstention([True, False], [0.5, 0.6], 0)
    assert (all_left.as_mapped.share_unsure, all_left.as_mapped.accuracy_sure) == (0, 0.5)
    assert all_left.accuracy_unsure is None


@given(tiles, st.floats(0, 1))
def test_sure_and_unsure_together_are_all_tiles(
    drawn: list[tuple[bool, float]], limit: float
) -> None:
    right, chances = np.array(drawn, dtype=float).T
    found = evaluate_abstention(right, chances, limit)
    share = found.as_mapped.share_unsure
    whole = (1 - share) * (found.as_mapped.accuracy_sure or 0)
    whole += share * (found.accuracy_unsure or 0)
    assert whole == pytest.approx(right.mean())
    shares = [point.share_unsure for point in found.curve]
    assert shares == sorted(shares)


@pytest.mark.parametrize(
    ("right", "chances", "said"),
    [
        ([], [], "no tile"),
        ([True], [0.5, 0.6], "as many probabilities"),
        ([True, True], [0.5, np.nan], "none of them missing"),
    ],
)
def test_tiles_that_cannot_be_judged_are_refused(
    right: list[bool], chances: list[float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        evaluate_abstention(right, chances, 0.5)
