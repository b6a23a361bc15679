"""The size of a reference sample, its allocation and its draw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.accuracy.sampling import (
    Draw,
    SampledCell,
    SampleDesign,
    SamplingRules,
    Stratum,
    allocate,
    name_cells,
)
from aerial_kedro.errors import AerialError

# Olofsson et al. (2014), section 5.1.
SIZES = {"loss": 200_000, "gain": 150_000, "forest": 3_200_000, "other": 6_450_000}
EXPECTED = {"loss": 0.7, "gain": 0.6, "forest": 0.9, "other": 0.95}


def rules(**given: object) -> SamplingRules:
    values = {"standard_error": 0.01, "expected_accuracy": 0.85, "expected_of": EXPECTED}
    return SamplingRules.model_validate({**values, "fewest": 75, **given})


def design(**given: object) -> SampleDesign:
    values = {
        "model": "m", "map_key": "3fa29c", "years": [2018], "classes": ["Forest"], "seed": 1,
        "cell_area_m2": 1024.0,
        "strata": [Stratum(name="Forest", cells=10, drawn=2, cells_by_year={"2018": 10})],
        "cells": [
            SampledCell(sample_id=f"3fa2-{n}", cell_id=f"t#0{n}", stratum="Forest", years=[2018])
            for n in (1, 2)
        ],
    }  # fmt: skip
    return SampleDesign.model_validate({**values, **given})


def test_the_published_allocation() -> None:
    found = allocate(SIZES, rules())
    assert (found["loss"], found["gain"]) == (75, 75)
    assert (found["forest"], found["other"]) == (162, 328)  # the paper rounds to 165 and 325


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=12),
    st.integers(2, 100),
    st.floats(0.005, 0.1),
)
def test_no_stratum_has_too_few_or_more_than_it_has(
    sizes: list[int], fewest: int, error: float
) -> None:
    given_sizes = {str(at): size for at, size in enumerate(sizes)}
    found = allocate(given_sizes, rules(fewest=fewest, standard_error=error))
    for name, drawn in found.items():
        assert min(given_sizes[name], fewest) <= drawn <= given_sizes[name]
    # Each drawn cell stands for the inverse of its probability: together for all there are.
    stand_for = sum(drawn * (given_sizes[name] / drawn) for name, drawn in found.items())
    assert stand_for == pytest.approx(sum(sizes))


def test_a_limit_lowers_the_floor_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    found = allocate(SIZES, rules(most=120))
    assert sum(found.values()) <= 120
    assert min(found.values()) == 30
    assert "reference.most=120" in caplog.text
    with pytest.raises(AerialError, match=r"reference\.most=8 or more, not 7"):
        allocate(SIZES, rules(most=7))


def test_the_draw_is_the_same_in_parts_and_even() -> None:
    rng = np.random.default_rng(5)
    strata = rng.integers(0, 3, 3_000)
    times = np.zeros(len(strata))
    for _ in range(300):
        numbers = rng.random(len(strata))
        whole, parts = (Draw({1: 40, 2: 10}) for _ in range(2))
        whole.look_at(numbers, strata, 0)
        for start in range(0, len(strata), 700):
            end = start + 700
            parts.look_at(numbers[start:end], strata[start:end], start)
        for at, count in ((1, 40), (2, 10)):
            assert len(set(whole.drawn[at])) == count
            assert (strata[whole.drawn[at]] == at).all()
            assert sorted(whole.drawn[at]) == sorted(parts.drawn[at])
            times[whole.drawn[at]] += 1
    assert not times[strata == 0].any()
    expected = 300 * 40 / (strata == 1).sum()
    assert times[strata == 1].std() == pytest.approx(np.sqrt(expected), rel=0.15)


def test_the_order_says_nothing_of_the_cells() -> None:
    cells = [f"tile{at:03d}#00" for at in range(200)]
    found = name_cells(cells, 1, "3fa29c")
    assert sorted(found) == cells
    assert list(found.values()) == sorted(found.values())
    order = np.array([cells.index(cell) for cell in found])
    assert abs(np.corrcoef(order, np.arange(200))[0, 1]) < 0.2
    assert found == name_cells(reversed(cells), 1, "3fa29c")
    assert not set(found.values()) & set(name_cells(cells, 2, "3fa29c").values())


def test_an_edited_design_is_found() -> None:
    signed = design().signed()
    signed.check()
    SampleDesign.model_validate_json(signed.model_dump_json()).check()
    larger = Stratum(name="Forest", cells=11, drawn=2, cells_by_year={"2018": 10})
    with pytest.raises(AerialError, match="changed after the draw"):
        signed.model_copy(update={"strata": [larger]}).check()
