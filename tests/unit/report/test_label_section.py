"""What the page says of a map made from labels of one's own: what its figure is of, and is not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aerial_kedro.labels.summary import ClassLabels, LabelSummary
from aerial_kedro.models.comparison import LeftOutAccuracy
from aerial_kedro.models.learning_curve import CurvePoint
from aerial_kedro.report.cell_content import LabelContent
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.wording import headline_sentences
from tests.unit.report.conftest import draw_evaluation

SUMMARY = LabelSummary(
    path="mine <b>.gpkg",
    rows=130,
    classes={
        "<script>alert(1)</script>": ClassLabels(labels=60, cells={2018: 55}, places=55),
        "Wood": ClassLabels(labels=60, cells={2012: 20, 2018: 40}, places=50),
    },
    left_out={"marked unsure": 10},
    dated=120,
    labelling=115,
    too_small=0,
    of_other_years=0,
    outside=5,
    contradictory=2,
    mixed=0,
    partly=0,
    mended=0,
    spellings=(),
)


def point(labels: int, accuracy: float, draws: int = 1) -> CurvePoint:
    return CurvePoint(
        labels=labels, share=labels / 120, accuracy=accuracy, lowest=accuracy - 0.02,
        highest=accuracy + 0.02, draws=draws,
    )  # fmt: skip


def page(title: str = "Woods", created: str = "today", **changes: Any) -> ReportContent:
    """A report of a map from labels; changes are of what leaving blocks out has shown."""
    accuracy = {
        "chosen": "logistic_regression",
        "reason": "macro-F1 of 0.8",
        "models": {"logistic_regression": draw_evaluation(0.8, n=115)},
        "labels": 115,
        "groups": 120,
        "most_frequent": 0.52,
        "units": "blocks",
        "unit_count": 14,
        "folds": 5,
        "curve": [point(60, 0.78, draws=5), point(120, 0.83)],
        **changes,
    }
    return ReportContent(
        title=title,
        created=created,
        labels=LabelContent(
            summary=SUMMARY, accuracy=LeftOutAccuracy.model_validate(accuracy), size_m=32,
            infrared=False, components=64,
        ),
    )  # fmt: skip


def text_of(content: ReportContent) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render_report(content)))


def test_the_first_figure_is_of_labels_and_says_so() -> None:
    [sentence] = headline_sentences(page())
    assert "of 115 labelled cells where it has not seen them" in sentence.replace("\u00a0", " ")
    assert "always the most frequent class would find 52.0" in sentence
    assert "not the share of the land that is right" in sentence


def test_cells_of_few_labels_are_not_taken_for_as_many_labels() -> None:
    [sentence] = headline_sentences(page(groups=30, labels=118))
    assert "of 115 labelled cells of 30 labels where" in sentence.replace("\u00a0", " ")
    assert "3 more could not be tested" in sentence


def test_what_was_labelled_and_what_teaches_nothing_is_counted() -> None:
    text = text_of(page())
    assert "Wood 60 20 cells 40 cells" in text
    assert "marked unsure 10" in text


def test_names_from_the_file_are_no_markup() -> None:
    found = render_report(page())
    assert "<script>alert" not in found
    assert "mine &lt;b&gt;.gpkg" in found


def test_the_curve_says_whether_more_pays() -> None:
    text = text_of(page())
    assert "120 labels instead of 60 (2.0 times as many)" in text
    assert "help further" in text
    alone = text_of(page(curve=[point(120, 0.8)]))
    assert "too few labels to say whether more would help" in alone


@pytest.mark.parametrize("units", ["blocks", "tiles"])
def test_what_was_left_out_together_is_named(units: str) -> None:
    assert f"the {units} were divided into 5 parts" in text_of(page(units=units))


def test_no_word_of_a_land_cover_that_was_not_used() -> None:
    assert "by the land cover" not in text_of(page())
