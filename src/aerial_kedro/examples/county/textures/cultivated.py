"""Cultivated: rows, strips, furrows, circles, orchards and hay."""

# ruff: noqa: PLR2004 - the numbers are the drawing: metres, shares and shades.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.county.noise import Plane, scatter_domes, smoothstep
from aerial_kedro.examples.county.textures.site import (
    DRY,
    GREENS,
    SOILS,
    Colour,
    Site,
    Surface,
    blend,
    mix,
    pick,
    shade,
)


def _crop(site: Site) -> Colour:
    """Pick this year's colour of a crop: green, ripe or stubble."""
    stage = site.yearly.random()
    if stage < 0.3 + 0.4 * site.greenness:
        return pick(site.yearly, GREENS)
    return mix(pick(site.yearly, DRY), pick(site.yearly, GREENS), float(site.yearly.random() * 0.5))


def _across(site: Site) -> Plane:
    """Coordinate across the rows: along one side of the field, or a little askew."""
    angle = float(site.fixed.normal(0, 0.04)) + (np.pi / 2 if site.fixed.random() < 0.5 else 0)
    across: Plane = np.float32(np.cos(angle)) * site.u + np.float32(np.sin(angle)) * site.v
    return across


def _rows(across: Plane, period: float) -> Plane:
    """Stripes between -1 and 1."""
    rows: Plane = np.sin(across * np.float32(2 * np.pi / period))
    return rows


def _field(site: Site, crop: Colour, across: Plane, period: float, depth: float) -> Surface:
    """Draw a crop in rows, with tramlines, soil showing through, and headlands."""
    colour = site.plain(crop)
    soil = pick(site.fixed, SOILS)
    growth = site.rough((60, 25), (0.7, 0.4))
    blend(colour, soil, 0.35 * smoothstep(growth, 0.6, 2.0))
    blend(colour, mix(crop, soil, 0.7), np.float32(depth) * (0.5 + 0.5 * _rows(across, period)))
    width = float(site.yearly.choice([18, 24, 36]))
    tram = np.abs(np.abs(across % np.float32(width) - width / 2) - 1.0) < 0.5
    blend(colour, soil, 0.55 * tram.astype(np.float32))
    shade(colour, 1 + 0.02 * site.yearly_noise(5))
    edge = _edge_distance(site)
    head = edge < float(site.yearly.uniform(8, 14))
    around = 0.5 + 0.5 * _rows(edge, period)
    blend(colour, mix(crop, soil, 0.5), np.where(head, 0.4 * around, 0).astype(np.float32))
    return Surface(colour, site.flat())


def _edge_distance(site: Site) -> Plane:
    """Distance to the nearest side of the parcel in metres."""
    width, depth = site.size
    distance: Plane = np.minimum(
        np.minimum(site.u, np.float32(width) - site.u),
        np.minimum(site.v, np.float32(depth) - site.v),
    )
    return distance


def row_crop(site: Site) -> Surface:
    """Draw a crop in rows wide enough to see."""
    period = float(site.yearly.uniform(3.2, 7))
    depth = float(site.yearly.uniform(0.25, 0.7))
    return _field(site, _crop(site), _across(site), period, depth)


def ploughed(site: Site) -> Surface:
    """Draw bare soil in furrows, darker where it is wet."""
    across = _across(site)
    colour = site.plain(pick(site.fixed, SOILS))
    wet = site.rough((70, 28), (0.8, 0.5))
    shade(colour, 1 - 0.1 * smoothstep(wet, 0, 1.5) + 0.03 * site.noise(9))
    furrow = _rows(across, float(site.yearly.uniform(3, 5.5)))
    shade(colour, 1 + np.float32(site.yearly.uniform(0.012, 0.07)) * furrow)
    passes = np.floor(across / np.float32(site.yearly.uniform(9, 16))).astype(np.int32)
    shade(colour, site.yearly.normal(1, 0.035, 128).astype(np.float32)[passes % 128])
    head = _edge_distance(site) < 10
    blend(colour, pick(site.fixed, SOILS), 0.3 * head.astype(np.float32))
    return Surface(colour, site.flat())


def strip_crop(site: Site) -> Surface:
    """Draw strips of two or three crops side by side."""
    across = _across(site) + 6 * site.noise(120)
    width = float(site.fixed.uniform(16, 40))
    strip = np.floor(across / np.float32(width)).astype(np.int32)
    surface = _field(site, _crop(site), across, float(site.yearly.uniform(3, 5)), 0.3)
    second = pick(site.yearly, SOILS) if site.yearly.random() < 0.5 else _crop(site)
    blend(surface.colour, second, 0.85 * (strip % 2 == 1).astype(np.float32))
    third = _crop(site)
    blend(surface.colour, third, 0.7 * (strip % 6 == 4).astype(np.float32))
    shade(surface.colour, 1 + 0.04 * _rows(across, 4))
    return surface


def fallow(site: Site) -> Surface:
    """Draw a field at rest: weeds, and last year's rows only just to be seen."""
    colour = site.plain(
        mix(site.grass(), pick(site.fixed, SOILS), float(site.yearly.random() * 0.5))
    )
    patches = site.yearly_noise(30) + 0.5 * site.yearly_noise(11)
    blend(colour, site.grass(), 0.7 * smoothstep(patches, -0.4, 1.2))
    shade(colour, 1 + 0.03 * site.noise(4))
    faint = np.float32(site.yearly.uniform(0.005, 0.035))
    shade(colour, 1 + faint * _rows(_across(site), float(site.yearly.uniform(4, 7))))
    weeds = scatter_domes(
        site.yearly, site.u, site.v, (9, 9), (0.7, 2.2), presence=0.3 * site.yearly.random()
    )
    weed = smoothstep(weeds.height, 0.05, 0.4)
    blend(colour, pick(site.yearly, GREENS), 0.7 * weed)
    return Surface(colour, 0.8 * weed)


def _pivot_wedges(site: Site, angle: Plane) -> NDArray[np.int32]:
    """Give the number of the sector in which each pixel lies."""
    cuts = np.sort(site.yearly.uniform(-np.pi, np.pi, int(site.yearly.integers(1, 4))))
    return np.searchsorted(cuts, angle).astype(np.int32)


def pivot(site: Site) -> Surface:
    """Draw a circle watered by a turning arm, with wheel tracks; dry corners around it."""
    width, depth = site.size
    du, dv = site.u - np.float32(width / 2), site.v - np.float32(depth / 2)
    radius = np.hypot(du, dv)
    angle = np.arctan2(dv, du)
    reach = 0.49 * min(width, depth)
    rows = radius if site.yearly.random() < 0.6 else _across(site)
    surface = _field(site, _crop(site), rows, float(site.yearly.uniform(3.5, 6)), 0.35)
    wedge = _pivot_wedges(site, angle.astype(np.float32))
    blend(surface.colour, _crop(site), np.where(wedge == 1, 0.8, 0).astype(np.float32))
    wheel = np.abs(radius % np.float32(38) - 19) < 0.9
    blend(surface.colour, pick(site.fixed, SOILS), 0.6 * wheel.astype(np.float32))
    corner = smoothstep(radius.astype(np.float32), reach - 1, reach + 1)
    blend(surface.colour, mix(pick(site.fixed, DRY), pick(site.fixed, SOILS), 0.3), corner)
    shade(surface.colour, 1 + 0.05 * corner * site.noise(8))
    arm = (np.abs(angle - site.yearly.uniform(-3, 3)) * radius < 1.2) & (radius < reach)
    blend(surface.colour, (200, 200, 200, 200), 0.6 * arm.astype(np.float32))
    return surface


def orchard(site: Site) -> Surface:
    """Draw fruit trees or vines in straight rows over grass or bare soil."""
    vines = site.fixed.random() < 0.45
    spacing = float(site.fixed.uniform(3.2, 4.5) if vines else site.fixed.uniform(6, 9))
    along = 1.6 if vines else float(site.fixed.uniform(0.7, 1)) * spacing
    floor = pick(site.fixed, SOILS) if site.fixed.random() < 0.5 else site.grass()
    colour = site.plain(floor)
    shade(colour, 1 + 0.05 * site.noise(16) + 0.03 * site.noise(3))
    size = 0.34 * spacing
    trees = scatter_domes(
        site.fixed, site.u, site.v, (spacing, along), (0.8 * size, size), jitter=0.04, presence=0.95
    )
    crown = smoothstep(trees.height, 0.05, 0.35)
    blend(colour, pick(site.yearly, GREENS), 0.92 * crown)
    alley = np.minimum(site.u % 130, site.v % 110) < 5
    blend(colour, floor, alley)
    return Surface(colour, np.where(alley, 0, (1.6 if vines else 3.6) * crown).astype(np.float32))


def hay(site: Site) -> Surface:
    """Draw hay: mown swaths in long loops, bales lying about."""
    across = _across(site) + 3 * site.noise(90)
    colour = site.plain(site.grass())
    shade(colour, 1 + 0.03 * site.noise(25) + 0.02 * site.yearly_noise(4))
    swath = _rows(across, float(site.yearly.uniform(7, 12)))
    shade(colour, 1 + np.float32(site.yearly.uniform(0.05, 0.11)) * np.tanh(3 * swath))
    bales = scatter_domes(site.yearly, site.u, site.v, (24, 18), (1.0, 1.6), presence=0.4)
    bale = smoothstep(bales.height, 0.1, 0.5)
    blend(colour, pick(site.yearly, DRY), bale)
    return Surface(colour, 1.5 * bale)


def pasture(site: Site) -> Surface:
    """Draw grazed pasture in paddocks: like a meadow, but for its fences and feeding places."""
    colour = site.plain(site.grass())
    patches = site.rough((50, 18), (0.8, 0.5))
    blend(colour, site.grass(), 0.7 * smoothstep(patches, -0.6, 1.0))
    shade(colour, 1 + 0.03 * site.noise(10) + 0.02 * site.noise(4))
    across, along = (float(site.fixed.uniform(70, 160)) for _ in range(2))
    paddock = (np.floor(site.u / across) * 7 + np.floor(site.v / along)).astype(np.int32)
    shade(colour, site.yearly.normal(1, 0.06, 64).astype(np.float32)[paddock % 64])
    fence = np.minimum(site.u % np.float32(across), site.v % np.float32(along)) < 1
    blend(colour, pick(site.fixed, SOILS), 0.35 * fence.astype(np.float32))
    lane = smoothstep(np.abs(site.noise(80)), 0.03, 0.008)
    blend(colour, pick(site.fixed, SOILS), 0.5 * lane)
    trees = scatter_domes(site.fixed, *site.warped(40, 4), (40, 40), (2, 5), presence=0.2)
    crown = smoothstep(trees.height, 0.02, 0.2)
    blend(colour, pick(site.yearly, GREENS), crown)
    return Surface(colour, 7 * crown * (0.4 + trees.height))
