"""The grid of models as the configuration gives it."""

from __future__ import annotations

from typing import Any

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.models.settings import check_grid

FOREST = {"num_trees": 10, "max_depth": 5}
GRID: dict[str, Any] = {
    "backbones": ["lite0", "lite2"],
    "logistic_regression": {"plain": {"max_iter": 10, "reg_param": 0.1}},
    "random_forest": {"small": FOREST, "gone": None},
}


def test_combinations_are_in_the_order_of_the_files_without_those_taken_out() -> None:
    grid = check_grid(GRID, "both")
    assert grid.combinations("both") == [
        ("logistic_regression", "plain"),
        ("random_forest", "small"),
    ]
    assert grid.combinations("random_forest") == [("random_forest", "small")]


def test_backbones_may_be_given_in_one_text() -> None:
    assert check_grid({**GRID, "backbones": "lite0/ lite1"}, "both").backbones == ("lite0", "lite1")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbones": []}, "backbones"),
        ({"backbones": ["lite0", "lite0"]}, "named twice: lite0"),
        ({"backbones": ["resnet50.a1_in1k"]}, r"backbones\.0='resnet50"),
        ({"backbone": "lite0"}, "compare_models.backbone: there is no such name"),
        ({"random_forest": {"a.b": FOREST}}, r"random_forest\.a\.b"),
        (
            {"random_forest": {"small": {**FOREST, "trees": 3}}},
            r"small\.trees: there is",
        ),
        ({"random_forest": {"small": {**FOREST, "max_depth": 31}}}, "max_depth=31"),
        ({"logistic_regression": {}, "random_forest": {}}, "has no classifier"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(AerialError, match=message):
        check_grid({**GRID, **change}, "both")


def test_a_grid_without_the_classifier_that_is_asked_for_is_refused() -> None:
    with pytest.raises(AerialError, match="classifier=logistic_regression the grid"):
        check_grid({**GRID, "logistic_regression": {}}, "logistic_regression")
