"""Mapped change against what people saw in both years."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.accuracy.assessment import (
    ClassAccuracy,
    LandCoverAccuracy,
    MapAccuracy,
    Names,
    Prospects,
    SecondChoice,
    SecondInterpreter,
    UnsureAnswers,
)
from aerial_kedro.accuracy.stratified import Figure, StratifiedSample
from aerial_kedro.parameters import CheckedModel


@dataclass(frozen=True)
class InterpretedChange:
    """What people saw of the sampled cells that both years show.

    Parameters
    ----------
    sample
        The cells in their strata.
    area_km2
        Area of all cells that were drawn from.
    before, after
        The years.
    mapped
        Whether each cell lies in a patch of mapped change, ``(n,)``.
    seen_before, seen_after
        Class by the interpreter, ``(n,)``; empty where it is not known.
    """

    sample: StratifiedSample
    area_km2: float
    before: int
    after: int
    mapped: NDArray[np.bool_]
    seen_before: Names
    seen_after: Names


class ChangeAccuracy(CheckedModel):
    """Accuracy of mapped change, and how much truly changed.

    Parameters
    ----------
    before, after
        The years.
    cells, left_out
        Cells that count, and those left out since their class is not known in both years.
    area_km2
        Area that changed by the interpreted cells.
    users_accuracy
        Share of the ground in patches of change that changed.
    producers_accuracy
        Share of the ground that changed that lies in patches.
    transitions_km2
        Area of each change that people saw, as ``Forest → Developed``.
    """

    before: int
    after: int
    cells: int
    left_out: int
    area_km2: Figure
    users_accuracy: Figure
    producers_accuracy: Figure
    transitions_km2: dict[str, Figure]


def assess_change(seen: InterpretedChange) -> ChangeAccuracy:
    """Estimate the accuracy of mapped change, and the area that changed."""
    known = (seen.seen_before != "") & (seen.seen_after != "")
    sample = StratifiedSample(seen.sample.names, seen.sample.sizes, seen.sample.strata[known])
    before, after = seen.seen_before[known], seen.seen_after[known]
    mapped, changed = seen.mapped[known], before != after
    pairs = sorted({(a, b) for a, b in zip(before, after, strict=True) if a != b})
    return ChangeAccuracy(
        before=seen.before,
        after=seen.after,
        cells=int(known.sum()),
        left_out=int((~known).sum()),
        area_km2=sample.share(changed).times(seen.area_km2),
        users_accuracy=sample.ratio(mapped & changed, mapped, "in a patch of change"),
        producers_accuracy=sample.ratio(
            mapped & changed, changed, "that people saw to change", mapped
        ),
        transitions_km2={
            f"{a} → {b}": sample.share((before == a) & (after == b)).times(seen.area_km2)
            for a, b in pairs
        },
    )


class Assessment(CheckedModel):
    """A map, assessed by what people saw in a probability sample of it (`assessment.json`).

    Parameters
    ----------
    labels
        File of the answers.
    sample, model
        Fingerprint of the sample's design, and the model whose map it was drawn from.
    map_key
        Names the map that was assessed (`aerial_kedro.change.shown.ShownMap.key`).
    redrawn
        Whether that map shows something else than when the sample was drawn.
    year, cells, area_km2
        The last year, the interpreted cells and the area of all cells that it shows.
    strata
        Stratum to the number of its cells that were interpreted in the last year.
    overall, classes
        Of the last year; ``years`` has all.
    years
        Year to the accuracy of its map.
    change
        Of change between the two years; None with one.
    land_cover
        The land cover as a map of the last year; None without one.
    unsure, alternate, second_interpreter
        Unsure answers, second choices and a second interpreter; None without any.
    another_100_cells
        What more cells would bring.
    classes_not_on_map
        Classes that people saw and the map does not know.
    """

    labels: str
    sample: str
    model: str
    map_key: str
    redrawn: bool
    year: int
    cells: int
    area_km2: float
    strata: dict[str, int]
    overall: Figure
    classes: dict[str, ClassAccuracy]
    years: dict[str, MapAccuracy]
    change: ChangeAccuracy | None
    land_cover: LandCoverAccuracy | None
    unsure: UnsureAnswers | None
    alternate: SecondChoice | None
    second_interpreter: SecondInterpreter | None
    another_100_cells: Prospects
    classes_not_on_map: list[str]
