"""Developed: streets, roofs, lawns and parking."""

# ruff: noqa: PLR2004 - the numbers are the drawing: metres, shares and shades.

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.county.noise import Plane, scatter_domes, smoothstep
from aerial_kedro.examples.county.textures.site import (
    GREENS,
    GREYS,
    SOILS,
    Colour,
    Site,
    Surface,
    blend,
    mix,
    pick,
    shade,
)

ROOFS: NDArray[np.float32] = np.array(
    [
        (122, 112, 106, 118),
        (150, 140, 132, 146),
        (96, 92, 92, 94),
        (142, 108, 92, 138),
        (176, 172, 166, 176),
        (206, 204, 200, 206),
        (112, 118, 128, 112),
    ],
    np.float32,
)
ASPHALT: tuple[Colour, ...] = ((112, 112, 112, 112), (132, 130, 128, 132), (150, 147, 142, 150))
CONCRETE: Colour = (186, 182, 174, 186)


@dataclass(frozen=True)
class _Lots:
    """A grid of lots along streets: where each pixel lies in its lot."""

    across: Plane
    along: Plane
    number: NDArray[np.int32]
    street: NDArray[np.bool_]
    back: NDArray[np.bool_]


def _lots(u: Plane, v: Plane, *, width: float, depth: float, street: float, block: float) -> _Lots:
    """Lay out rows of lots back to back, with streets along both ways.

    ``along`` runs from the street (0) to the back of the lot (``depth``).
    """
    pitch = 2 * depth + street
    row = np.floor(v / np.float32(pitch))
    within = v - row * np.float32(pitch)
    cross = np.floor(u / np.float32(block))
    over = u - cross * np.float32(block)
    in_street = (within < street) | (over < street)
    inside = within - np.float32(street)
    far = inside > depth
    along = np.where(far, 2 * np.float32(depth) - inside, inside)
    lane = over - np.float32(street)
    lot = np.floor(lane / np.float32(width))
    number = (lot + 31 * cross + 57 * row + 977 * far).astype(np.int64) % 4096
    return _Lots(
        (lane - lot * np.float32(width)).astype(np.float32),
        along.astype(np.float32),
        number.astype(np.int32),
        in_street,
        far,
    )


def _per_lot(site: Site, low: float, high: float) -> Plane:
    return site.fixed.uniform(low, high, 4096).astype(np.float32)


def _paint_roofs(
    site: Site, colour: NDArray[np.float32], roof: NDArray[np.bool_], number: NDArray[np.int32]
) -> None:
    """Give each lot's roof its own colour."""
    palette = ROOFS[site.fixed.integers(len(ROOFS), size=4096)]
    palette = palette * site.fixed.normal(1, 0.06, (4096, 1)).astype(np.float32)
    chosen = palette[number[roof]]
    colour[:, roof] = chosen.T


def _street_trees(site: Site, surface: Surface, keep: NDArray[np.bool_], presence: float) -> None:
    """Plant trees where nothing is built."""
    u, v = site.warped(32, 3)
    trees = scatter_domes(site.fixed, u, v, (9.5, 9.5), (1.6, 5.4), presence=presence)
    crown = smoothstep(trees.height, 0.02, 0.2) * keep
    blend(surface.colour, pick(site.yearly, GREENS), 0.95 * crown)
    shade(surface.colour, 1 + 0.2 * crown * (trees.tint - 0.5))
    np.maximum(surface.height, 8 * crown * (0.35 + trees.height), out=surface.height)


def _houses(site: Site, width: float, depth: float, street: float, trees: float) -> Surface:
    """Detached houses on lots, with driveways, lawns and trees."""
    u, v = site.warped(110, float(site.fixed.uniform(2, 14)))
    lots = _lots(
        u,
        v,
        width=width,
        depth=depth,
        street=street,
        block=width * int(site.fixed.integers(5, 10)) + street,
    )
    colour = site.plain(site.grass())
    lawn = site.yearly.uniform(0.86, 1.12, 4096).astype(np.float32)
    shade(colour, lawn[lots.number] + 0.03 * site.noise(5))
    asphalt = pick(site.fixed, ASPHALT)
    half = _per_lot(site, 0.26, 0.4)[lots.number] * np.float32(min(width, 30))
    middle = np.float32(width / 2) + _per_lot(site, -1.5, 1.5)[lots.number]
    front = _per_lot(site, 5, 10)[lots.number]
    deep = _per_lot(site, 8, 13)[lots.number]
    beside = lots.across - middle
    roof = (np.abs(beside) < half) & (lots.along > front) & (lots.along < front + deep)
    wing = _per_lot(site, -1, 1)[lots.number]
    cut = (beside * np.sign(wing) > 0.3 * half) & (lots.along > front + 0.55 * deep)
    roof &= ~(cut & (np.abs(wing) > 0.4)) & ~lots.street
    built = _per_lot(site, 0, 1)[lots.number] < 0.94
    roof &= built
    drive = (np.abs(beside - 0.6 * half * np.sign(wing)) < 1.8) & (lots.along < front + 2) & built
    blend(colour, mix(CONCRETE, asphalt, 0.3), drive)
    blend(colour, asphalt, lots.street)
    edge = np.abs(lots.along - 0.8) < 0.7
    blend(colour, CONCRETE, 0.5 * (edge & ~lots.street).astype(np.float32))
    _paint_roofs(site, colour, roof, lots.number)
    rise = 1 - np.abs(lots.along - front - deep / 2) / deep
    surface = Surface(colour, np.where(roof, 3.2 + 3.2 * rise, 0).astype(np.float32))
    _street_trees(site, surface, ~roof & ~(lots.street & (lots.along < -2)) & ~drive, trees)
    return surface


def suburb(site: Site) -> Surface:
    """Draw detached houses among lawns and trees."""
    width = float(site.fixed.uniform(19, 32))
    depth = float(site.fixed.uniform(30, 44))
    return _houses(
        site, width, depth, float(site.fixed.uniform(7, 9)), site.fixed.uniform(0.2, 0.7)
    )


def rural_homes(site: Site) -> Surface:
    """Draw single houses on large lots of grass or woodland."""
    width = float(site.fixed.uniform(50, 110))
    depth = float(site.fixed.uniform(60, 120))
    return _houses(site, width, depth, 6.5, float(0.9 * site.fixed.random()))


def town(site: Site) -> Surface:
    """Draw narrow lots, large roofs, hardly any lawn."""
    width = float(site.fixed.uniform(11, 17))
    depth = float(site.fixed.uniform(19, 26))
    surface = _houses(site, width, depth, float(site.fixed.uniform(8, 11)), 0.22)
    yard = (surface.height == 0) & (site.noise(16) > 0.1)
    blend(surface.colour, pick(site.fixed, GREYS), 0.8 * yard.astype(np.float32))
    return surface


def _parking(site: Site, colour: NDArray[np.float32], area: NDArray[np.bool_]) -> Plane:
    """Rows of parked cars between painted lines; returns the height of the cars."""
    row = site.v % np.float32(17)
    stall = np.floor(site.u / np.float32(2.8)).astype(np.int32)
    number = (stall * 7 + np.floor(site.v / np.float32(8.5)).astype(np.int32) * 131) % 4096
    lines = area & (row < 11) & (np.abs(site.u % np.float32(2.8) - 1.4) > 1.1)
    blend(colour, (176, 176, 170, 176), 0.35 * lines.astype(np.float32))
    taken = site.yearly.random(4096) < site.yearly.uniform(0.2, 0.8)
    inside = (np.abs(site.u % np.float32(2.8) - 1.4) < 0.95) & (np.abs(row % 5.5 - 2.7) < 2.2)
    car = area & (row < 11) & inside & taken[number]
    paint = site.yearly.choice([60, 90, 130, 205, 225, 150], 4096).astype(np.float32)
    colour[:, car] = paint[number[car]][None] * np.float32(0.98)
    cars: Plane = np.where(car, 1.5, 0).astype(np.float32)
    return cars


def commercial(site: Site) -> Surface:
    """Draw halls and shops with flat roofs, loading yards and parking."""
    pitch = float(site.fixed.uniform(75, 130))
    lots = _lots(site.u, site.v, width=pitch, depth=0.62 * pitch, street=9, block=3 * pitch + 9)
    colour = site.plain(pick(site.fixed, ASPHALT))
    shade(colour, 1 + 0.04 * site.noise(12) + 0.03 * site.noise(3))
    asphalt = pick(site.fixed, ASPHALT)
    half = _per_lot(site, 0.24, 0.42)[lots.number] * np.float32(pitch)
    front = _per_lot(site, 12, 30)[lots.number]
    end = _per_lot(site, 0.5, 0.6)[lots.number] * np.float32(pitch)
    beside = lots.across - np.float32(pitch / 2)
    roof = (np.abs(beside) < half) & (lots.along > front) & (lots.along < end) & ~lots.street
    green = (~roof) & ~lots.street & (_per_lot(site, 0, 1)[lots.number] < 0.3)
    blend(colour, site.grass(), 0.9 * (green & (lots.along < 10)).astype(np.float32))
    blend(colour, asphalt, lots.street)
    cars = _parking(site, colour, (~roof) & (~lots.street) & (lots.along > 2))
    _paint_roofs(site, colour, roof, lots.number)
    seams = roof & (np.abs(lots.across % 12 - 6) < 0.6)
    shade(colour, 1 - 0.08 * seams)
    units = scatter_domes(site.fixed, lots.across, lots.along, (16, 14), (1.0, 1.8), presence=0.35)
    unit = roof & (units.height > 0.2)
    blend(colour, CONCRETE, unit)
    height = np.where(roof, 8 + 1.5 * unit, cars).astype(np.float32)
    surface = Surface(colour, height)
    _street_trees(site, surface, ~roof & ~lots.street & (lots.along < 4), 0.35)
    return surface


def campus(site: Site) -> Surface:
    """Draw large lawns with paths, ball fields, a few large buildings and trees."""
    pitch = float(site.fixed.uniform(80, 120))
    u, v = site.warped(160, 6)
    lots = _lots(u, v, width=pitch, depth=0.6 * pitch, street=6, block=2 * pitch + 6)
    colour = site.plain(site.grass())
    shade(colour, 1 + 0.03 * site.noise(18) + 0.03 * np.sign(np.sin(u * np.float32(0.8))))
    use = _per_lot(site, 0, 1)[lots.number]
    beside = lots.across - np.float32(pitch / 2)
    long = _per_lot(site, 14, 30)[lots.number]
    back = lots.along - np.float32(0.32 * pitch)
    bar = (np.abs(beside) < long) & (np.abs(back) < 8)
    wing = (np.abs(np.abs(beside) - long + 6) < 6) & (np.abs(back) < 18)
    roof = (bar | wing) & (use < 0.5) & ~lots.street
    home = np.hypot(beside, back + 14)
    diamond = (use > 0.68) & (home < 40) & (back + 14 > np.abs(beside))
    infield = diamond & (home < 27) & (np.maximum(np.abs(beside), np.abs(back)) > 6)
    blend(colour, pick(site.fixed, SOILS), infield.astype(np.float32))
    paths = np.minimum(np.abs(beside - back), np.abs(beside + back)) < 1.2
    blend(colour, CONCRETE, 0.8 * (paths & ~diamond).astype(np.float32))
    lot = (use > 0.5) & (use < 0.68) & (np.abs(back) < 24)
    blend(colour, pick(site.fixed, ASPHALT), lot | lots.street)
    cars = _parking(site, colour, lot & ~lots.street)
    _paint_roofs(site, colour, roof, lots.number)
    surface = Surface(colour, np.where(roof, 9, cars).astype(np.float32))
    _street_trees(site, surface, ~roof & ~lots.street & ~lot & ~diamond, 0.22)
    return surface
