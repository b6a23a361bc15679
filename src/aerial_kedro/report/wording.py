"""What the pages say in words: numbers, names, and the report in a few sentences."""

from aerial_kedro.accuracy.evaluation import Evaluation
from aerial_kedro.accuracy.ground import CellMapSummary
from aerial_kedro.accuracy.interval import Interval
from aerial_kedro.models.comparison import LeftOutAccuracy, TrainingSummary
from aerial_kedro.report.content import ReportContent

FEW_BLOCKS = 10
"""Below this number of blocks a bootstrap interval is known to be too narrow."""

_WORDS = {
    "logistic_regression": "logistic regression",
    "random_forest": "random forest",
    "majority": "most frequent class",
    "image_statistics": "plain image statistics",
}
_NBSP = "\u00a0"


def percent(value: float | None, digits: int = 1) -> str:
    """Write a share as a percentage; one that does not exist is never a 0.

    Examples
    --------
    >>> percent(0.934).replace(_NBSP, " "), percent(None)
    ('93.4 %', 'not defined')
    """
    return "not defined" if value is None else f"{100 * value:.{digits}f}{_NBSP}%"


def percent_range(interval: Interval | None, digits: int = 1) -> str:
    """Write an interval of shares; empty where there is none.

    Examples
    --------
    >>> percent_range(Interval(lower=0.912, upper=0.951)).replace(_NBSP, " ")
    '91.2 to 95.1 %'
    """
    if interval is None:
        return ""
    return f"{100 * interval.lower:.{digits}f} to {100 * interval.upper:.{digits}f}{_NBSP}%"


def number(value: float) -> str:
    """Write a count with separated thousands.

    Examples
    --------
    >>> number(67000)
    '67,000'
    """
    return f"{value:,.0f}"


def area(value: float) -> str:
    """Write square kilometres with three significant digits, all of them from 100 on.

    Examples
    --------
    >>> area(1234.5), area(12.345), area(0.0501)
    ('1,234', '12.3', '0.0501')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")  # noqa: PLR2004


def decimal(value: float) -> str:
    """Write a score with three decimals.

    Examples
    --------
    >>> decimal(0.12345)
    '0.123'
    """
    return f"{value:.3f}"


def in_words(name: str) -> str:
    """Name a classifier or a baseline in words; another name stays as it is.

    Examples
    --------
    >>> in_words("logistic_regression"), in_words("majority")
    ('logistic regression', 'most frequent class')
    """
    return _WORDS.get(name, name)


def listing(items: list[str]) -> str:
    """Join items as a sentence does.

    Examples
    --------
    >>> listing(["2010", "2016", "2018"])
    '2010, 2016 and 2018'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def summary_sentences(content: ReportContent) -> list[str]:
    """Say what was mapped, how well, against which baselines and where to be careful.

    For a reader who reads nothing else.

    Parameters
    ----------
    content
        The report; what it lacks is not spoken of.

    Returns
    -------
    list of str
        Plain sentences, not escaped for HTML.
    """
    sentences = headline_sentences(content)
    training, test = content.training, content.test
    if content.areas:
        last, rows = list(content.areas.items())[-1]
        largest = max(rows, key=lambda row: row.share)
        sentences.append(
            f"This page maps land cover for {listing(list(content.areas))}. The map of {last} "
            f"holds {number(sum(row.count for row in rows))} {rows[0].units} "
            f"({area(sum(row.area_km2 for row in rows))} km²); its largest class is "
            f"{largest.class_name}, with {percent(largest.share)} of the area."
        )
    if training is None or test is None:
        return sentences
    if content.cells is None:
        sentences += _against_baselines(training, test, "tiles")
        sentences += _weakest_class(test, "tiles")
    else:
        own = content.cells
        sentences += _against_baselines(own.training, own.test, "cells")
        sentences += _weakest_class(own.test, "cells")
    if content.split and not content.split.is_spatial:
        sentences.append(
            "Test tiles were not kept apart from training tiles on the ground: neighbours look "
            "alike, so expect a lower accuracy in a new area."
        )
    return sentences


def headline_sentences(content: ReportContent) -> list[str]:
    """Say how much of the ground is right, and how much of the land no figure is of.

    Accuracy on tiles that are mostly of one class comes after it, under its name.
    """
    sentences = _ground_sentences(content.cells.ground) if content.cells else []
    if content.labels:
        sentences.append(_label_sentence(content.labels.accuracy))
    training, test = content.training, content.test
    if training is None or test is None:
        return sentences
    unseen = content.catalog.share_in_no_figure if content.catalog else 0
    of_land = content.cells is not None or bool(content.areas)
    which = "labelled (mostly pure) tiles" if of_land else "tiles"
    rest = (
        f" The {percent(unseen)} of all tiles that are mixed, or of a class that is not learned, "
        f"are not in this figure."
        if of_land and unseen
        else ""
    )
    sentences.append(
        f"{'The classifier of tiles' if content.cells else 'The chosen model'}, "
        f"{in_words(training.chosen)}, gave the reference label to {percent(test.accuracy)} of "
        f"{number(test.n)} {which} that it had not seen ({_range_of(test)}).{rest}"
    )
    return sentences


def _label_sentence(found: LeftOutAccuracy) -> str:
    test = found.evaluation
    # A label without a year is a cell of each year, a polygon many cells.
    at_once = f" of {number(found.groups)} labels" if found.groups < test.n else ""
    untested = found.labels - test.n
    left = (
        f" {number(untested)} more could not be tested: elsewhere one class alone is labelled."
        if untested
        else ""
    )
    return (
        f"The map finds {percent(test.accuracy)} of {number(test.n)} labelled cells{at_once} where "
        f"it has not seen them ({_range_of(test, found.units)}); always the most frequent class "
        f"would find {percent(found.most_frequent)}.{left} These labels were not drawn at random, "
        "so this is not the share of the land that is right."
    )


def _ground_sentences(ground: CellMapSummary) -> list[str]:
    found, truth = ground.overall, ground.overall_truth
    sentences = []
    if found is not None:
        interval = percent_range(found.accuracy_interval)
        sentences.append(
            f"Of the ground of test blocks, pure and mixed, the map has "
            f"{percent(found.accuracy)} right by the land cover"
            f"{f' (95 % interval {interval})' if interval else ''}; one class a tile has "
            f"{percent(found.tile_map_accuracy)}, and could at best have "
            f"{percent(found.best_tile_map_accuracy)}. {_left_out(ground.unknown_share)}"
        )
    if truth is not None:
        beside = ground.overall_land_cover
        sentences.append(
            f"By the known truth it has {percent(truth.accuracy)} right, one class a tile "
            f"{percent(truth.tile_map_accuracy)}"
            f"{f', the land cover itself {percent(beside.accuracy)}' if beside else ''}."
        )
    return sentences


def _left_out(share: float) -> str:
    if not share:
        return "All of that ground counts."
    return f"In no figure is {percent(share)} of that ground, which the land cover does not cover."


def _range_of(test: Evaluation, units: str = "blocks") -> str:
    """Say how sure the accuracy is, and why it is not surer."""
    if test.accuracy_interval is None:
        if test.blocks is not None:
            return "no interval: all test tiles lie in one spatial block"
        return "no interval: the places of the tiles are not known"
    text = f"95 % interval {percent_range(test.accuracy_interval)}, from {test.blocks} {units}"
    if test.accuracy_interval.lower == test.accuracy_interval.upper:
        return f"{text} that do not differ, so the true range is wider"
    if test.blocks is not None and test.blocks < FEW_BLOCKS:
        return f"{text}, so few that the true range is wider"
    return text


def _against_baselines(training: TrainingSummary, test: Evaluation, units: str) -> list[str]:
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
    of, model = ("", "model") if units == "tiles" else (f" of {units}", "classifier of cells")
    if gain > 0:
        which = "the better of them" if len(training.baselines) > 1 else "that"
        end = f"; the {model} is {gain:.1f} points above {which}."
    elif units == "cells":
        end = ": the network adds nothing to plain statistics of the bands here."
    else:
        end = ": the model is no better than the best of them, and what it says should not be used."
    return [f"Baselines that need no network reach {marks}{of}{end}"]


def _weakest_class(test: Evaluation, units: str) -> list[str]:
    scores = {name: found.f1 for name, found in test.per_class.items() if found.f1 is not None}
    if len(scores) < 2:  # noqa: PLR2004
        return []
    worst = min(scores, key=scores.__getitem__)
    found = test.per_class[worst]
    held = (
        "it was never predicted"
        if found.users_accuracy is None
        else f"{percent(found.users_accuracy, 0)} of the {units} labelled {worst} are {worst}"
    )
    return [
        f"The class to trust least is {worst}: {held}, and "
        f"{percent(found.producers_accuracy, 0)} of its {units} were found."
    ]
