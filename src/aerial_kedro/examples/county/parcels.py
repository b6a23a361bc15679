"""The layout of the land: estates between roads, divided into parcels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from aerial_kedro.examples.county.classes import CLASS_SHARES, KINDS, LandClass, kinds_of
from aerial_kedro.examples.county.frame import Frame
from aerial_kedro.examples.county.noise import Field, Plane

_COARSE_M = 8.0
_NEIGHBOURLY = 0.96
"""Chance that a parcel is of its estate's class."""


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
    index
        Number of the parcel.
    plot, estate
        The parcel's rectangle, and that of the estate it lies in.
    bounds
        West, south, east and north of the ground that it covers, in metres.
    area_share
        Share of the county that it covers.
    kind
        Name of its kind before any change.
    later_kind
        Name of its kind after the change; None if it does not change.
    change_year
        First year of the later kind.
    """

    index: int
    plot: Plot
    estate: Plot
    bounds: tuple[float, float, float, float]
    area_share: float
    kind: str
    later_kind: str | None = None
    change_year: int | None = None

    def kind_in(self, year: int) -> str:
        """Name of the parcel's kind in a year."""
        if self.later_kind is None or self.change_year is None or year < self.change_year:
            return self.kind
        return self.later_kind


@dataclass(frozen=True)
class Bend:
    """Bends the layout's straight lines over the ground.

    Parameters
    ----------
    centre
        Easting and northing of the layout's origin.
    angle
        Rotation of the layout in radians.
    shift_u, shift_v
        Smooth displacements.
    amount
        Size of the displacements in metres.
    """

    centre: tuple[float, float]
    angle: float
    shift_u: Field
    shift_v: Field
    amount: float

    def layout(self, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> tuple[Plane, Plane]:
        """Layout coordinates of the grid of ``xs`` and ``ys``, shape ``(len(ys), len(xs))``."""
        east = (xs - self.centre[0]).astype(np.float32)[None]
        north = (ys - self.centre[1]).astype(np.float32)[:, None]
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        amount = np.float32(self.amount)
        u = cos * east + sin * north + amount * self.shift_u.at(xs, ys)
        v = cos * north - sin * east + amount * self.shift_v.at(xs, ys)
        return u, v


def draw_bend(rng: np.random.Generator, bounds: tuple[float, float, float, float]) -> Bend:
    """Draw how the layout lies over some bounds."""
    west, south, east, north = bounds
    return Bend(
        centre=((west + east) / 2, (south + north) / 2),
        angle=float(np.radians(rng.choice([-1, 1]) * rng.uniform(6, 24))),
        shift_u=Field.draw(rng, bounds, 520.0),
        shift_v=Field.draw(rng, bounds, 520.0),
        amount=42.0,
    )


def divide(rng: np.random.Generator, plot: Plot, sides: tuple[float, float]) -> list[Plot]:
    """Cut a plot in two again and again until no side is longer than a random limit.

    Parameters
    ----------
    rng
        Source of the cuts.
    plot
        What to divide.
    sides
        Shortest and longest side of the pieces in metres.
    """
    width, depth = plot.size
    shortest, longest = sides
    if max(width, depth) < max(float(rng.uniform(shortest, longest)), 2 * shortest):
        return [plot]
    cut = float(rng.uniform(0.36, 0.64))
    if width >= depth:
        middle = plot.u0 + cut * width
        halves = replace(plot, u1=middle), replace(plot, u0=middle)
    else:
        middle = plot.v0 + cut * depth
        halves = replace(plot, v1=middle), replace(plot, v0=middle)
    return [piece for half in halves for piece in divide(rng, half, sides)]


def lay_out(
    rng: np.random.Generator,
    bend: Bend,
    outer: Frame,
    county: Frame,
    *,
    estate_size: tuple[float, float],
    parcel_size: tuple[float, float],
) -> tuple[Parcel, ...]:
    """Divide the land into parcels and give each a kind.

    Parameters
    ----------
    rng
        Source of every choice.
    bend
        How the layout lies on the ground.
    outer
        All the land to cover.
    county
        The part of it over which the classes are balanced.
    estate_size, parcel_size
        Shortest and longest sides in metres.
    """
    reach = 0.6 * float(np.hypot(*np.subtract(outer.bounds[2:], outer.bounds[:2]))) + 200
    estates = divide(rng, Plot(-reach, -reach, reach, reach), estate_size)
    pieces = [
        (number, plot)
        for number, estate in enumerate(estates)
        for plot in divide(rng, estate, parcel_size)
    ]
    places = _places(bend, [plot for _, plot in pieces], outer, county)
    estate_shares = np.zeros(len(estates))
    for index, (_, share) in places.items():
        estate_shares[pieces[index][0]] += share
    classes = _share_out(rng, estate_shares)
    favourites = [_draw_kind(rng, land_class, float("inf")) for land_class in classes]
    parcels = []
    for index, (bounds, share) in places.items():
        number, plot = pieces[index]
        kind = _parcel_kind(rng, classes[number], favourites[number], min(plot.size))
        parcels.append(Parcel(index, plot, estates[number], bounds, share, kind))
    return tuple(parcels)


def _places(
    bend: Bend, plots: list[Plot], outer: Frame, county: Frame
) -> dict[int, tuple[tuple[float, float, float, float], float]]:
    """Bounds on the ground of each plot there, and its share of the county."""
    west, south, east, north = outer.bounds
    coarse = Frame(
        west,
        north,
        _COARSE_M,
        int(np.ceil((north - south) / _COARSE_M)),
        int(np.ceil((east - west) / _COARSE_M)),
    )
    u, v = bend.layout(coarse.xs, coarse.ys)
    start = min(plot.u0 for plot in plots), min(plot.v0 for plot in plots)
    size = int((max(plot.u1 for plot in plots) - start[0]) / 4) + 2
    numbers = np.zeros((size, size), np.int32)
    for number, plot in enumerate(plots, start=1):
        u0, v0, u1, v1 = (
            round((value - start[axis % 2]) / 4)
            for axis, value in enumerate((plot.u0, plot.v0, plot.u1, plot.v1))
        )
        numbers[u0:u1, v0:v1] = number
    ground = numbers[((u - start[0]) / 4).astype(np.intp), ((v - start[1]) / 4).astype(np.intp)]
    window = coarse.window(county.bounds)
    inside = np.bincount(ground[window].ravel(), minlength=len(plots) + 1) / ground[window].size
    places = {}
    for number, found in enumerate(ndimage.find_objects(ground), start=1):
        if found is None:
            continue
        rows, columns = found
        bounds = (
            west + (columns.start - 4) * _COARSE_M,
            north - (rows.stop + 4) * _COARSE_M,
            west + (columns.stop + 4) * _COARSE_M,
            north - (rows.start - 4) * _COARSE_M,
        )
        places[number - 1] = (bounds, float(inside[number]))
    return places


def _share_out(rng: np.random.Generator, shares: NDArray[np.float64]) -> list[LandClass]:
    """Give every estate a class, so that the classes' shares of the county come out right."""
    missing = dict(CLASS_SHARES)
    chosen = [LandClass.FOREST] * len(shares)
    # Large estates first: the small ones then even out what is left over.
    order = np.lexsort((rng.random(len(shares)), -np.round(shares * 60)))
    for number in order:
        needy = max(missing, key=lambda land_class: missing[land_class] + 0.004 * rng.random())
        if shares[number] == 0:
            needy = list(CLASS_SHARES)[int(rng.integers(len(CLASS_SHARES)))]
        chosen[number] = needy
        missing[needy] -= shares[number]
    return chosen


def _parcel_kind(
    rng: np.random.Generator, land_class: LandClass, favourite: str, shortest_side: float
) -> str:
    if rng.random() > _NEIGHBOURLY:
        shares = np.array(list(CLASS_SHARES.values()))
        land_class = list(CLASS_SHARES)[int(rng.choice(len(shares), p=shares / shares.sum()))]
    fits = KINDS[favourite].shortest_side_m <= shortest_side
    if KINDS[favourite].land_class is land_class and fits and rng.random() < 0.5:  # noqa: PLR2004
        return favourite
    return _draw_kind(rng, land_class, shortest_side)


def _draw_kind(rng: np.random.Generator, land_class: LandClass, shortest_side: float) -> str:
    kinds = kinds_of(land_class, shortest_side)
    weights = np.array([kind.weight for kind in kinds])
    return kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))].name
