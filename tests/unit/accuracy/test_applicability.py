"""How far a model holds: means over years, and what must be said first."""

from __future__ import annotations

import pytest

from aerial_kedro.accuracy.applicability import UNKNOWN, ApplicabilitySummary, HeldGround


def ground(tiles: int, outside: float, expected: float = 0.8) -> HeldGround:
    return HeldGround(tiles=tiles, expected_accuracy=expected, outside_share=outside)


def test_the_mean_of_all_counts_each_tile_once() -> None:
    found = ApplicabilitySummary.of_years(
        "cells", [(2012, ground(1, 1.0, 0.4)), (2018, ground(3, 0.0, 0.8)), (None, ground(4, 0.5))]
    )
    assert found.overall is not None
    assert found.overall.tiles == 8
    assert found.overall.expected_accuracy == pytest.approx(0.75)
    assert found.overall.outside_share == pytest.approx(3 / 8)
    assert list(found.by_year) == ["2012", "2018"]


@pytest.mark.parametrize(("share", "warns"), [(0.5, False), (0.501, True), (0.0, False)])
def test_more_than_half_outside_must_be_said(share: float, warns: bool) -> None:
    found = ApplicabilitySummary.of_years("cells", [(2018, ground(3, share))])
    assert (found.warning is not None) == warns
    if warns:
        assert "50.1 % of the cells are less like" in str(found.warning)


def test_a_year_that_is_mostly_outside_is_not_hidden_by_the_others() -> None:
    found = ApplicabilitySummary.of_years("tiles", [(2012, ground(1, 0.9)), (2018, ground(9, 0.1))])
    assert "90.0 % of the tiles of 2012 are" in str(found.warning)
    assert "2018" not in str(found.warning)


def test_in_a_line() -> None:
    found = ApplicabilitySummary.of_years(
        "cells", [(2012, ground(1, 0.5, 0.6)), (2018, ground(1, 0.0))]
    )
    assert str(found) == (
        "Expected accuracy 70.0 %; 25.0 % of the cells lie outside of where the model holds "
        "(2012: 60.0 %, 50.0 % outside; 2018: 80.0 %, 0.0 % outside)"
    )


def test_what_is_not_known_is_said_and_is_no_zero() -> None:
    found = ApplicabilitySummary.of_years("cells", [])
    assert (found.overall, found.by_year, found.warning) == (None, {}, None)
    assert str(found) == UNKNOWN
    assert "not known" in UNKNOWN
