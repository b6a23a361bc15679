"""Forest: closed crowns of several kinds."""

# ruff: noqa: PLR2004 - the numbers are the drawing: metres, shares and shades.

from __future__ import annotations

import numpy as np

from aerial_kedro.examples.county.noise import Plane, scatter_domes, smoothstep
from aerial_kedro.examples.county.textures.site import (
    GREENS,
    POND,
    Colour,
    Site,
    Surface,
    blend,
    mix,
    pick,
    shade,
)

CANOPY: tuple[Colour, ...] = (
    (86, 108, 68, 160),
    (104, 122, 76, 170),
    (72, 96, 66, 145),
    (128, 124, 84, 150),
    (96, 104, 84, 140),
)
NEEDLES: tuple[Colour, ...] = (
    (70, 88, 66, 120),
    (58, 76, 60, 110),
    (88, 98, 76, 125),
)
UNDERGROWTH: Colour = (62, 68, 52, 90)


def _stand(
    site: Site,
    places: tuple[Plane, Plane],
    *,
    spacing: tuple[float, float],
    radius: tuple[float, float],
    colours: tuple[Colour, Colour],
    top_m: float,
    gaps: float,
) -> Surface:
    """Crowns over undergrowth; ``gaps`` is the share of the places without a tree."""
    thin = smoothstep(site.noise(26), 1.2, 2.2)
    trees = scatter_domes(
        site.fixed, *places, spacing, radius, density=np.float32(1 - gaps) * (1 - 0.9 * thin)
    )
    colour = site.plain(mix(UNDERGROWTH, site.grass(), 0.3))
    crown = smoothstep(trees.height, 0.02, 0.2)
    blend(colour, colours[0], crown)
    blend(colour, colours[1], crown * smoothstep(trees.tint, 0.5, 0.9))
    leaves = site.noise(2.4)
    shade(colour, 0.86 + 0.28 * trees.tint + 0.09 * leaves * crown)
    stand = 1 + 0.12 * site.noise(45) + 0.3 * (trees.tint - 0.5)
    height = np.float32(top_m) * crown * (0.45 + 0.55 * trees.height) * stand
    return Surface(colour, height + 0.5 * leaves * crown)


def deciduous(site: Site) -> Surface:
    """Draw broadleaved forest: large round crowns of many greens."""
    spacing = float(site.fixed.uniform(6.5, 12))
    u, v = site.warped(2.5 * spacing, 0.16 * spacing)
    first, second = pick(site.yearly, CANOPY), pick(site.yearly, CANOPY)
    radius = (0.42 * spacing, 0.7 * spacing)
    top = float(site.fixed.uniform(9, 17))
    gaps = float(0.04 + 0.45 * site.fixed.random() ** 3)
    return _stand(
        site,
        (u, v),
        spacing=(spacing, spacing),
        radius=radius,
        colours=(first, second),
        top_m=top,
        gaps=gaps,
    )


def conifer(site: Site) -> Surface:
    """Draw natural conifers: small, dark, tall crowns close together."""
    spacing = float(site.fixed.uniform(4.2, 6))
    u, v = site.warped(3 * spacing, 0.16 * spacing)
    first, second = pick(site.yearly, NEEDLES), pick(site.yearly, NEEDLES)
    radius = (0.4 * spacing, 0.66 * spacing)
    top = float(site.fixed.uniform(9, 18))
    return _stand(
        site,
        (u, v),
        spacing=(spacing, spacing),
        radius=radius,
        colours=(first, second),
        top_m=top,
        gaps=0.1,
    )


def plantation(site: Site) -> Surface:
    """Draw planted pines in rows, some thinned, crossed by a firebreak."""
    spacing = float(site.fixed.uniform(4.4, 6.5))
    u, v = site.warped(70, 2.5)
    first = mix(pick(site.yearly, NEEDLES), pick(site.yearly, GREENS), site.fixed.uniform(0, 0.6))
    radius = (0.45 * spacing, 0.66 * spacing)
    top = float(site.fixed.uniform(6, 13))
    along = 0.7 * spacing
    stand = _stand(
        site,
        (u, v),
        spacing=(spacing, along),
        radius=radius,
        colours=(first, first),
        top_m=top,
        gaps=0.12,
    )
    lane = np.abs((u % np.float32(site.fixed.uniform(70, 160))) - 20) < 3
    blend(stand.colour, site.grass(), lane)
    stand.height[lane] = 0
    return stand


def mixed_forest(site: Site) -> Surface:
    """Draw broadleaves and conifers together, in patches."""
    spacing = float(site.fixed.uniform(5.5, 9))
    u, v = site.warped(2.5 * spacing, 0.16 * spacing)
    radius = (0.36 * spacing, 0.68 * spacing)
    top = float(site.fixed.uniform(9, 17))
    first, second = pick(site.yearly, CANOPY), pick(site.yearly, NEEDLES)
    stand = _stand(
        site,
        (u, v),
        spacing=(spacing, spacing),
        radius=radius,
        colours=(first, second),
        top_m=top,
        gaps=0.12,
    )
    needles = smoothstep(site.noise(40), 0.2, 1.0) * 0.6
    blend(stand.colour, second, np.where(stand.height > 1, needles, 0))
    return stand


def swamp_forest(site: Site) -> Surface:
    """Draw forest that stands in water: open crowns, dark pools between them."""
    spacing = float(site.fixed.uniform(6, 9.5))
    u, v = site.warped(2.5 * spacing, 0.16 * spacing)
    wet = smoothstep(site.noise(30), 0.2, 1.2)
    trees = scatter_domes(
        site.fixed,
        u,
        v,
        (spacing, spacing),
        (0.35 * spacing, 0.62 * spacing),
        density=0.92 - 0.45 * wet,
    )
    colour = site.plain(UNDERGROWTH)
    blend(colour, POND, wet)
    crown = smoothstep(trees.height, 0.02, 0.2)
    blend(colour, pick(site.yearly, CANOPY), crown)
    blend(colour, pick(site.yearly, NEEDLES), crown * smoothstep(trees.tint, 0.5, 0.9))
    shade(colour, 0.86 + 0.28 * trees.tint)
    return Surface(colour, np.float32(11) * crown * (0.5 + 0.5 * trees.height))
