"""Shrub: bushes, thickets and young trees over open ground."""

from __future__ import annotations

import numpy as np

from aerial_kedro.examples.county.noise import scatter_domes, smoothstep
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

BUSHES: tuple[Colour, ...] = (
    (92, 100, 72, 130),
    (104, 104, 80, 125),
    (84, 96, 70, 140),
    (112, 116, 84, 145),
)


def _ground(site: Site) -> Colour:
    return mix(
        pick(site.fixed, SOILS),
        mix(pick(site.yearly, DRY), site.grass(), 0.5),
        float(site.fixed.uniform(0.2, 0.9)),
    )


def scrub(site: Site) -> Surface:
    """Draw bushes scattered over pale dry ground, denser in hollows, with washes between them."""
    spacing = float(site.fixed.uniform(4.5, 9))
    u, v = site.warped(2.5 * spacing, 0.4 * spacing)
    hollow = site.rough((70, 24), (0.7, 0.5))
    density = np.clip(0.45 + 0.3 * hollow + site.fixed.uniform(-0.25, 0.15), 0.02, 0.95)
    bushes = scatter_domes(
        site.fixed,
        u,
        v,
        (spacing, spacing),
        (0.16 * spacing, 0.5 * spacing),
        density=density.astype(np.float32),
    )
    colour = site.plain(_ground(site))
    shade(colour, 1 + 0.06 * site.noise(18) + 0.05 * site.noise(3))
    wash = smoothstep(np.abs(site.noise(60)), 0.09, 0.02)
    blend(colour, pick(site.fixed, SOILS), 0.6 * wash)
    cover = smoothstep(bushes.height, 0.03, 0.25) * (1 - wash)
    blend(colour, pick(site.yearly, BUSHES), 0.9 * cover)
    shade(colour, 1 + 0.16 * cover * (bushes.tint - 0.5))
    return Surface(colour, np.float32(2.4) * cover * (0.4 + bushes.height))


def cutover(site: Site) -> Surface:
    """Draw cut forest growing back: windrows of slash, skid trails, a few trees left standing."""
    u, v = site.warped(60, 5)
    period = float(site.fixed.uniform(16, 30))
    windrow = smoothstep(np.abs((u + 2 * site.noise(8)) % period - 8), 2.6, 0.8)
    windrow *= smoothstep(site.noise(25), -1.0, 0.2)
    colour = site.plain(_ground(site))
    shade(colour, 1 + 0.07 * site.noise(14) + 0.06 * site.noise(2.5))
    spacing = float(site.fixed.uniform(3.2, 5))
    density = np.clip(0.5 + 0.3 * site.noise(22), 0.05, 0.95).astype(np.float32)
    bushes = scatter_domes(
        site.fixed, u, v, (spacing, spacing), (0.2 * spacing, 0.55 * spacing), density=density
    )
    cover = smoothstep(bushes.height, 0.05, 0.3)
    blend(colour, pick(site.yearly, BUSHES), 0.85 * cover)
    blend(colour, (132, 120, 108, 110), 0.75 * windrow)
    trees = scatter_domes(site.fixed, u, v, (26, 26), (2.5, 5), presence=0.16)
    crown = smoothstep(trees.height, 0.02, 0.2)
    blend(colour, pick(site.yearly, GREENS), crown)
    trail = smoothstep(np.abs(site.noise(55)), 0.06, 0.015)
    blend(colour, pick(site.fixed, SOILS), 0.8 * trail * (1 - crown))
    height = np.maximum(1.4 * cover * (0.3 + bushes.height), 1.2 * windrow)
    return Surface(colour, np.maximum(height * (1 - trail), 9 * crown * (0.5 + trees.height)))


def thicket(site: Site) -> Surface:
    """Draw a patchwork of dense low scrub and grassy openings."""
    patches = site.rough((38, 14), (0.75, 0.45))
    lift = float(site.fixed.uniform(-0.35, 0.25))
    dense = smoothstep(patches, lift - 0.12, lift + 0.25)
    spacing = float(site.fixed.uniform(2.6, 3.8))
    u, v = site.warped(3 * spacing, 0.4 * spacing)
    bushes = scatter_domes(
        site.fixed,
        u,
        v,
        (spacing, spacing),
        (0.3 * spacing, 0.66 * spacing),
        density=0.05 + 0.9 * dense,
    )
    colour = site.plain(site.grass())
    shade(colour, 1 + 0.06 * site.noise(9) + 0.03 * site.noise(2))
    cover = smoothstep(bushes.height, 0.03, 0.25)
    blend(colour, pick(site.yearly, BUSHES), 0.9 * cover)
    shade(colour, 1 + 0.2 * cover * (bushes.tint - 0.5))
    return Surface(colour, np.float32(2.6) * cover * (0.4 + bushes.height))


def young_plantation(site: Site) -> Surface:
    """Draw saplings in rows, too small yet to be a forest."""
    spacing = float(site.fixed.uniform(4, 6))
    u, v = site.warped(70, 4)
    colour = site.plain(_ground(site))
    shade(colour, 1 + 0.07 * site.noise(20) + 0.04 * site.noise(2.5))
    furrow = smoothstep(np.abs(u % np.float32(spacing) - spacing / 2), 1.2, 0.2)
    shade(colour, 1 - 0.08 * furrow)
    bushes = scatter_domes(
        site.fixed,
        u,
        v,
        (spacing, 0.7 * spacing),
        (0.16 * spacing, site.fixed.uniform(0.3, 0.52) * spacing),
        jitter=0.15,
        density=np.clip(0.75 + 0.25 * site.noise(25), 0, 1).astype(np.float32),
    )
    cover = smoothstep(bushes.height, 0.05, 0.4)
    blend(colour, pick(site.yearly, BUSHES), 0.9 * cover)
    weeds = scatter_domes(site.fixed, u, v, (7, 7), (0.8, 2.6), presence=0.3)
    tuft = smoothstep(weeds.height, 0.05, 0.4)
    blend(colour, pick(site.yearly, BUSHES), 0.7 * tuft)
    return Surface(colour, 2.0 * np.maximum(cover, 0.6 * tuft))
