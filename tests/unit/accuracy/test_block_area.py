"""Areas by whole blocks: the estimate of the whole, and how far blocks let it be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from aerial_kedro.accuracy.area import UnsampledClassError, adjusted_areas
from aerial_kedro.accuracy.block_area import BlockErrors, adjusted_areas_by_block, count_errors

NAMES = ["Forest", "Field"]
# Eight blocks alike but for the second kind's errors.
EVEN = np.array([[[90, 10], [5, 95]]] * 8)
UNEVEN = np.array([[[100, 0], [0, 100]]] * 4 + [[[80, 20], [10, 90]]] * 4)


def test_cells_of_a_block_are_counted_by_map_and_reference() -> None:
    predicted = np.array([[0, 0, 1], [1, -1, 1], [0, 1, 1]])
    reference = np.array([[0, 1, 1], [0, 0, -1], [0, 0, 1]])
    found = count_errors(predicted, reference, ["a", "b", "a"], 2)
    assert found.tolist() == [[[2, 1], [1, 2]], [[0, 0], [1, 0]]]


def test_the_estimate_is_that_of_all_cells_together() -> None:
    whole = adjusted_areas([30, 70], UNEVEN.sum(axis=0), NAMES).per_class
    found = adjusted_areas_by_block([30, 70], UNEVEN, NAMES, seed=1)
    for name in NAMES:
        assert found[name].value == pytest.approx(whole[name].area.value)


def test_blocks_that_do_not_differ_leave_no_doubt() -> None:
    found = adjusted_areas_by_block([50, 50], EVEN, NAMES, seed=1)["Forest"].interval
    assert found is not None
    assert found.lower == pytest.approx(found.upper) == 47.5


def test_more_cells_of_the_same_blocks_say_no_more() -> None:
    few, many = (
        adjusted_areas_by_block([50, 50], counts, NAMES, seed=1)["Forest"].interval
        for counts in (UNEVEN, 10 * UNEVEN)
    )
    assert few is not None
    assert few == many
    assert few.lower < 47.5 < few.upper
    # Of as many independent cells the interval would be a fraction.
    naive = adjusted_areas([50, 50], 10 * UNEVEN.sum(axis=0), NAMES).per_class["Forest"].area
    assert few.upper - few.lower > 4 * (naive.interval.upper - naive.interval.lower)


def test_of_one_block_no_spread_can_be_seen() -> None:
    found = adjusted_areas_by_block([50, 50], EVEN[:1], NAMES, seed=1)["Forest"]
    assert (found.value, found.interval) == (pytest.approx(47.5), None)


def test_a_class_in_few_blocks_keeps_its_errors_where_none_is_drawn() -> None:
    rare = np.array([[[100, 0], [0, 0]]] * 5 + [[[100, 0], [20, 20]]] * 2)
    found = adjusted_areas_by_block([50, 50], rare, NAMES, seed=1)["Field"]
    assert found.value == pytest.approx(25)
    assert found.interval is not None
    assert found.interval.lower == pytest.approx(found.interval.upper) == 25


def test_what_takes_area_from_a_class_in_one_block_only_has_no_interval() -> None:
    """Town, of which the map's forest has some, takes nothing from the field of that block."""
    common = [[80, 0, 20], [0, 0, 0], [0, 0, 50]]
    once = np.array([common] * 5 + [[common[0], [20, 20, 0], common[2]]])
    names = [*NAMES, "Town"]
    found = adjusted_areas_by_block([50, 50, 10], once, names, seed=1)
    assert found["Field"].value == pytest.approx(25)
    assert (found["Forest"].interval, found["Field"].interval) == (None, None)
    assert found["Town"].interval is not None
    # Without area on the map its errors do not matter.
    unmapped = adjusted_areas_by_block([50, 0, 10], once, names, seed=1)
    assert unmapped["Forest"].interval is not None


def test_a_class_on_the_map_without_cells_in_the_blocks_is_refused() -> None:
    with pytest.raises(UnsampledClassError, match="Field"):
        adjusted_areas_by_block([50, 50], EVEN * [[1], [0]], NAMES, seed=1)


def test_a_year_without_errors_of_its_own_takes_those_of_all() -> None:
    nothing = np.zeros((3, 2, 2), np.int64)
    errors = BlockErrors(NAMES, {"2012": EVEN, "2015": nothing, "2018": UNEVEN})
    assert errors.of_year("2018") is UNEVEN
    for year in ("2015", "2020"):
        assert len(errors.of_year(year)) == 19
    assert BlockErrors(NAMES, {}).of_year("2018").shape == (0, 2, 2)
