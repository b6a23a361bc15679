"""The report in a few sentences, for a reader who reads nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from aerial_kedro.accuracy.confusion import largest_confusions
from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.wording import (
    area,
    baseline_name,
    listing,
    model_name,
    number,
    percent,
    percent_range,
)

FEW_BLOCKS = 10
"""Below this number of blocks a bootstrap interval is known to be too narrow."""
_CONFUSIONS = 3


@dataclass(frozen=True)
class Headline:
    """One large figure at the top of the page, with what it is and how sure it is."""

    value: str
    name: str
    detail: str


def headlines(content: ReportContent) -> list[Headline]:
    """Pick the page's large figures: accuracy, macro-F1, the best baseline and the mapped area."""
    found = []
    if test := content.test:
        interval = test.accuracy_interval
        detail = (
            f"95 % interval {percent_range(interval)}" if interval else f"{number(test.n)} tiles"
        )
        found.append(Headline(percent(test.accuracy), "of test tiles right", detail))
        found.append(
            Headline(f"{test.macro_f1:.3f}", "macro-F1", "mean over classes, rare ones count fully")
        )
    if content.training and content.training.baselines:
        name, best = _best_baseline(content.training)
        found.append(Headline(percent(best.accuracy), "best baseline", baseline_name(name)))
    if content.areas:
        period, rows = list(content.areas.items())[-1]
        tiles = number(sum(row.tiles for row in rows))
        whole = area(sum(row.area_km2 for row in rows))
        found.append(Headline(f"{whole} km²", f"mapped, {period}", f"{tiles} tiles"))
    return found


def summary_sentences(content: ReportContent) -> list[str]:
    """Say what was mapped, how well, against which baselines and where to be careful.

    Parameters
    ----------
    content
        The report; what it lacks is not spoken of.

    Returns
    -------
    list of str
        Plain sentences, not escaped for HTML.
    """
    sentences = _mapped(content)
    training, test = content.training, content.test
    if training is None or test is None:
        return sentences
    sentences.append(
        f"The chosen model, {model_name(training.chosen)}, gave the reference label to "
        f"{percent(test.accuracy)} of {number(test.n)} test tiles that it had not seen "
        f"({_range_of(test)})."
    )
    sentences += _against_baselines(training, test) + _weakest_class(test)
    if content.split and not content.split.is_spatial:
        sentences.append(
            "Test tiles were not kept apart from training tiles on the ground: neighbours look "
            "alike, so expect a lower accuracy in a new area."
        )
    return sentences


def confusion_texts(evaluation: Evaluation) -> list[str]:
    """Name the most frequent mistakes.

    Returns
    -------
    list of str
        Three at most, such as "Herbaceous taken for Shrub (12 of 56 tiles)", the most frequent
        first.
    """
    return [
        f"{each.reference} taken for {each.predicted} ({number(each.count)} of {number(each.of)} "
        "tiles)"
        for each in largest_confusions(evaluation.confusion, evaluation.classes, _CONFUSIONS)
    ]


def _mapped(content: ReportContent) -> list[str]:
    if not content.areas:
        return []
    periods = listing(list(content.areas))
    last, rows = list(content.areas.items())[-1]
    largest = max(rows, key=lambda row: row.share)
    tiles = sum(row.tiles for row in rows)
    whole = sum(row.area_km2 for row in rows)
    return [
        f"This page maps land cover for {periods}. The map of {last} holds {number(tiles)} tiles "
        f"({area(whole)} km²); its largest class is {largest.class_name}, with "
        f"{percent(largest.share)} of the area."
    ]


def _range_of(test: Evaluation) -> str:
    """Say how sure the accuracy is, and why it is not surer."""
    if test.accuracy_interval is None:
        if test.blocks is not None:
            return "no interval: all test tiles lie in one spatial block"
        return "no interval: the places of the tiles are not known"
    text = f"95 % interval {percent_range(test.accuracy_interval)}, from {test.blocks} blocks"
    if test.accuracy_interval.lower == test.accuracy_interval.upper:
        return f"{text} that do not differ, so the true range is wider"
    if test.blocks is not None and test.blocks < FEW_BLOCKS:
        return f"{text}, so few that the true range is wider"
    return text


def _best_baseline(training: TrainingSummary) -> tuple[str, Evaluation]:
    return max(training.baselines.items(), key=lambda item: item[1].accuracy)


def _against_baselines(training: TrainingSummary, test: Evaluation) -> list[str]:
    if not training.baselines:
        return []
    marks = listing(
        [
            f"{percent(found.accuracy)} ({baseline_name(name)})"
            for name, found in training.baselines.items()
        ]
    )
    gain = 100 * (test.accuracy - _best_baseline(training)[1].accuracy)
    if gain <= 0:
        return [
            f"Baselines that need no network reach {marks}: the model is no better than the best "
            "of them, and what it says should not be used."
        ]
    best = "the better of them" if len(training.baselines) > 1 else "that"
    return [
        f"Baselines that need no network reach {marks}; the model is {gain:.1f} points above "
        f"{best}."
    ]


def _weakest_class(test: Evaluation) -> list[str]:
    scores = {name: found.f1 for name, found in test.per_class.items() if found.f1 is not None}
    if len(scores) < 2:  # noqa: PLR2004
        return []
    worst = min(scores, key=scores.__getitem__)
    found = test.per_class[worst]
    held = (
        "it was never predicted"
        if found.users_accuracy is None
        else f"{percent(found.users_accuracy, 0)} of the tiles labelled {worst} are {worst}"
    )
    return [
        f"The class to trust least is {worst}: {held}, and "
        f"{percent(found.producers_accuracy, 0)} of its tiles were found."
    ]
