"""Which of several models comes first, and what is said of an order that means little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.accuracy.evaluation import evaluate
from aerial_kedro.accuracy.ranking import Ranking, accuracy_range, rank_models
from tests.unit.compared import compared, evaluated


def names(ranking: Ranking) -> list[str]:
    return [each.model.name for each in ranking.models]


def test_the_order_is_that_of_validation_whatever_the_test_split_says() -> None:
    low = compared("a.forest.x", evaluated(20), test=evaluated(40))
    high = compared("b.forest.x", evaluated(35), test=evaluated(1))
    assert names(rank_models([low, high])) == ["b.forest.x", "a.forest.x"]
    assert rank_models([low, high]).best == high


def test_equals_share_a_rank_and_keep_their_order() -> None:
    right = {"a": 30, "b": 36, "c": 36, "d": 9}
    found = rank_models([compared(f"{name}.f.x", evaluated(n)) for name, n in right.items()])
    assert [(each.rank, each.model.backbone) for each in found.models] == [
        (1, "b"), (1, "c"), (3, "a"), (4, "d"),
    ]  # fmt: skip


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_a_rank_counts_the_better_ones(right: list[int]) -> None:
    models = [compared(f"n{i}.f.x", evaluated(count)) for i, count in enumerate(right)]
    for each in rank_models(models).models:
        better = [m for m in models if m.validation.macro_f1 > each.model.validation.macro_f1]
        assert each.rank == len(better) + 1


def test_a_class_without_validation_tiles_is_named() -> None:
    """It is in no macro-F1; a model that cannot find it is not told from one that can."""
    found = rank_models([compared("a.f.x", evaluated(30, classes=["Forest", "Pasture", "River"]))])
    assert [remark for remark in found.remarks if "hold no River" in remark]
    assert not rank_models([compared("a.f.x", evaluated(30))]).remarks


def test_differences_within_chance_are_remarked_and_others_are_not() -> None:
    near = rank_models([compared("a.f.x", evaluated(36)), compared("b.f.x", evaluated(34))])
    assert [text for text in near.remarks if text.startswith("The accuracy on validation of 1")]
    far = rank_models([compared("a.f.x", evaluated(36)), compared("b.f.x", evaluated(20))])
    assert far.remarks == []


def test_models_judged_on_other_tiles_are_remarked() -> None:
    found = rank_models([compared("a.f.x", evaluated(38)), compared("b.f.x", evaluated(5, of=30))])
    assert [remark for remark in found.remarks if "a.f.x 80, b.f.x 60" in remark]


def test_the_interval_is_that_of_blocks_where_there_are_some() -> None:
    labels, predicted = ["Forest", "Pasture"] * 20, ["Forest", "Pasture"] * 15 + ["Forest"] * 10
    plain = evaluate(labels, predicted, ["Forest", "Pasture"])
    blocked = evaluate(
        labels, predicted, ["Forest", "Pasture"], blocks=[f"b{i // 8}" for i in range(40)]
    )
    assert accuracy_range(blocked) == blocked.accuracy_interval
    spread = accuracy_range(plain)
    # Wilson (1927) for 35 of 40.
    assert (spread.lower, spread.upper) == pytest.approx((0.739, 0.9454), abs=1e-3)


@pytest.mark.parametrize("given_names", [[], ["a.f.x", "a.f.x"]])
def test_no_models_or_two_of_one_name_are_refused(given_names: list[str]) -> None:
    with pytest.raises(ValueError, match="different names"):
        rank_models([compared(name, evaluated(30)) for name in given_names])
