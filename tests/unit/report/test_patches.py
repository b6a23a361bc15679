"""What the page says of patches of change."""

from __future__ import annotations

import pytest

from aerial_kedro.accuracy.interval import proportion
from aerial_kedro.accuracy.reliability import ReliabilityBin
from aerial_kedro.change.patches import (
    CellChangeAssessment,
    CellChangeSummary,
    PatchDetection,
)
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.maps.patches import PatchRules
from aerial_kedro.report.content import PatchCandidate, ReportContent
from aerial_kedro.report.pages import render_report
from tests.unit.report.conftest import draw_tile
from tests.unit.report.test_truth_sections import text_of

DETECTION = PatchDetection(
    expected=33.6,
    precision=proportion([True] * 35 + [False]),
    same_classes=proportion([True] * 35),
    area_ha=204.3,
    true_area_ha=196.8,
)
ASSESSMENT = CellChangeAssessment(
    known_area_ha=4620.0,
    true_area_ha=273.0,
    expected_area_ha=220.1,
    detection=DETECTION,
    unseen=None,
    recall=0.72,
    true_patches=proportion([True] * 31 + [False] * 7),
    bins=[ReliabilityBin(confidence=0.85, accuracy=0.88, count=123)],
    calibration_error=0.012,
    likely_calibration_error=0.081,
)
CELLS = CellChangeSummary(
    before=2012,
    after=2018,
    cells=45_472,
    area_ha=4656.3,
    changed_share=0.047,
    changed_area_ha=220.8,
    classes=["Forest", "Quarry"],
    transitions_ha=[[700.0, 33.3], [0.002, 7.7]],
    rules=PatchRules(min_probability=0.5, min_width=2),
    patches=36,
    patch_area_ha=204.3,
    expected_patches=33.6,
    expected_patch_area_ha=195.2,
)


def with_patches(content: ReportContent, *, known: bool, **truth: object) -> ReportContent:
    cells = CELLS.model_copy(update={"assessment": ASSESSMENT if known else None})
    patch = PatchCandidate(
        rank=4, before_class="Forest", after_class="Quarry", area_ha=14.2, probability=0.94,
        lon=-78.01, lat=36.49, before=draw_tile("Forest", 1), after=draw_tile("Barren", 2),
    ).model_copy(update=truth)  # fmt: skip
    change = content.change.model_copy(update={"cells": cells})
    return content.model_copy(update={"change": change, "patch_candidates": [patch]})


def test_patches_come_before_tiles_and_say_what_to_expect(short_content: ReportContent) -> None:
    text = text_of(with_patches(short_content, known=False))
    assert "221 ha of 4,656 ha changed their class (4.7 %)" in text
    assert "36 patches of ground stand out" in text
    assert "at least 2 cells wide everywhere" in text
    assert "about 34 of them are real" in text
    assert "4 Forest → Quarry 14.2 94 % 36.49000, -78.01000" in text
    assert text.index("36 patches") < text.index("By tile") < text.index("Likeliest changes")
    assert "In truth" not in text.split("By tile")[0].split("36 patches")[1]


def test_with_truth_they_are_evaluated(short_content: ReportContent) -> None:
    text = text_of(
        with_patches(
            short_content, known=True, changed_share=0.9, true_before="Forest", true_after="Quarry"
        )
    )
    assert "35 of 36 patches truly changed" in text
    assert "All 36 patches 33.6 35 97 %" in text
    assert "In truth 273 ha changed where 220 ha were expected; 72 % of it lies in" in text
    assert "Of the 38 patches of true change as wide as these must be, 31 were found" in text
    assert "123 85.0 % 88.0 %" in text


@pytest.mark.parametrize(
    ("share", "before", "after", "said"),
    [
        (0.9, "Forest", "Quarry", "90 % of it changed</"),
        (0.9, "Forest", "Shrub", "90 % of it changed: Forest → Shrub"),
        (0.1, "Shrub", "Shrub", '10 % of it changed: <span class="wrong">Shrub</span>'),
        (None, None, None, "not known"),
    ],
)
def test_a_patch_says_what_is_known_of_it(
    short_content: ReportContent,
    share: float | None,
    before: str | None,
    after: str | None,
    said: str,
) -> None:
    truth = {"changed_share": share, "true_before": before, "true_after": after}
    page = render_report(with_patches(short_content, known=True, **truth))
    assert said in " ".join(page.split())


def test_likely_changes_are_set_against_the_truth_apart(short_content: ReportContent) -> None:
    text = text_of(with_patches(short_content, known=True)).replace("\u00a0", " ")
    assert "shares: 1.2 % over all cells, 8.1 % over those of 50 % and more" in text
    assert "can be believed" not in text


def test_areas_too_small_to_mean_anything_are_0(short_content: ReportContent) -> None:
    text = text_of(with_patches(short_content, known=False))
    assert "Forest 700 33.3 Quarry 0 7.70" in text


def test_tiles_without_cells_have_no_patches(short_content: ReportContent) -> None:
    text = text_of(short_content)
    assert "patches" not in text.lower()
    assert "By tile" not in text


def test_without_compared_tiles_patches_are_shown_all_the_same(
    short_content: ReportContent,
) -> None:
    own = with_patches(short_content, known=False)
    change = ChangeSummary(cells=own.change.cells)
    text = text_of(own.model_copy(update={"change": change, "change_candidates": []}))
    assert "Change from 2012 to 2018" in text
    assert "By tile" not in text
