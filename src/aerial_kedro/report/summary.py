"""The report in a few sentences, for a reader who reads nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from aerial_kedro.accuracy.evaluation import Evaluation
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


@dataclass(frozen=True)
class Headline:
    """One large figure at the top of the page, with what it is and how sure it is."""

    value: str
    name: str
    detail: str


def headlines(content: ReportContent) -> list[Headline]:
    """Pick the page's large figures: accuracy, macro-F1, the best baseline and the mapped area."""
    found = []
    test = content.chosen_test
    if test is not None:
        interval = test.accuracy_interval
        detail = (
            f"95 % interval {percent_range(interval)}" if interval else f"{number(test.n)} tiles"
        )
        found.append(Headline(percent(test.accuracy), "of test tiles right", detail))
        found.append(
            Headline(f"{test.macro_f1:.3f}", "macro-F1", "mean over classes, rare ones count fully")
        )
    if content.baselines:
        name, best = best_baseline(content)
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
    test = content.chosen_test
    if test is None or content.chosen is None:
        return sentences
    sentences.append(
        f"The chosen model, {model_name(content.chosen)}, gave the reference label to "
        f"{percent(test.accuracy)} of {number(test.n)} test tiles that it had not seen "
        f"({_range_of(test)})."
    )
    sentences += _against_baselines(content, test) + _weakest_class(test)
    split = content.catalog.split if content.catalog else None
    if split is not None and not split.is_spatial:
        sentences.append(
            "Test tiles were not kept apart from training tiles on the ground: neighbours look "
            "alike, so expect a lower accuracy in a new area."
        )
    return sentences


def largest_confusions(evaluation: Evaluation, count: int = 3) -> list[str]:
    """Name the most frequent mistakes.

    Parameters
    ----------
    evaluation
        Where to look.
    count
        How many to name at most.

    Returns
    -------
    list of str
        Such as "Herbaceous taken for Shrub (12 of 56 tiles)", the most frequent first.
    """
    table = evaluation.confusion
    pairs = [
        (table[i][j], i, j)
        for i in range(len(table))
        for j in range(len(table))
        if i != j and table[i][j] > 0
    ]
    pairs.sort(key=lambda pair: -pair[0])
    names = evaluation.classes
    return [
        f"{names[i]} taken for {names[j]} ({number(wrong)} of {number(sum(table[i]))} tiles)"
        for wrong, i, j in pairs[:count]
    ]


def best_baseline(content: ReportContent) -> tuple[str, Evaluation]:
    """Name and evaluation of the baseline with the highest accuracy.

    Raises
    ------
    ValueError
        If the report has no baseline.
    """
    return max(content.baselines.items(), key=lambda item: item[1].accuracy)


def _mapped(content: ReportContent) -> list[str]:
    if not content.areas:
        return []
    periods = listing([str(period) for period in content.areas])
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


def _against_baselines(content: ReportContent, test: Evaluation) -> list[str]:
    if not content.baselines:
        return []
    marks = listing(
        [
            f"{percent(found.accuracy)} ({baseline_name(name)})"
            for name, found in content.baselines.items()
        ]
    )
    gain = 100 * (test.accuracy - best_baseline(content)[1].accuracy)
    if gain <= 0:
        return [
            f"Baselines that need no network reach {marks}: the model is no better than the best "
            "of them, and what it says should not be used."
        ]
    best = "the better of them" if len(content.baselines) > 1 else "that"
    return [
        f"Baselines that need no network reach {marks}; the model is {gain:.1f} points above "
        f"{best}."
    ]


def _weakest_class(test: Evaluation) -> list[str]:
    judged = {name: found.f1 for name, found in test.per_class.items() if found.f1 is not None}
    if len(judged) < 2:  # noqa: PLR2004
        return []
    worst = min(judged, key=judged.__getitem__)
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
