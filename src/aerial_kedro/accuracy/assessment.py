"""The accuracy of a map by what people saw in a probability sample of its cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.accuracy.stratified import Figure, StratifiedSample
from aerial_kedro.parameters import CheckedModel

Names = NDArray[np.object_]
_MORE = 100


@dataclass(frozen=True)
class Interpreted:
    """What people saw in the sampled cells of one year, and what maps show of them.

    Parameters
    ----------
    sample
        The cells in their strata.
    cell_area_km2
        Ground that a cell covers.
    mapped, reference
        Class on the map and by the interpreter, ``(n,)``; empty where there is none.
    open_class
        What ``mapped`` says of cells that the map leaves open.
    alternate, second
        The interpreter's second choice, and the class that a second interpreter gave; or empty.
    land_cover
        Class by the land cover; empty where it has none.
    unsure
        Whether the interpreter was unsure.
    """

    sample: StratifiedSample
    cell_area_km2: float
    mapped: Names
    reference: Names
    open_class: str
    alternate: Names
    second: Names
    land_cover: Names
    unsure: NDArray[np.bool_]

    @property
    def area_km2(self) -> float:
        """Area of all cells that were drawn from."""
        return float(self.sample.sizes.sum()) * self.cell_area_km2

    def where(self, kept: NDArray[np.bool_]) -> "Interpreted":
        """Keep some cells, as if no others had been drawn."""
        names = ("mapped", "reference", "alternate", "second", "land_cover", "unsure")
        sample = replace(self.sample, strata=self.sample.strata[kept])
        return replace(self, sample=sample, **{name: getattr(self, name)[kept] for name in names})


class ClassAccuracy(CheckedModel):
    """Accuracies and true area of a class.

    Parameters
    ----------
    users_accuracy
        Share of what the map shows as the class that is of the class.
    producers_accuracy
        Share of the class that the map shows as such.
    area_km2
        Area of the class by the interpreted cells, not by the map.
    mapped_km2
        Area that the map shows of it.
    cells
        Sampled cells that people saw to be of the class.
    """

    users_accuracy: Figure
    producers_accuracy: Figure
    area_km2: Figure
    mapped_km2: float
    cells: int


class MapAccuracy(CheckedModel):
    """Accuracy of the map of one year.

    Parameters
    ----------
    overall
        Share of all ground that the map has right; what it leaves open is not right.
    decided
        Of the ground that it does not leave open; None where it leaves none.
    classes
        Class to its figures.
    cells
        Interpreted cells.
    matrix
        Their number by class on the map and by people; the class '' is none.
    """

    overall: Figure
    decided: Figure | None
    classes: dict[str, ClassAccuracy]
    cells: int
    matrix: dict[str, dict[str, int]]


class LandCoverAccuracy(CheckedModel):
    """The land cover against the same cells, and the map beside it.

    Parameters
    ----------
    overall, classes
        Of the land cover, on the ground that it covers; areas are left out, being the truth's.
    map_overall
        Of the map, on that ground.
    difference
        The map's less the land cover's, cell by cell.
    cells, cells_without
        Interpreted cells with and without land cover.
    """

    overall: Figure
    classes: dict[str, dict[str, Figure]]
    map_overall: Figure
    difference: Figure
    cells: int
    cells_without: int


class UnsureAnswers(CheckedModel):
    """Cells of the last year that the interpreter was unsure of, reported both ways.

    Parameters
    ----------
    cells, without_class
        Their number, and that of those without a best guess. All other figures count the guess;
        without one the map counts as wrong, and the cell is in no class's area.
    left_out
        Accuracy as if they had not been drawn.
    """

    cells: int
    without_class: int
    left_out: MapAccuracy


class SecondChoice(CheckedModel):
    """Accuracy where the interpreter's second choice counts as right too, and their number."""

    cells: int
    overall: Figure


class SecondInterpreter(CheckedModel):
    """Share of the ground that two interpreters call the same, and the cells that both saw."""

    cells: int
    agreement: Figure


class Prospect(CheckedModel):
    """Half of an interval's width now, and with more cells; None without an interval."""

    half_width_now: float | None
    half_width_then: float | None


class Prospects(CheckedModel):
    """What another hundred cells in the same shares would bring."""

    overall: Prospect
    classes_area_km2: dict[str, Prospect]


def assess_map(year: Interpreted, mapped_km2: Mapping[str, float]) -> MapAccuracy:
    """Estimate the accuracy of a map, and the true areas of classes.

    Parameters
    ----------
    year
        The interpreted cells.
    mapped_km2
        Classes of the map, and the area that it shows of each; those that only people saw come
        after them.
    """
    sample, seen = year.sample, {name for name in year.reference if name}
    right = (year.mapped == year.reference) & (year.reference != "")
    decided = year.mapped != year.open_class
    return MapAccuracy(
        overall=sample.share(right),
        decided=None
        if decided.all()
        else sample.ratio(right, decided, "on which the map shows a class"),
        classes={
            name: _assess_class(year, name, mapped_km2.get(name, 0.0))
            for name in [*mapped_km2, *sorted(seen - set(mapped_km2))]
        },
        cells=len(year.reference),
        matrix=_count_pairs(year),
    )


def _assess_class(year: Interpreted, name: str, mapped_km2: float) -> ClassAccuracy:
    own = year.reference == name
    return ClassAccuracy(
        **_accuracies(year, year.mapped, name, "on the map"),
        area_km2=year.sample.share(own).times(year.area_km2),
        mapped_km2=mapped_km2,
        cells=int(own.sum()),
    )


def _accuracies(year: Interpreted, shown: Names, name: str, where: str) -> dict[str, Figure]:
    is_shown, own = shown == name, year.reference == name
    return {
        "users_accuracy": year.sample.ratio(is_shown & own, is_shown, f"of {name} {where}"),
        "producers_accuracy": year.sample.ratio(
            is_shown & own, own, f"that people saw to be {name}", is_shown
        ),
    }


def _count_pairs(year: Interpreted) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for shown, seen in sorted(zip(year.mapped, year.reference, strict=True)):
        row = counts.setdefault(shown, {})
        row[seen] = row.get(seen, 0) + 1
    return counts


def assess_land_cover(year: Interpreted, classes: Sequence[str]) -> LandCoverAccuracy | None:
    """Estimate the accuracy of the land cover as a map, and compare; None where there is none."""
    covered = year.land_cover != ""
    if not covered.any():
        return None
    of = "with land cover"
    right, map_right = (each == year.reference for each in (year.land_cover, year.mapped))
    known = covered & (year.reference != "")
    on_cover = {
        name: _accuracies(
            replace(year, reference=np.where(covered, year.reference, "")),
            year.land_cover,
            name,
            "by the land cover",
        )
        for name in classes
    }
    return LandCoverAccuracy(
        overall=year.sample.ratio(right & known, covered, of),
        classes=on_cover,
        map_overall=year.sample.ratio(map_right & known, covered, of),
        difference=year.sample.difference(map_right & known, right & known, covered, of),
        cells=int(covered.sum()),
        cells_without=int((~covered).sum()),
    )


def weigh_unsure(year: Interpreted, mapped_km2: Mapping[str, float]) -> UnsureAnswers | None:
    """Estimate without the cells that the interpreter was unsure of; None without any."""
    if not year.unsure.any():
        return None
    return UnsureAnswers(
        cells=int(year.unsure.sum()),
        without_class=int((year.reference == "").sum()),
        left_out=assess_map(year.where(~year.unsure), mapped_km2),
    )


def count_alternates(year: Interpreted) -> SecondChoice | None:
    """Count second choices as right too; None where none was given."""
    given = year.alternate != ""
    if not given.any():
        return None
    right = (year.mapped == year.reference) & (year.reference != "")
    right |= (year.mapped == year.alternate) & given
    return SecondChoice(cells=int(given.sum()), overall=year.sample.share(right))


def compare_interpreters(years: Sequence[Interpreted]) -> SecondInterpreter | None:
    """Estimate how often two interpreters agree; None without a second one.

    Of the last year that both of them saw cells of.
    """
    for year in reversed(years):
        both = (year.second != "") & (year.reference != "")
        if both.any():
            same = both & (year.second == year.reference)
            return SecondInterpreter(
                cells=int(both.sum()),
                agreement=year.sample.ratio(same, both, "that both interpreters saw"),
            )
    return None


def foretell(year: Interpreted, found: MapAccuracy) -> Prospects:
    """Foretell how narrow intervals would be with another hundred cells in the same shares."""
    growth = 1 + _MORE / max(len(year.reference), 1)
    larger = replace(year, sample=replace(year.sample, growth=growth))
    then = assess_map(larger, {})
    right = Prospect(
        half_width_now=found.overall.half_width, half_width_then=then.overall.half_width
    )
    areas = {
        name: Prospect(
            half_width_now=found.classes[name].area_km2.half_width,
            half_width_then=each.area_km2.half_width,
        )
        for name, each in then.classes.items()
    }
    return Prospects(overall=right, classes_area_km2=areas)
