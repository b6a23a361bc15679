"""The report in a few sentences, for a reader who reads nothing else."""

from __future__ import annotations

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.models.comparison import TrainingSummary
from aerial_kedro.report.content import ReportContent
from aerial_kedro.report.wording import area, in_words, listing, number, percent, percent_range

FEW_BLOCKS = 10
"""Below this number of blocks a bootstrap interval is known to be too narrow."""


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
        f"The chosen model, {in_words(training.chosen)}, gave the reference label to "
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


def _against_baselines(training: TrainingSummary, test: Evaluation) -> list[str]:
    if not training.baselines:
        return []
    marks = listing(
        [
            f"{percent(found.accuracy)} ({in_words(name)})"
            for name, found in training.baselines.items()
        ]
    )
    best = max(found.accuracy for found in training.baselines.values())
    gain = 100 * (test.accuracy - best)
    if gain <= 0:
        return [
            f"Baselines that need no network reach {marks}: the model is no better than the best "
            "of them, and what it says should not be used."
        ]
    which = "the better of them" if len(training.baselines) > 1 else "that"
    return [
        f"Baselines that need no network reach {marks}; the model is {gain:.1f} points above "
        f"{which}."
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
