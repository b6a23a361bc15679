"""The report says where the model is unsure."""

from __future__ import annotations

import re

import numpy as np
import pytest

from aerial_kedro.accuracy.abstention import AbstentionSummary, evaluate_abstention
from aerial_kedro.change.summary import ChangeSummary
from aerial_kedro.report.content import ReportContent, UnsureTiles
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.pictures import MapImage

RIGHT = [True, True, True, False, False]
CHANCES = [0.95, 0.85, 0.45, 0.75, 0.35]


def text_of(content: ReportContent) -> str:
    page = re.sub(r"<style.*?</style>", " ", render_report(content), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)).replace("\u00a0", " ")


def with_abstention(content: ReportContent, found: AbstentionSummary | None) -> ReportContent:
    return content.model_copy(update={"maps": {}, "change": ChangeSummary(), "abstention": found})


def test_what_abstention_wins_is_said(full_content: ReportContent) -> None:
    text = text_of(with_abstention(full_content, evaluate_abstention(RIGHT, CHANCES, 0.5)))
    assert "has a probability below 50 %" in text
    assert "Of the test tiles these are 40.0 %; of the others 66.7 % are right" in text
    assert "of the unsure ones 50.0 % would have been" in text
    # The table: at 0.8, two of five tiles are left and both are right.
    assert "80 % 60.0 % 100.0 %" in text


def test_where_nothing_is_left_no_accuracy_is_given(full_content: ReportContent) -> None:
    text = text_of(with_abstention(full_content, evaluate_abstention(RIGHT, CHANCES, 1.0)))
    assert "none are left to evaluate" in text
    assert "90 % 80.0 % 100.0 %" in text
    text = text_of(with_abstention(full_content, evaluate_abstention([True], [0.5], 0)))
    assert "No tile was left open" in text
    assert "90 % 100.0 % no tile left" in text


def test_without_it_nothing_is_said(full_content: ReportContent) -> None:
    text = text_of(with_abstention(full_content, None))
    assert "Where the model is unsure" not in text
    assert "Unsure tiles on the maps" not in text


@pytest.mark.parametrize("smoothed", [0, 3])
def test_unsure_tiles_are_counted_for_each_map(full_content: ReportContent, smoothed: int) -> None:
    content = with_abstention(full_content, evaluate_abstention(RIGHT, CHANCES, 0.5))
    unsure = {"2018": UnsureTiles(count=2000, unsure=130, smoothed=smoothed)}
    text = text_of(content.model_copy(update={"unsure": unsure}))
    assert f"2018 2,000 130 6.5 %{' 3' if smoothed else ''}" in text
    assert ("Changed by smoothing" in text) == bool(smoothed)


def test_areas_are_said_to_count_the_likeliest_class(full_content: ReportContent) -> None:
    text = text_of(with_abstention(full_content, None))
    assert (
        "Areas count the likeliest class of every tile, unsure ones and before smoothing." in text
    )


def test_unsure_is_in_the_legend_where_the_map_holds_it() -> None:
    for index, named in ((1, True), (0, False)):
        image = MapImage(
            class_index=np.full((2, 2), index, dtype=np.uint8),
            classes=["Forest", "Unsure"],
            extent=(0, 0, 448, 448),
            crs="EPSG:26918",
        )
        text = text_of(ReportContent(title="t", created="c", maps={"2018": image}))
        assert ("Unsure" in text) == named
