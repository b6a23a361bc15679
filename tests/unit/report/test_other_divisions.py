"""The page's account of other divisions: the random split beside the one by place, and folds."""

import pytest

from aerial_kedro.accuracy.validation import (
    FoldResult,
    RandomSplit,
    ValidationSummary,
    summarise_folds,
)
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.pages import render_report
from tests.unit.report.conftest import draw_evaluation


def page_of(content: ReportContent, **found: object) -> str:
    summary = ValidationSummary.model_validate(found)
    page = render_report(content.model_copy(update={"validation": summary}))
    return page.replace("\u00a0", " ")


@pytest.mark.parametrize(("skill", "said"), [(9.0, "points higher"), (0.1, "no higher")])
def test_the_random_split_stands_beside_the_one_by_place(
    full_content: ReportContent, skill: float, said: str
) -> None:
    found = RandomSplit(
        training_tiles=2_000,
        training_tiles_by_place=1_700,
        evaluation=draw_evaluation(skill, n=840),
    )
    page = page_of(full_content, random_split=found)
    assert said in page
    assert "too hopeful" in page
    assert "not all of a difference is due to neighbours" in page
    test = full_content.test
    assert test is not None
    both = [("split by place", test, "1,700"), ("split at random", found.evaluation, "2,000")]
    for name, each, learned in both:
        row = page.split(f'<th scope="row">{name}</th>')[1].split("</tr>")[0]
        assert f"{100 * each.accuracy:.1f} %" in row
        assert f"{each.macro_f1:.3f}" in row
        assert str(each.n) in row
        assert learned in row


def test_why_there_is_no_random_split_is_said(full_content: ReportContent) -> None:
    page = page_of(full_content, random_split_skipped="the tiles have no coordinates")
    assert "Not compared with a random split: the tiles have no coordinates" in page


def test_every_region_is_shown_evaluated_or_not(full_content: ReportContent) -> None:
    folds = [
        FoldResult(
            name="lee", tiles=90, training_tiles=400, in_buffer=9, accuracy=0.8, macro_f1=0.7
        ),
        FoldResult(
            name="ada", tiles=60, training_tiles=400, in_buffer=9, accuracy=0.6, macro_f1=0.5
        ),
        FoldResult(
            name="<b>",
            tiles=0,
            training_tiles=490,
            in_buffer=0,
            remark="no labelled tile in a split",
        ),
    ]
    found = summarise_folds("each of 3 regions left out", folds, draw_evaluation(2.0, n=150))
    page = page_of(full_content, leave_one_region_out=found)
    assert "A region that the model has not seen" in page
    assert "Mean accuracy <strong>70.0 %</strong>, standard deviation 14.1 points" in page
    assert "All 150 tiles together" in page
    row = page.split('<th scope="row">&lt;b&gt;</th>')[1].split("</tr>")[0]
    assert "not evaluated" in row
    assert "no labelled tile in a split" in row


def test_what_was_not_asked_for_is_not_spoken_of(full_content: ReportContent) -> None:
    page = page_of(full_content)
    for words in ("random split", "cross-validation", "A region that"):
        assert words not in page
