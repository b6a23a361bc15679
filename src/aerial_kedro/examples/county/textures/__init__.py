"""How each kind of land looks from above: one module for each land class."""

from __future__ import annotations

from collections.abc import Callable

from aerial_kedro.examples.county.textures import (
    barren,
    cultivated,
    developed,
    forest,
    herbaceous,
    shrub,
)
from aerial_kedro.examples.county.textures.site import Site, Surface

TEXTURES: dict[str, Callable[[Site], Surface]] = {
    texture.__name__: texture
    for texture in (
        forest.deciduous,
        forest.conifer,
        forest.plantation,
        forest.mixed_forest,
        forest.swamp_forest,
        shrub.scrub,
        shrub.cutover,
        shrub.thicket,
        shrub.young_plantation,
        herbaceous.rangeland,
        herbaceous.meadow,
        herbaceous.savanna,
        herbaceous.marsh,
        cultivated.row_crop,
        cultivated.ploughed,
        cultivated.strip_crop,
        cultivated.fallow,
        cultivated.pivot,
        cultivated.orchard,
        cultivated.hay,
        cultivated.pasture,
        barren.quarry,
        barren.spoil,
        barren.sand,
        barren.graded,
        barren.rock,
        developed.suburb,
        developed.town,
        developed.commercial,
        developed.rural_homes,
        developed.campus,
    )
}
"""Texture of every kind in ``classes.KINDS``, by the kind's name."""

__all__ = ["TEXTURES", "Site", "Surface"]
