import numpy as np
import pytest
from pydantic import ValidationError

from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.accuracy.interval import Interval

CLASSES = ["A", "B", "C"]
TRUTH = ["A", "A", "B", "B", "B", "A"]
GUESS = ["A", "B", "B", "B", "A", "A"]


def test_holds_the_figures_of_a_small_case() -> None:
    found = evaluate(TRUTH, GUESS, CLASSES)
    assert found.n == 6
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.macro_f1 == pytest.approx(2 / 3)
    assert found.confusion == [[2, 1, 0], [1, 2, 0], [0, 0, 0]]
    assert list(found.per_class) == CLASSES
    assert found.per_class["C"].users_accuracy is None


def test_what_was_not_asked_for_is_none() -> None:
    found = evaluate(TRUTH, GUESS, CLASSES)
    assert found.ece is found.brier is found.reliability is None
    assert found.accuracy_interval is found.macro_f1_interval is found.blocks is None


def test_probabilities_and_blocks_add_theirs() -> None:
    chances = np.eye(3)[[CLASSES.index(name) for name in GUESS]]
    found = evaluate(TRUTH, GUESS, CLASSES, probabilities=chances, blocks=list("xxyyzz"), seed=4)
    assert found.ece == pytest.approx(2 / 6)
    assert found.brier == pytest.approx(2 * 2 / 6)
    assert found.reliability is not None
    assert found.blocks == 3
    assert found.accuracy_interval is not None
    assert found.macro_f1_interval is not None


def test_survives_json_and_holds_no_nan() -> None:
    chances = np.full((6, 3), 1 / 3)
    found = evaluate(TRUTH, GUESS, CLASSES, probabilities=chances, blocks=list("xxyyzz"))
    text = found.model_dump_json()
    assert "NaN" not in text
    assert Evaluation.model_validate_json(text) == found


def test_refuses_unknown_fields_and_changes() -> None:
    found = evaluate(TRUTH, GUESS, CLASSES)
    with pytest.raises(ValidationError):
        Evaluation.model_validate({**found.model_dump(), "recall": 0.1})
    with pytest.raises(ValidationError):
        found.accuracy = 1.0


def test_refuses_an_empty_split() -> None:
    with pytest.raises(ValueError, match="the split is empty"):
        evaluate([], [], CLASSES)


def test_refuses_probabilities_of_other_tiles() -> None:
    with pytest.raises(ValueError, match="6 tiles"):
        evaluate(TRUTH, GUESS, CLASSES, probabilities=np.full((5, 3), 1 / 3))


def test_an_interval_runs_upwards() -> None:
    with pytest.raises(ValidationError, match="lies above"):
        Interval(lower=0.9, upper=0.1)
