"""Herbaceous: grassland, meadow and marsh."""

# ruff: noqa: PLR2004 - the numbers are the drawing: metres, shares and shades.

from __future__ import annotations

import numpy as np

from aerial_kedro.examples.county.noise import Plane, scatter_domes, smoothstep
from aerial_kedro.examples.county.textures.site import (
    DRY,
    GREENS,
    POND,
    SOILS,
    Site,
    Surface,
    blend,
    mix,
    pick,
    shade,
)


def _turf(site: Site, mottle: float) -> Surface:
    """Grass with soft patches of another grass."""
    colour = site.plain(site.grass())
    patches = site.rough((55, 20), (0.8, 0.5))
    blend(colour, site.grass(), 0.8 * smoothstep(patches, -0.6, 1.0))
    shade(colour, 1 + np.float32(mottle) * (site.noise(11) + 0.5 * site.noise(4)))
    return Surface(colour, site.flat())


def _trees(site: Site, surface: Surface, spacing: float, presence: float) -> None:
    """Put single trees on the grass."""
    u, v = site.warped(2 * spacing, 0.2 * spacing)
    trees = scatter_domes(site.fixed, u, v, (spacing, spacing), (2.2, 6.0), presence=presence)
    crown = smoothstep(trees.height, 0.02, 0.2)
    blend(surface.colour, pick(site.yearly, GREENS), crown)
    np.maximum(surface.height, 8 * crown * (0.4 + trees.height), out=surface.height)


def _tracks(site: Site, count: int) -> Plane:
    """Winding tracks of cattle and wheels, 0–1."""
    tracks = site.flat()
    for _ in range(count):
        level = float(site.fixed.uniform(-0.7, 0.7))
        tracks = np.maximum(
            tracks, smoothstep(np.abs(site.noise(90) - np.float32(level)), 0.035, 0.008)
        )
    return tracks


def rangeland(site: Site) -> Surface:
    """Draw open range: mottled grass, cattle tracks, a pond now and then, rarely a tree."""
    surface = _turf(site, 0.045)
    blend(surface.colour, pick(site.fixed, SOILS), 0.5 * _tracks(site, 3))
    bare = smoothstep(site.noise(34), 1.6, 2.4)
    blend(surface.colour, pick(site.fixed, SOILS), 0.6 * bare)
    pond = smoothstep(site.noise(48), 2.25, 2.4)
    blend(surface.colour, POND, pond)
    if site.fixed.random() < 0.6:
        _trees(site, surface, float(site.fixed.uniform(30, 60)), 0.25)
    tufts = scatter_domes(
        site.fixed, *site.warped(20, 2), (7, 7), (0.6, 2.0), presence=0.35 * site.fixed.random()
    )
    tuft = smoothstep(tufts.height, 0.05, 0.4)
    blend(surface.colour, pick(site.yearly, (*GREENS, *DRY)), 0.7 * tuft)
    np.maximum(surface.height, 0.9 * tuft, out=surface.height)
    return surface


def meadow(site: Site) -> Surface:
    """Draw smooth grass, mown in patches, with a wheel track along the side."""
    surface = _turf(site, 0.02)
    bands = np.floor((site.u + 14 * site.noise(80)) / np.float32(site.fixed.uniform(45, 110)))
    tone = site.yearly.uniform(0.88, 1.14, 64).astype(np.float32)
    shade(surface.colour, tone[bands.astype(np.int32) % 64])
    mown = smoothstep(site.yearly_noise(60), 0.3, 0.42)
    blend(surface.colour, pick(site.yearly, DRY), 0.45 * mown)
    drill = np.sin(site.v * np.float32(2 * np.pi / site.fixed.uniform(4, 8)))
    shade(surface.colour, 1 + np.float32(0.04 * site.fixed.random()) * drill)
    wheel = np.abs(np.abs(site.v + 3 * site.noise(60) - site.size[1] * 0.4) - 1.3) < 0.6
    blend(surface.colour, pick(site.fixed, SOILS), 0.5 * wheel.astype(np.float32))
    if site.fixed.random() < 0.4:
        _trees(site, surface, 55, 0.2)
    return surface


def savanna(site: Site) -> Surface:
    """Draw grass with trees standing far apart."""
    surface = _turf(site, 0.04)
    blend(surface.colour, pick(site.fixed, SOILS), 0.4 * _tracks(site, 1))
    _trees(site, surface, float(site.fixed.uniform(16, 26)), float(site.fixed.uniform(0.25, 0.5)))
    return surface


def marsh(site: Site) -> Surface:
    """Draw reeds and sedges cut by winding creeks and small pools."""
    surface = _turf(site, 0.03)
    blend(surface.colour, mix(pick(site.yearly, GREENS), POND, 0.3), 0.5 + site.flat())
    wander = site.rough((70, 22), (1.0, 0.35))
    creek = smoothstep(np.abs(wander), 0.12, 0.05)
    side = smoothstep(np.abs(site.rough((34, 12), (1.0, 0.3))), 0.07, 0.03)
    pools = smoothstep(site.noise(14), 1.5, 1.8)
    water = np.maximum(np.maximum(creek, 0.8 * side), pools)
    bank = smoothstep(np.abs(wander), 0.3, 0.1) - creek
    blend(surface.colour, site.grass(), 0.5 * np.clip(bank, 0, 1))
    blend(surface.colour, POND, 0.9 * water)
    return surface
