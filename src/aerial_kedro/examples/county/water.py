"""River and lakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.county.frame import Frame
from aerial_kedro.examples.county.noise import Field, Plane, smoothstep
from aerial_kedro.examples.county.textures.site import Colour, Surface, blend, pick, shade

WATERS: tuple[Colour, ...] = (
    (46, 62, 72, 28),
    (58, 76, 78, 34),
    (84, 96, 88, 42),
    (112, 106, 86, 58),
)
BEACH: Colour = (190, 176, 148, 188)
REEDS: Colour = (104, 112, 76, 150)
SHALLOWS: Colour = (142, 132, 108, 90)
SHORE_M = 9.0


@dataclass(frozen=True)
class Lake:
    """A lake with a ragged shore."""

    easting: float
    northing: float
    radius: float


@dataclass(frozen=True)
class Waters:
    """All open water of the county.

    Parameters
    ----------
    lakes
        The lakes.
    ragged
        Field that makes the lakes' shores ragged.
    river_easting, wander
        Mean easting of the river, and the field whose middle column shifts it.
    half_width
        Mean half width of the river in metres.
    """

    lakes: tuple[Lake, ...]
    ragged: Field
    river_easting: float
    wander: Field
    half_width: float

    def inside(self, frame: Frame) -> Plane:
        """Distance to the shore in metres, roughly; positive in the water."""
        xs, ys = frame.xs, frame.ys
        wander = self.wander.at(np.array([self.river_easting]), ys)
        course = self.river_easting + 210 * wander[:, 0]
        narrow = self.wander.at(np.array([self.river_easting + 3000.0]), ys)[:, 0]
        half = self.half_width * (1 + 0.28 * np.clip(narrow, -2, 2))
        slope = np.sqrt(1 + np.gradient(course, frame.step) ** 2) if len(ys) > 1 else 1.0
        ragged = self.ragged.at(xs, ys)
        across = np.abs(xs[None] - course[:, None]) / np.asarray(slope).reshape(-1, 1)
        distance = (half[:, None] - across).astype(np.float32) + 5 * ragged
        for lake in self.lakes:
            away = np.hypot(xs[None] - lake.easting, ys[:, None] - lake.northing)
            shore = lake.radius * (1 + np.float32(0.16) * ragged)
            distance = np.maximum(distance, (shore - away).astype(np.float32))
        result: Plane = distance.astype(np.float32)
        return result


def draw_waters(rng: np.random.Generator, outer: Frame, county: Frame) -> Waters:
    """Draw a river from north to south, and lakes beside it."""
    west, south, east, north = county.bounds
    width, height = east - west, north - south
    count = max(1, round(width * height / 9e6))
    size = float(np.clip(min(width, height) / 11, 60, 420))
    lakes = tuple(
        Lake(
            float(rng.uniform(west + 0.06 * width, east - 0.06 * width)),
            float(rng.uniform(south + 0.06 * height, north - 0.06 * height)),
            float(size * rng.uniform(0.6, 1.1)),
        )
        for _ in range(count)
    )
    return Waters(
        lakes,
        Field.draw(rng, outer.bounds, 130.0),
        float(rng.uniform(west + 0.35 * width, west + 0.75 * width)),
        Field.draw(rng, (west, *outer.bounds[1:2], east + 4000, outer.bounds[3]), 900.0),
        float(np.clip(width / 130, 12, 52)),
    )


@dataclass(frozen=True)
class WaterLooks:
    """How the water looks in one year.

    Parameters
    ----------
    clear, murky
        Two colours of water between which the county's waters lie.
    mixture, shoals, ripples, reeds
        Fields over the county: which of the two waters, how deep, how rough, what shore.
    """

    clear: Colour
    murky: Colour
    mixture: Field
    shoals: Field
    ripples: Field
    reeds: Field


def draw_water_looks(
    fixed: np.random.Generator, yearly: np.random.Generator, county: Frame
) -> WaterLooks:
    """Draw this year's looks of the water; shoals and reeds stay the same over the years."""
    bounds = county.bounds
    return WaterLooks(
        clear=pick(yearly, WATERS[:2]),
        murky=pick(yearly, WATERS[2:]),
        mixture=Field.draw(fixed, bounds, 800.0),
        shoals=Field.draw(fixed, bounds, 45.0),
        ripples=Field.draw(yearly, bounds, 7.0),
        reeds=Field.draw(fixed, bounds, 30.0),
    )


def open_water(inside: Plane, frame: Frame, looks: WaterLooks) -> Surface:
    """Draw water and its shores.

    Parameters
    ----------
    inside
        Distance to the shore in metres, positive in the water.
    frame
        Where the pixels lie.
    looks
        Colours and fields of the year.
    """
    xs, ys = frame.xs, frame.ys
    colour: NDArray[np.float32] = np.empty((4, *inside.shape), np.float32)
    colour[:] = np.asarray(looks.clear, np.float32)[:, None, None]
    shoals = looks.shoals.at(xs, ys)
    blend(colour, looks.murky, smoothstep(looks.mixture.at(xs, ys), -0.8, 0.8))
    blend(colour, SHALLOWS, 0.6 * smoothstep(inside + 6 * shoals, 26, 0))
    shade(colour, 1 + 0.03 * shoals + 0.03 * looks.ripples.at(xs, ys))
    bank = smoothstep(inside, 1.5, -0.5)
    reeds = smoothstep(looks.reeds.at(xs, ys), -0.3, 0.2)
    blend(colour, BEACH, bank * (1 - reeds))
    blend(colour, REEDS, bank * reeds)
    shade(colour, 1 + 0.06 * bank * looks.ripples.at(xs, ys))
    return Surface(colour, (1.2 * bank * reeds).astype(np.float32))
