import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.accuracy.interval import proportion, wilson


@given(cases=st.integers(1, 500), data=st.data())
def test_the_interval_holds_the_value_and_stays_within_0_and_1(
    cases: int, data: st.DataObject
) -> None:
    hits = data.draw(st.integers(0, cases))
    found = wilson(hits, cases)
    assert 0 <= found.lower <= hits / cases <= found.upper <= 1
    assert found.lower < found.upper


def test_the_interval_is_where_the_score_test_ends() -> None:
    """By definition: a true share at an end of the interval is 1.96 standard errors away."""
    found = wilson(13, 40)
    for end in (found.lower, found.upper):
        assert abs(13 / 40 - end) / np.sqrt(end * (1 - end) / 40) == pytest.approx(1.959964)


def test_without_a_case_there_is_no_value() -> None:
    found = proportion([], [])
    assert (found.hits, found.cases, found.value, found.interval) == (0, 0, None, None)


def test_hits_that_lie_together_widen_the_interval() -> None:
    hits = [True] * 40 + [False] * 40
    alone = proportion(hits).interval
    scattered = proportion(hits, [str(i % 40) for i in range(80)]).interval
    clumped = proportion(hits, [str(i // 20) for i in range(80)]).interval
    assert alone
    assert scattered
    assert clumped
    assert (scattered.lower, scattered.upper) == (alone.lower, alone.upper)
    assert clumped.lower < alone.lower
    assert clumped.upper > alone.upper


def test_one_block_alone_changes_nothing() -> None:
    assert proportion([True, False], ["a", "a"]) == proportion([True, False])


def test_each_case_needs_a_block() -> None:
    with pytest.raises(ValueError, match="1 blocks for 2 cases"):
        proportion([True, False], ["a"])
