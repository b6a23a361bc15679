"""What the assessment refuses of the map that is there."""

from __future__ import annotations

import numpy as np
import pytest

from aerial_kedro.accuracy.sampling import SamplingRules
from aerial_kedro.cells.grid import COUNT
from aerial_kedro.change.drawn import draw_design
from aerial_kedro.change.shown import ShownMap
from aerial_kedro.errors import AerialError
from aerial_kedro.pipelines.assess.nodes import check_years
from tests.builders import grid_tiles


def shown(*years: int) -> ShownMap:
    places = grid_tiles([(2000, 18_000), (2001, 18_000)])
    values = {year: np.ones((2, COUNT), np.uint8) for year in years}
    return ShownMap(places, ["Forest", "Town"], values, np.zeros((2, COUNT), bool))


def test_a_map_of_other_years_is_refused() -> None:
    rules = SamplingRules(standard_error=0.05, expected_accuracy=0.85, fewest=5)
    design = draw_design(shown(2012, 2018), "m", rules, 1)
    check_years(design, shown(2012, 2018))
    with pytest.raises(AerialError, match="of 2012 and 2018, the map that is there now of 2018"):
        check_years(design, shown(2018))
