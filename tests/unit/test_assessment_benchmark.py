"""How often an assessment's intervals hold the truth, on a map that is made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aerial_kedro.accuracy.sampling import SamplingRules
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.change.shown import ShownMap
from benchmarks.assessment import Truth, assess_seed, census_rules, measure_coverage
from tests.builders import grid_tiles

CLASSES = ["Forest", "Field", "Town", "Water"]
SHARES = (0.4, 0.4, 0.15, 0.05)
RULES = SamplingRules(
    standard_error=0.03, expected_accuracy=0.85, expected_of={"change": 0.6}, fewest=40
)


def made_up() -> tuple[ShownMap, Truth]:
    """Two years of 400 places: 3 % of the cells change, a tenth is mapped as something else."""
    rng = np.random.default_rng(4)
    shape = (400, COUNT)
    before = rng.choice(4, shape, p=SHARES).astype(np.uint8) + 1
    changes = rng.random(shape) < 0.03
    after = np.where(changes, 3, before).astype(np.uint8)
    truth = {2012: before, 2018: after}
    shown = {}
    for year, values in truth.items():
        wrong = (rng.random(shape) < 0.1) & (values < 4)
        shown[year] = np.where(wrong, values % 3 + 1, values).astype(np.uint8)
        shown[year][rng.random(shape) < 0.02] = len(CLASSES) + 1
    found = np.where(before != after, rng.random(shape) < 0.7, rng.random(shape) < 0.005)
    places = grid_tiles([(2000 + at % 20, 18_000 + at // 20) for at in range(400)])
    places = places.sort_values("tile_id", ignore_index=True)
    return ShownMap(places, CLASSES, shown, found), truth


def test_intervals_hold_the_truth() -> None:
    shown, truth = made_up()
    found = measure_coverage(shown, truth, RULES, range(100))
    aimed = {name: each.share for name, each in found.items() if name.endswith(("overall", "area"))}
    assert len(aimed) == 2 * (1 + len(CLASSES)) + 1
    # Of 100 draws at 95 %, 89 or fewer hold the truth once in a hundred.
    assert min(aimed.values()) >= 0.9, aimed
    assert np.mean(list(aimed.values())) >= 0.94


def test_intervals_hold_the_truth_of_a_map_that_was_drawn_anew() -> None:
    shown, truth = made_up()
    rng = np.random.default_rng(9)
    anew = {
        year: np.where(rng.random(values.shape) < 0.15, truth[year], values).astype(np.uint8)
        for year, values in shown.shown.items()
    }
    now = replace(
        shown, shown=anew, changed=shown.changed & (rng.random(shown.changed.shape) < 0.8)
    )
    found = measure_coverage(shown, truth, RULES, range(60), now)
    assert found["2018 overall"].truth == pytest.approx((anew[2018] == truth[2018]).mean())
    # Also of accuracies, which are ratios across all strata now.
    assert np.mean([each.share for each in found.values()]) >= 0.93


def test_a_census_of_the_map_is_its_truth() -> None:
    shown, truth = made_up()
    found = assess_seed(shown, truth, census_rules(shown), seed=3)
    right = (shown.shown[2018] == truth[2018]).mean()
    assert found["2018 overall"].estimate == pytest.approx(right)
    assert found["2018 overall"].low == pytest.approx(found["2018 overall"].high)
    changed = (truth[2012] != truth[2018]).sum() * shown.cell_area_m2 / 1e6
    assert found["change, area"].estimate == pytest.approx(changed)
