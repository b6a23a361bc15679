from typing import Any

from aerial_kedro.accuracy.evaluation import Evaluation, evaluate
from aerial_kedro.models.comparison import ModelScores, TrainingSummary
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.pages import render_report
from aerial_kedro.report.wording import summary_sentences
from aerial_kedro.splits.blocks import SplitCheck

CLASSES = ["Forest", "Shrub"]


def content(
    right: int, baseline: int, blocks: list[str] | None = None, **more: Any
) -> ReportContent:
    """Ten tiles of which the model and the baseline get so many right."""
    labels = ["Forest"] * 5 + ["Shrub"] * 5
    other = {"Forest": "Shrub", "Shrub": "Forest"}

    def guess(count: int) -> list[str]:
        return labels[:count] + [other[name] for name in labels[count:]]

    test = evaluate(labels, guess(right), CLASSES, blocks=blocks)
    training = training_of(test, majority=evaluate(labels, guess(baseline), CLASSES))
    return ReportContent(title="t", created="c", training=training, **more)


def training_of(test: Evaluation, **baselines: Evaluation) -> TrainingSummary:
    models = {"random_forest": ModelScores(validation=test, test=test, out_of_fold=test)}
    return TrainingSummary(chosen="random_forest", reason="", models=models, baselines=baselines)


def said(given: ReportContent) -> str:
    return " ".join(summary_sentences(given)).replace("\u00a0", " ")


def test_says_how_much_better_than_the_baseline() -> None:
    assert "the model is 40.0 points above that" in said(content(9, 5))


def test_warns_when_the_baseline_is_as_good() -> None:
    assert "no better than the best of them, and what it says should not be used" in said(
        content(5, 5)
    )


def test_says_why_there_is_no_interval() -> None:
    assert "no interval: the places of the tiles are not known" in said(content(9, 5))
    one = content(9, 5, blocks=["x"] * 10)
    assert "no interval: all test tiles lie in one spatial block" in said(one)


def test_says_when_an_interval_is_too_narrow() -> None:
    few = content(7, 5, blocks=list("aaabbbcccc"))
    assert "from 3 blocks, so few that the true range is wider" in said(few)
    alike = content(10, 5, blocks=list("aaabbbcccc"))
    assert "that do not differ, so the true range is wider" in said(alike)


def test_warns_of_a_split_that_is_not_spatial() -> None:
    def split(spatial: bool) -> SplitCheck:
        return SplitCheck(description="d", is_spatial=spatial)

    assert "not kept apart" in said(content(9, 5, split=split(False)))
    assert "not kept apart" not in said(content(9, 5, split=split(True)))


def test_names_the_class_to_trust_least() -> None:
    found = evaluate(["Forest"] * 6 + ["Shrub"] * 4, ["Forest"] * 9 + ["Shrub"], CLASSES)
    given = ReportContent(title="t", created="c", training=training_of(found))
    assert "trust least is Shrub: 100 % of the tiles labelled Shrub are Shrub, and 25 %" in said(
        given
    )


def test_a_class_never_predicted_is_said_so() -> None:
    found = evaluate(["Forest", "Shrub"], ["Forest", "Forest"], CLASSES)
    given = ReportContent(title="t", created="c", training=training_of(found))
    assert "Shrub: it was never predicted, and 0 % of its tiles were found" in said(given)


def test_names_the_most_frequent_mistakes_first() -> None:
    found = evaluate(["A"] * 5 + ["B"] * 5, list("ABBBA") + list("BBBBA"), ["A", "B"])
    page = render_report(ReportContent(title="t", created="c", training=training_of(found)))
    assert (
        "<p>Most frequent: A taken for B (3 of 5 tiles); B taken for A (1 of 5 tiles).</p>" in page
    )


def test_an_empty_report_says_nothing() -> None:
    empty = ReportContent(title="t", created="c")
    assert summary_sentences(empty) == []
    assert '<dl class="headlines">' not in render_report(empty)
