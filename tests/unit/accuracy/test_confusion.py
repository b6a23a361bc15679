import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score

from aerial_kedro.accuracy.confusion import (
    confusion_counts,
    macro_f1,
    overall_accuracy,
    per_class_accuracy,
)

CLASSES = ["Barren", "Cultivated", "Developed", "Forest", "Herbaceous", "Shrub"]

# The confusion matrix behind the 2017 sample's analysis notebook, rebuilt from what it printed.
SAMPLE_2017 = np.array(
    [
        [43, 0, 0, 0, 2, 25],
        [0, 51, 0, 0, 5, 0],
        [1, 1, 64, 2, 1, 1],
        [0, 3, 0, 59, 0, 2],
        [2, 12, 2, 2, 31, 8],
        [0, 0, 1, 13, 4, 49],
    ]
)

labels = st.lists(
    st.tuples(st.sampled_from(CLASSES[:4]), st.sampled_from(CLASSES[:4])), min_size=1, max_size=40
)


def test_rows_are_reference_and_columns_predicted() -> None:
    counts = confusion_counts(["Forest"] * 3, ["Shrub"] * 3, ["Forest", "Shrub"])
    assert counts.tolist() == [[0, 3], [0, 0]]


def test_the_order_of_classes_is_kept_even_if_not_alphabetical() -> None:
    counts = confusion_counts(["Shrub", "Barren"], ["Shrub", "Shrub"], ["Shrub", "Barren"])
    assert counts.tolist() == [[1, 0], [1, 0]]


def test_producers_accuracy_is_not_the_samples_wrong_recall() -> None:
    """The 2017 notebook divided by (true negatives + false negatives): 0.127 for Barren."""
    found = [row.producers_accuracy for row in per_class_accuracy(SAMPLE_2017)]
    assert found == pytest.approx([0.614, 0.911, 0.914, 0.922, 0.544, 0.731], abs=5e-4)
    assert overall_accuracy(SAMPLE_2017) == pytest.approx(0.773, abs=5e-4)


def test_users_accuracy_goes_down_the_columns() -> None:
    found = per_class_accuracy(SAMPLE_2017)
    assert found[0].users_accuracy == pytest.approx(43 / 46)
    assert [row.support for row in found] == SAMPLE_2017.sum(axis=1).tolist()


def test_a_class_never_predicted_has_no_users_accuracy() -> None:
    forest, shrub = per_class_accuracy([[2, 0], [1, 0]])
    assert shrub.users_accuracy is None
    assert shrub.producers_accuracy == 0
    assert shrub.f1 == 0
    assert forest.producers_accuracy == 1


def test_a_class_not_in_the_reference_has_no_producers_accuracy_and_no_f1() -> None:
    _, shrub = per_class_accuracy([[2, 1], [0, 0]])
    assert shrub.producers_accuracy is None
    assert shrub.f1 is None
    assert shrub.users_accuracy == 0
    assert shrub.support == 0


def test_macro_f1_leaves_out_absent_classes_but_not_those_never_found() -> None:
    alone = macro_f1([[4, 0], [0, 4]])
    assert macro_f1([[4, 0, 0], [0, 4, 0], [0, 0, 0]]) == alone == 1
    assert macro_f1([[4, 0], [4, 0]]) == pytest.approx(((2 * 4) / 12 + 0) / 2)


@given(labels)
def test_measures_from_counts_equal_those_from_labels(pairs: list[tuple[str, str]]) -> None:
    truth, guess = map(list, zip(*pairs, strict=True))
    rows = per_class_accuracy(confusion_counts(truth, guess, CLASSES))
    present = sorted(set(truth))
    for name, row in zip(CLASSES, rows, strict=True):
        if name in guess:
            expected = precision_score(truth, guess, labels=[name], average=None)[0]
            assert row.users_accuracy == pytest.approx(expected)
        if name in truth:
            expected = recall_score(truth, guess, labels=[name], average=None)[0]
            assert row.producers_accuracy == pytest.approx(expected)
    expected = f1_score(truth, guess, labels=present, average="macro", zero_division=0)
    assert macro_f1(confusion_counts(truth, guess, CLASSES)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("truth", "guess", "message"),
    [
        ([], [], "no tile to evaluate"),
        (["Barren"], ["Barren", "Shrub"], "do not pair"),
        (["Barren"], ["Water"], "predicted labels are none of the classes.*Water"),
        ([None], ["Barren"], "reference labels are none of the classes.*None"),
    ],
)
def test_refuses(truth: list[str], guess: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        confusion_counts(truth, guess, CLASSES)


def test_refuses_a_class_named_twice() -> None:
    with pytest.raises(ValueError, match="comes twice"):
        confusion_counts(["A"], ["A"], ["A", "A"])


@pytest.mark.parametrize("counts", [[[1, 2]], [[0, 0], [0, 0]], [[1, -1], [0, 2]]])
def test_refuses_what_is_no_table_of_counts(counts: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="onfusion counts"):
        overall_accuracy(counts)
