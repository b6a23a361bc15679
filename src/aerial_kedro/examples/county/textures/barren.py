"""Barren: quarries, spoil heaps, sand, graded land and rock."""

# ruff: noqa: PLR2004 - the numbers are the drawing: metres, shares and shades.

from __future__ import annotations

import numpy as np

from aerial_kedro.examples.county.noise import Plane, scatter_domes, smoothstep
from aerial_kedro.examples.county.textures.site import (
    DRY,
    GREENS,
    GREYS,
    POND,
    SOILS,
    Colour,
    Site,
    Surface,
    blend,
    mix,
    pick,
    shade,
)


def _ground(site: Site) -> Colour:
    palette = SOILS if site.fixed.random() < 0.65 else GREYS
    return mix(pick(site.fixed, palette), pick(site.fixed, DRY), float(site.fixed.random() * 0.3))


def _weeds(site: Site, surface: Surface, presence: float) -> None:
    """Let a few weeds and bushes grow."""
    reach = np.float32(0.6 * site.fixed.random() ** 2)
    places = np.clip(site.noise(40) * 0.5 + reach, 0, 1) * np.float32(presence)
    plants = scatter_domes(site.fixed, site.u, site.v, (7, 7), (0.8, 2.6), density=places)
    plant = smoothstep(plants.height, 0.05, 0.4)
    blend(surface.colour, pick(site.yearly, GREENS), 0.8 * plant)
    np.maximum(surface.height, 1.2 * plant, out=surface.height)


def _tyre_tracks(site: Site, count: int) -> Plane:
    """Pairs of tyre marks that wind over the ground, 0–1."""
    marks = site.flat()
    for _ in range(count):
        lane = np.abs(site.noise(70) - np.float32(site.fixed.uniform(-0.8, 0.8)))
        marks = np.maximum(marks, smoothstep(np.abs(lane - 0.03), 0.02, 0.006))
    return marks


def quarry(site: Site) -> Surface:
    """Draw a pit in benches, with a haul road, heaps of stone and a pond at the bottom."""
    width, depth = site.size
    bowl = np.hypot(site.u / np.float32(width) - 0.5, site.v / np.float32(depth) - 0.5)
    depth_field = 2.2 * bowl + 0.26 * site.noise(70) + 0.08 * site.noise(24) + 0.02 * site.noise(8)
    benches = float(site.fixed.uniform(3, 6))
    level = depth_field * np.float32(benches)
    floor = np.floor(level)
    step = level - floor
    ground = _ground(site)
    colour = site.plain(ground)
    tone = site.fixed.uniform(0.84, 1.14, 64).astype(np.float32)
    shade(colour, tone[(floor.astype(np.int32) + 8) % 64])
    shade(colour, 1 + 0.06 * site.noise(7) + 0.05 * site.noise(2.2))
    cliff = smoothstep(step, 0.22, 0.05)
    shade(colour, 1 - 0.3 * cliff)
    blend(
        colour, (214, 206, 192, 205), 0.4 * smoothstep(step, 0.3, 0.4) * smoothstep(step, 0.6, 0.45)
    )
    road = smoothstep(np.abs(site.noise(85)), 0.09, 0.05)
    blend(colour, mix(ground, (205, 198, 184, 200), 0.6), road)
    height = np.clip(floor + smoothstep(step, 0.0, 0.25), -2, 12) * 1.5 * (1 - 0.5 * road)
    if site.fixed.random() < 0.5:
        pond = smoothstep(depth_field, 0.16, 0.12)
        blend(colour, (84, 112, 108, 50), pond)
    surface = Surface(colour, (height + 3).astype(np.float32))
    _weeds(site, surface, 0.5)
    return surface


def spoil(site: Site) -> Surface:
    """Draw ridges of overburden as a dragline leaves them."""
    period = float(site.fixed.uniform(11, 24))
    across = site.u + 7 * site.noise(45) + 1.6 * site.noise(9)
    ridge = np.abs((across / np.float32(period)) % 1 - 0.5) * 2
    crest = smoothstep(np.abs(site.noise(30)), 0.02, 1.2)
    colour = site.plain(_ground(site))
    shade(colour, 0.85 + 0.25 * ridge + 0.07 * site.noise(12) + 0.06 * site.noise(2.4))
    surface = Surface(colour, np.float32(0.2 * period) * ridge * (0.4 + 0.6 * crest))
    _weeds(site, surface, 0.6)
    return surface


def sand(site: Site) -> Surface:
    """Draw drifting sand: dunes, ripples, a few tufts."""
    lean = site.u + 0.35 * site.v + 14 * site.noise(50) + 3 * site.noise(16)
    wave = (lean / np.float32(site.fixed.uniform(18, 42))) % 1
    dune = smoothstep(wave, 0, 0.75) - smoothstep(wave, 0.8, 1.0)
    colour = site.plain(mix(pick(site.fixed, SOILS), (206, 192, 164, 205), 0.55))
    shade(colour, 0.94 + 0.1 * dune + 0.04 * site.noise(24))
    ripple = np.sin((lean + 2 * site.noise(6)) * np.float32(2 * np.pi / 5.5))
    shade(colour, 1 + 0.018 * ripple + 0.015 * site.noise(2.2))
    surface = Surface(colour, 3.2 * dune * (0.6 + 0.2 * site.noise(40)))
    _weeds(site, surface, 0.7)
    return surface


def graded(site: Site) -> Surface:
    """Draw land scraped bare for building: tyre tracks, gullies, heaps of soil."""
    ground = _ground(site)
    colour = site.plain(ground)
    blend(colour, _ground(site), 0.7 * smoothstep(site.rough((50, 18), (0.8, 0.5)), -0.2, 1.2))
    shade(colour, 1 + 0.05 * site.noise(10) + 0.05 * site.noise(2.4))
    blend(colour, mix(ground, (216, 206, 188, 205), 0.6), 0.5 * _tyre_tracks(site, 5))
    gully = smoothstep(np.abs(site.rough((30, 10), (1, 0.4))), 0.1, 0.02)
    gully *= smoothstep(site.noise(60), 0.2, 1.0)
    shade(colour, 1 - 0.3 * gully)
    heaps = scatter_domes(site.fixed, *site.warped(20, 4), (30, 30), (4, 13), presence=0.3)
    heap = np.clip(heaps.height + 0.12 * site.noise(3) * (heaps.height > 0), 0, 1)
    shade(colour, 1 + 0.12 * heap * (heaps.tint - 0.3))
    pad = (np.floor(site.u / 70) + np.floor(site.v / 55)) % 3 == 0
    blend(colour, mix(ground, (190, 184, 172, 188), 0.5), 0.3 * pad.astype(np.float32))
    surface = Surface(colour, 5 * heap)
    _weeds(site, surface, 0.4)
    return surface


def rock(site: Site) -> Surface:
    """Draw bare rock, cracked along two directions, with soil in the cracks."""
    palette = GREYS if site.fixed.random() < 0.6 else SOILS
    colour = site.plain(pick(site.fixed, palette))
    bend_u = site.u + 8 * site.noise(30) + 2 * site.noise(9)
    bend_v = site.v + 8 * site.noise(30) + 2 * site.noise(9)
    layer = site.fixed.uniform(0.86, 1.14, 128).astype(np.float32)
    bed = np.floor((bend_u + 0.4 * bend_v) / 9).astype(np.int32)
    shade(colour, layer[bed % 128])
    slab = np.minimum(np.abs(bend_u % 17 - 8), np.abs((bend_v + 0.3 * bend_u) % 23 - 11))
    crack = smoothstep(slab, 1.6, 0.3) * smoothstep(site.noise(20), -0.8, 0.4)
    blend(colour, (92, 86, 74, 100), 0.7 * crack)
    shade(colour, 1 + 0.06 * site.noise(4) + 0.05 * site.noise(2))
    wet = smoothstep(site.noise(36), 2.1, 2.3)
    blend(colour, POND, wet)
    surface = Surface(colour, np.clip(2 * site.rough((26, 8), (0.8, 0.4)) + 2, 0, 9) * (1 - crack))
    _weeds(site, surface, 0.9)
    return surface
