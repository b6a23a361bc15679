"""The baseline that every classifier has to exceed."""

from __future__ import annotations

import pandas as pd
import pytest

from aerial_kedro.models.training import evaluate_majority


def tiles(training: str, test: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": list(training + test),
            "split": ["train"] * len(training) + ["test"] * len(test),
            "block_id": None,
        }
    )


def test_the_majority_is_that_of_the_training_tiles() -> None:
    found = evaluate_majority(tiles("BBA", "AAAB"), seed=0)
    assert found.accuracy == 0.25
    assert found.per_class["A"].users_accuracy is None


def test_of_equal_classes_the_first_in_order_is_the_majority() -> None:
    found = evaluate_majority(tiles("BA", "AAB"), seed=0)
    assert found.accuracy == pytest.approx(2 / 3)


def test_no_majority_without_training_tiles() -> None:
    with pytest.raises(ValueError, match="no training tile"):
        evaluate_majority(tiles("", "A"), seed=0)


def test_a_majority_needs_test_tiles() -> None:
    with pytest.raises(ValueError, match="the split is empty"):
        evaluate_majority(tiles("AB", ""), seed=0)
