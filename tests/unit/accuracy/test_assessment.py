"""The accuracy of a map by interpreted cells: what counts as right, and what is set beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aerial_kedro.accuracy.assessment import (
    Interpreted,
    Names,
    assess_land_cover,
    assess_map,
    compare_interpreters,
    count_alternates,
    foretell,
    weigh_unsure,
)
from aerial_kedro.accuracy.stratified import StratifiedSample

KM2 = {"Forest": 0.6, "Town": 0.3}


def names(*texts: str) -> Names:
    return np.array(texts, dtype=object)


def year() -> Interpreted:
    """Two strata of 60 and 40 cells; a town that is forest, a cell left open, one not told."""
    return Interpreted(
        sample=StratifiedSample(
            ["Forest", "Town"], np.array([60.0, 40.0]), np.repeat([0, 1], [6, 4])
        ),
        cell_area_km2=0.01,
        mapped=names(*["Forest"] * 5, "Unsure", *["Town"] * 4),
        reference=names(*["Forest"] * 4, "", "Forest", "Town", "Town", "Forest", "Marsh"),
        open_class="Unsure",
        alternate=names("", "", "", "", "", "", "", "Forest", "Town", ""),
        second=names("Forest", "Forest", "Town", *[""] * 7),
        land_cover=names(*["Forest"] * 3, "Town", "Town", "", "Town", "Town", "Town", "Town"),
        unsure=np.array([False] * 4 + [True, False, True, False, False, False]),
    )


def test_what_counts_as_right() -> None:
    found = assess_map(year(), KM2)
    # Neither what the map leaves open nor what nobody could tell is right.
    assert found.overall.estimate == pytest.approx(0.6 * 4 / 6 + 0.4 * 2 / 4)
    assert found.decided is not None
    assert found.decided.estimate == pytest.approx(
        (0.6 * 4 / 6 + 0.4 * 2 / 4) / (0.6 * 5 / 6 + 0.4)
    )
    forest = found.classes["Forest"]
    assert forest.users_accuracy.estimate == pytest.approx(4 / 5)
    assert forest.area_km2.estimate == pytest.approx(0.6 * 5 / 6 + 0.4 / 4)
    assert forest.producers_accuracy.estimate == pytest.approx(0.6 * 4 / 6 / (0.6 * 5 / 6 + 0.1))
    assert (forest.mapped_km2, forest.cells) == (0.6, 6)
    assert list(found.classes) == ["Forest", "Town", "Marsh"]
    marsh = found.classes["Marsh"]
    assert marsh.producers_accuracy.estimate == 0
    assert marsh.users_accuracy.estimate is None
    assert found.matrix["Town"] == {"Forest": 1, "Marsh": 1, "Town": 2}
    assert found.matrix["Forest"][""] == 1


def test_a_map_that_decides_everywhere_has_one_figure() -> None:
    decided = replace(year(), mapped=names(*["Forest"] * 6, *["Town"] * 4))
    assert assess_map(decided, KM2).decided is None


def test_the_two_errors_are_told_apart_on_the_same_cells() -> None:
    found = assess_land_cover(year(), list(KM2))
    assert found is not None
    assert (found.cells, found.cells_without) == (9, 1)
    covered = 0.6 * 5 / 6 + 0.4
    assert found.overall.estimate == pytest.approx((0.6 * 3 / 6 + 0.4 * 2 / 4) / covered)
    assert found.map_overall.estimate == pytest.approx((0.6 * 4 / 6 + 0.4 * 2 / 4) / covered)
    gain = found.map_overall.estimate - found.overall.estimate  # type: ignore[operator]
    assert found.difference.estimate == pytest.approx(gain)
    assert found.classes["Town"]["users_accuracy"].estimate == pytest.approx(
        0.2 / (0.6 * 2 / 6 + 0.4)
    )
    assert assess_land_cover(replace(year(), land_cover=names(*[""] * 10)), list(KM2)) is None


def test_unsure_answers_are_reported_both_ways() -> None:
    found = weigh_unsure(year(), KM2)
    assert found is not None
    assert (found.cells, found.without_class) == (2, 1)
    assert found.left_out.overall.estimate == pytest.approx(0.6 * 4 / 5 + 0.4 / 3)
    assert weigh_unsure(replace(year(), unsure=np.zeros(10, bool)), KM2) is None


def test_second_choices_count_beside_the_first() -> None:
    found = count_alternates(year())
    assert found is not None
    assert found.cells == 2
    assert found.overall.estimate == pytest.approx(0.6 * 4 / 6 + 0.4 * 3 / 4)
    assert count_alternates(replace(year(), alternate=names(*[""] * 10))) is None


def test_two_interpreters() -> None:
    found = compare_interpreters([year(), replace(year(), second=names(*[""] * 10))])
    assert found is not None
    assert found.cells == 3
    assert found.agreement.estimate == pytest.approx(2 / 3)
    assert compare_interpreters([replace(year(), second=names(*[""] * 10))]) is None


def test_what_more_cells_would_bring() -> None:
    large = replace(
        year(),
        sample=StratifiedSample(["A", "B"], np.array([6e6, 4e6]), np.repeat([0, 1], [6, 4])),
    )
    found = foretell(large, assess_map(large, KM2))
    now, then = found.overall.half_width_now, found.overall.half_width_then
    assert now is not None
    assert then is not None
    assert then < now / 2  # eleven times as many
    assert set(found.classes_area_km2) == {"Forest", "Town", "Marsh"}
