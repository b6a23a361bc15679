"""The layout of the land: estates between roads, divided into parcels, and how these change."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.county.kinds import KINDS, LandClass, choose
from aerial_kedro.examples.county.noise import Plane

GRID_M = 4
"""All borders lie on multiples of this in the layout's own coordinates."""
_NEIGHBOURLY = 0.96
"""Chance that a parcel is of its estate's class."""

CLASS_SHARES: dict[LandClass, float] = {
    LandClass.FOREST: 0.17,
    LandClass.CULTIVATED: 0.17,
    LandClass.DEVELOPED: 0.15,
    LandClass.HERBACEOUS: 0.17,
    LandClass.SHRUB: 0.17,
    LandClass.BARREN: 0.17,
}
"""How the land that is not water is shared out among the classes."""

TRANSITIONS: Mapping[LandClass, Mapping[str, float]] = {
    LandClass.FOREST: {"cutover": 0.5, "suburb": 0.25, "graded": 0.25},
    LandClass.CULTIVATED: {"suburb": 0.45, "commercial": 0.25, "meadow": 0.3},
    LandClass.BARREN: {"commercial": 0.5, "suburb": 0.3, "meadow": 0.2},
    LandClass.HERBACEOUS: {"thicket": 0.5, "suburb": 0.25, "row_crop": 0.25},
    LandClass.SHRUB: {"plantation": 0.5, "mixed_forest": 0.3, "graded": 0.2},
    LandClass.DEVELOPED: {},
}
"""What a class can turn into, and how likely that is."""


@dataclass(frozen=True)
class Plot:
    """A rectangle in the layout's own coordinates, in metres."""

    u0: float
    v0: float
    u1: float
    v1: float

    @property
    def size(self) -> tuple[float, float]:
        """Lengths of the two sides."""
        return self.u1 - self.u0, self.v1 - self.v0

    def inside(self, u: Plane, v: Plane) -> Plane:
        """Distance to the nearest side, negative outside."""
        distance: Plane = np.minimum(
            np.minimum(u - np.float32(self.u0), np.float32(self.u1) - u),
            np.minimum(v - np.float32(self.v0), np.float32(self.v1) - v),
        )
        return distance


@dataclass(frozen=True)
class Parcel:
    """A piece of land of one kind.

    Parameters
    ----------
    plot, estate
        The parcel's rectangle, and that of the estate it lies in.
    kind
        Name of its kind before any change.
    area_share
        Share of the county that it covers.
    change
        First year and name of its kind after the change; None if it does not change.
    """

    plot: Plot
    estate: Plot
    kind: str
    area_share: float
    change: tuple[int, str] | None = None

    def kind_in(self, year: int) -> str:
        """Name of the parcel's kind in a year."""
        return self.change[1] if self.change and year >= self.change[0] else self.kind


def divide(rng: np.random.Generator, plot: Plot, sides: tuple[float, float]) -> list[Plot]:
    """Cut a plot in two again and again until no side is longer than a random limit.

    Parameters
    ----------
    rng
        Source of the cuts.
    plot
        What to divide; its corners are multiples of `GRID_M`, and so are those of the pieces.
    sides
        Shortest and longest side of the pieces in metres.
    """
    width, depth = plot.size
    shortest, longest = sides
    if max(width, depth) < max(float(rng.uniform(shortest, longest)), 2 * shortest):
        return [plot]
    cut = GRID_M * round(float(rng.uniform(0.36, 0.64)) * max(width, depth) / GRID_M)
    if width >= depth:
        halves = replace(plot, u1=plot.u0 + cut), replace(plot, u0=plot.u0 + cut)
    else:
        halves = replace(plot, v1=plot.v0 + cut), replace(plot, v0=plot.v0 + cut)
    return [piece for half in halves for piece in divide(rng, half, sides)]


def lay_out(
    rng: np.random.Generator,
    reach_m: float,
    estate_size: tuple[float, float],
    parcel_size: tuple[float, float],
) -> tuple[list[tuple[Plot, Plot]], NDArray[np.int32]]:
    """Divide a square about the origin of the layout's coordinates.

    Parameters
    ----------
    rng
        Source of the cuts.
    reach_m
        Half the side of the square, at least.
    estate_size, parcel_size
        Shortest and longest side of estates and parcels in metres.

    Returns
    -------
    plots
        For each parcel, its rectangle and that of the estate it lies in.
    numbers
        Number of the parcel on each square of `GRID_M`, indexed by u and v from the corner.
    """
    reach = GRID_M * -int(-reach_m // GRID_M)
    estates = divide(rng, Plot(-reach, -reach, reach, reach), estate_size)
    plots = [(plot, estate) for estate in estates for plot in divide(rng, estate, parcel_size)]
    numbers = np.zeros((2 * reach // GRID_M,) * 2, np.int32)
    for number, (plot, _) in enumerate(plots):
        u0, v0, u1, v1 = (int(side + reach) // GRID_M for side in astuple(plot))
        numbers[u0:u1, v0:v1] = number
    return plots, numbers


def assign_kinds(
    rng: np.random.Generator, plots: list[tuple[Plot, Plot]], shares: NDArray[np.float64]
) -> list[Parcel]:
    """Give every parcel a kind: one of its estate's class, with a few exceptions.

    Parameters
    ----------
    rng
        Source of the choices.
    plots
        For each parcel, its rectangle and that of the estate it lies in.
    shares
        Share of the county that each parcel covers; over these the classes are balanced.
    """
    whole: dict[Plot, float] = {}
    for (_, estate), share in zip(plots, shares, strict=True):
        whole[estate] = whole.get(estate, 0.0) + float(share)
    classes = _share_out(rng, whole)
    parcels = []
    for (plot, estate), share in zip(plots, shares, strict=True):
        land_class = classes[estate]
        if rng.random() > _NEIGHBOURLY:
            land_class = LandClass(choose(rng, CLASS_SHARES))
        kinds = [kind for kind in KINDS.values() if kind.land_class is land_class]
        kind = choose(rng, {each.name: each.weight for each in kinds})
        parcels.append(Parcel(plot, estate, kind, float(share)))
    return parcels


def _share_out(rng: np.random.Generator, estates: Mapping[Plot, float]) -> dict[Plot, LandClass]:
    """Give every estate a class, so that the classes' shares of the county come out right."""
    missing, chosen = dict(CLASS_SHARES), {}
    # Large estates first: the small ones then even out what is left over.
    for estate, share in sorted(estates.items(), key=lambda pair: -pair[1]):
        needy = max(missing, key=lambda land_class: missing[land_class] + 0.004 * rng.random())
        chosen[estate] = needy if share else LandClass(choose(rng, CLASS_SHARES))
        missing[needy] -= share
    return chosen


def change_some(
    rng: np.random.Generator, parcels: Sequence[Parcel], share: float, years: tuple[int, int]
) -> tuple[Parcel, ...]:
    """Let parcels change their class until a share of the county has changed.

    Parameters
    ----------
    rng
        Source of the choices.
    parcels
        All parcels.
    share
        Share of the county to change.
    years
        Years of the first and the last flight; changes fall between them.
    """
    first, last = years
    changed, total = list(parcels), 0.0
    for number in rng.permutation(len(parcels)):
        parcel = parcels[number]
        outcomes = TRANSITIONS[KINDS[parcel.kind].land_class]
        fits = 0 < parcel.area_share <= 1.15 * (share - total)
        if not outcomes or not fits or first == last:
            continue
        year = int(rng.integers(first + 1, last + 1))
        changed[number] = replace(parcel, change=(year, choose(rng, outcomes)))
        total += parcel.area_share
    return tuple(changed)
