"""Cross-validation in numbers: what was not evaluated counts nowhere, and is not a zero."""

import pytest

from aerial_kedro.accuracy.evaluation import evaluate
from aerial_kedro.accuracy.validation import (
    FoldResult,
    RandomSplit,
    ValidationSummary,
    list_validation_metrics,
    summarise_folds,
)


def fold(name: str, accuracy: float | None) -> FoldResult:
    return FoldResult(
        name=name, tiles=20, training_tiles=50, in_buffer=3, accuracy=accuracy, macro_f1=accuracy
    )


def test_the_mean_is_of_the_folds_that_were_judged() -> None:
    found = summarise_folds("", [fold("a", 0.9), fold("b", None), fold("c", 0.5)], None)
    assert found.mean_accuracy == pytest.approx(0.7)
    assert found.spread_accuracy == pytest.approx(0.2828, abs=1e-4)
    assert [each.name for each in found.folds] == ["a", "b", "c"]


def test_one_fold_has_no_spread_and_none_no_mean() -> None:
    assert summarise_folds("", [fold("a", 0.9)], None).spread_accuracy is None
    nothing = summarise_folds("", [fold("a", None)], None)
    assert nothing.mean_accuracy is None
    assert nothing.mean_macro_f1 is None


def test_the_run_history_has_what_there_is() -> None:
    found = evaluate(["A", "B"], ["A", "A"], ["A", "B"])
    summary = ValidationSummary(
        random_split=RandomSplit(training_tiles=5, training_tiles_by_place=4, evaluation=found),
        cross_validation=summarise_folds("", [fold("a", 0.9)], None),
    )
    assert dict(list_validation_metrics(summary)) == {
        "random_split.accuracy": 0.5,
        "random_split.macro_f1": pytest.approx(1 / 3),
        "cross_validation.mean_accuracy": 0.9,
        "cross_validation.mean_macro_f1": 0.9,
    }
