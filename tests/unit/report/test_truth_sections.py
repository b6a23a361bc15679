"""What the page says where the truth is known, and of where the errors are."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from aerial_kedro.accuracy.shares import ShareComparison, compare_shares, group_shares
from aerial_kedro.change.summary import ChangeAssessment, assess_change, expect_changes
from aerial_kedro.report.colours import OUTCOMES
from aerial_kedro.report.content import ErrorMap, ReportContent
from aerial_kedro.report.figures import change_figure
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.pictures import NO_DATA, MapImage

RNG = np.random.default_rng(8)
PROBABILITY = np.sort(RNG.random(120) ** 6)[::-1]


@pytest.fixture(scope="module")
def assessment() -> ChangeAssessment:
    changed = RNG.random(len(PROBABILITY)) < PROBABILITY
    return assess_change(
        pd.DataFrame(
            {
                "probability": PROBABILITY,
                "class_before": "Forest",
                "class_after": "Developed",
                "true_before": "Forest",
                "true_after": np.where(changed, "Developed", "Forest"),
                "block_id": [f"b{i % 9}" for i in range(len(PROBABILITY))],
                "unseen": True,
            }
        )
    )


def text_of(content: ReportContent) -> str:
    """The page as a reader sees it, spaces joined."""
    page = re.sub(r"<style>.*?</style>|<[^>]*>", " ", render_report(content), flags=re.DOTALL)
    return " ".join(page.split())


def with_change(content: ReportContent, **changes: object) -> ReportContent:
    change = content.change.model_copy(
        update={
            "places": len(PROBABILITY),
            "expected_changes": float(PROBABILITY.sum()),
            "first": expect_changes(PROBABILITY),
            **changes,
        }
    )
    return content.model_copy(update={"change": change})


def test_without_truth_expectations_are_all_there_is(short_content: ReportContent) -> None:
    text = text_of(with_change(short_content))
    assert f"The 10 likeliest {PROBABILITY[:10].sum():.1f}" in text
    assert f"All 120 {PROBABILITY.sum():.1f}" in text
    assert "recall" not in text


def test_with_truth_the_list_is_evaluated(
    short_content: ReportContent, assessment: ChangeAssessment
) -> None:
    text = text_of(with_change(short_content, assessment=assessment))
    first = assessment.candidates[0]
    assert f"The {first.first} likeliest" in text
    assert "Found (recall)" in text
    assert f"{assessment.true_changes} of them truly changed" in text


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ({"true_before": "Forest", "true_after": "Developed"}, "True change"),
        ({"true_before": "Forest", "true_after": "Barren"}, "in truth Forest → Barren"),
        ({"true_before": "Shrub", "true_after": "Shrub"}, "No change in truth : Shrub"),
        ({}, None),
    ],
)
def test_a_candidate_says_what_is_known_of_it(
    short_content: ReportContent, truth: dict[str, str], said: str | None
) -> None:
    candidates = [short_content.change_candidates[0].model_copy(update=truth)]
    text = text_of(short_content.model_copy(update={"change_candidates": candidates}))
    assert ("truth" in text or "True change" in text) == (said is not None)
    if said:
        assert said in text


def test_the_figure_shows_the_list_and_not_the_whole_tail(assessment: ChangeAssessment) -> None:
    axes = change_figure(assessment).axes[0]
    assert axes.get_xlim() == (0, max(50, 2 * assessment.true_changes))
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in axes.lines}
    assert lines["truly changed"][0] == lines["expected"][0] == 0
    assert (np.diff(lines["truly changed"]) >= 0).all()


def test_errors_are_shown_with_legend_and_words(full_content: ReportContent) -> None:
    image = MapImage(
        class_index=np.array([[0, 1], [4, NO_DATA]], np.uint8),
        classes=list(OUTCOMES),
        extent=(0, 0, 200, 200),
        crs="EPSG:26918",
    )
    maps = {"2018": ErrorMap(image=image, test_tiles=2, wrong=1)}
    content = full_content.model_copy(update={"error_maps": maps})
    assert 'alt="Map of right and wrong tiles of 2018: 1 of 2 test tiles' in render_report(content)
    text = text_of(content)
    assert "Test tile, wrong" in text
    assert "Other labelled tile, wrong" not in text  # no such cell on the map


def test_shares_stand_beside_each_other(short_content: ReportContent) -> None:
    rows = compare_shares(
        {"Forest": 60, "Developed": 40},
        {"Forest": 70, "Developed": 30},
        {},
        ["Forest", "Developed"],
    )
    shares = ShareComparison(
        land_cover_years=[2019],
        tiles=10,
        tiles_without_land_cover=2,
        classes=rows,
        groups=group_shares(rows, {"Built": ["Developed"]}),
        group_agreement=0.875,
        group_agreement_count=8,
    )
    text = text_of(short_content.model_copy(update={"shares": {"2018": shares}}))
    assert "2018, against the land cover of 2019" in text
    assert "Built Developed 40.0 % 30.0 % −10.0 not defined" in text
    assert "In 87.5 % of 8 tiles" in text
    assert "2 of 10 tiles have no land cover" in text
