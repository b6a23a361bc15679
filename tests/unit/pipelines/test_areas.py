from __future__ import annotations

import pandas as pd
import pytest

from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.models.comparison import ModelScores, TrainingSummary
from aerial_kedro.pipelines.reporting.areas import measure_areas

CLASSES = LandCoverClasses(codes={"Forest": [41], "Shrub": [52], "Water": [11]}, excluded=["Water"])
LEARNED = ["Forest", "Shrub"]


def summary_of(test: Evaluation) -> TrainingSummary:
    scores = ModelScores(validation=test, test=test, out_of_fold=test)
    return TrainingSummary(chosen="forest", reason="", models={"forest": scores}, baselines={})


def map_of(**tiles: int) -> pd.DataFrame:
    """A map of tiles of 100 m."""
    labels = [name for name, count in tiles.items() for _ in range(count)]
    return pd.DataFrame({"pred_label": labels, "year": 2018}).assign(
        xmin=0.0, ymin=0.0, xmax=100.0, ymax=100.0
    )


RIGHT = evaluate(["Forest"] * 50 + ["Shrub"] * 50, ["Forest"] * 50 + ["Shrub"] * 50, LEARNED)
# Of the mixed tiles mapped as forest, two in five are shrub.
MIXED = evaluate(["Forest"] * 30 + ["Shrub"] * 50, ["Forest"] * 50 + ["Shrub"] * 30, LEARNED)


def test_areas_are_those_of_the_map() -> None:
    [forest, shrub, water] = measure_areas(
        map_of(Forest=60, Shrub=30, Water=10), summary_of(RIGHT), {}, CLASSES
    )["2018"]
    assert [row.count for row in (forest, shrub, water)] == [60, 30, 10]
    assert forest.area_km2 == pytest.approx(0.6)
    assert forest.share == pytest.approx(0.6)


def test_without_errors_the_correction_changes_nothing() -> None:
    [forest, *_] = measure_areas(map_of(Forest=60, Shrub=40), summary_of(RIGHT), {}, CLASSES)[
        "2018"
    ]
    assert forest.adjusted_km2 == pytest.approx(forest.area_km2)


def test_mixed_tiles_count_in_the_correction() -> None:
    [forest, shrub] = measure_areas(
        map_of(Forest=60, Shrub=40),
        summary_of(RIGHT),
        {"mixed": MIXED},
        CLASSES,
    )["2018"]
    # 20 of the 100 sampled tiles mapped as forest are shrub, none the other way round.
    assert forest.adjusted_km2 == pytest.approx(0.6 * 0.8)
    assert shrub.adjusted_km2 == pytest.approx(0.4 + 0.6 * 0.2)


def test_water_is_not_corrected() -> None:
    rows = measure_areas(map_of(Forest=60, Shrub=30, Water=10), summary_of(RIGHT), {}, CLASSES)[
        "2018"
    ]
    assert rows[-1].class_name == "Water"
    assert rows[-1].adjusted_km2 is None


def test_a_class_with_too_few_test_tiles_leaves_all_uncorrected() -> None:
    lopsided = evaluate(["Forest"] * 50 + ["Shrub"], ["Forest"] * 50 + ["Forest"], LEARNED)
    rows = measure_areas(map_of(Forest=60, Shrub=40), summary_of(lopsided), {}, CLASSES)["2018"]
    assert [row.adjusted_km2 for row in rows] == [None, None]
