from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from aerial_kedro.change.comparison import CHANGE_COLUMNS
from aerial_kedro.change.reference import TRUTH_COLUMNS
from aerial_kedro.change.summary import ChangeSummary, summarise_change

CLASSES = ["Developed", "Forest", "Shrub", "Water"]
NO_TRUTH = pd.DataFrame(columns=TRUTH_COLUMNS)


def change_of(*rows: tuple[str, int, str, str, float]) -> pd.DataFrame:
    """Each row: place, later year, class before, class after, probability."""
    columns = ["tile_id", "year_after", "class_before", "class_after", "probability"]
    return pd.DataFrame(rows, columns=columns).assign(year_before=2012)


THREE = change_of(
    ("a", 2018, "Forest", "Developed", 0.9),
    ("b", 2018, "Forest", "Forest", 0.2),
    ("c", 2018, "Shrub", "Forest", 0.6),
)


def test_a_change_table_is_square() -> None:
    with pytest.raises(ValidationError, match="2 by 2"):
        ChangeSummary(before=2010, after=2016, classes=["A", "B"], counts=[[1, 2]])


def test_places_are_counted_by_class_in_the_tables_order() -> None:
    found = summarise_change(THREE, NO_TRUTH, CLASSES, seed=1)
    assert (found.before, found.after, found.places) == (2012, 2018, 3)
    assert found.classes == ["Developed", "Forest", "Shrub"]
    assert found.counts == [[0, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert found.expected_changes == pytest.approx(1.7)
    assert found.assessment is None


def test_places_of_known_truth_are_assessed() -> None:
    truth = pd.DataFrame(
        [("a", "b1", True, "Forest", "Developed"), ("c", "b2", True, "Forest", "Forest")],
        columns=TRUTH_COLUMNS,
    )
    found = summarise_change(THREE, truth, CLASSES, seed=1).assessment
    assert found is not None
    assert (found.places, found.true_changes) == (2, 1)


def test_the_last_two_years_count() -> None:
    earlier = change_of(("a", 2012, "Forest", "Water", 0.9)).assign(year_before=2008)
    found = summarise_change(pd.concat([earlier, THREE]), NO_TRUTH, CLASSES, seed=1)
    assert (found.after, found.places) == (2018, 3)
    assert "Water" not in found.classes


def test_with_one_year_nothing_is_compared() -> None:
    found = summarise_change(pd.DataFrame(columns=CHANGE_COLUMNS), NO_TRUTH, CLASSES, seed=1)
    assert found == ChangeSummary()
    assert found.places == 0
