"""How each kind of land looks from above: one table of layers for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from aerial_kedro.examples.county import colours as ink
from aerial_kedro.examples.county.canvas import Axis, band, noise, spots, stripes, winding
from aerial_kedro.examples.county.colours import Ink, Span
from aerial_kedro.examples.county.layers import Coat, Dots, Layer, Lots

Layers = tuple[Layer, ...]


class LandClass(StrEnum):
    """Land classes, as a user of the product names them."""

    BARREN = "Barren"
    CULTIVATED = "Cultivated"
    DEVELOPED = "Developed"
    FOREST = "Forest"
    HERBACEOUS = "Herbaceous"
    SHRUB = "Shrub"
    WATER = "Water"


@dataclass(frozen=True)
class Kind:
    """One kind of land: how a class can look.

    Parameters
    ----------
    name
        Name of the kind.
    land_class
        Class that the kind belongs to.
    code
        NLCD code of the kind.
    weight
        How common the kind is within its class, relative to the class's other kinds.
    ground
        Colour of the ground.
    layers
        What is painted over the ground, from the bottom up.
    """

    name: str
    land_class: LandClass
    code: int
    weight: float
    ground: Ink
    layers: Layers


def _mottle(*scales: tuple[float, float]) -> Coat:
    """Lighter and darker spots of these sizes in metres, with the amplitude of each."""
    return Coat(noise(*scales))


def _stand(first: Ink, second: Ink, spacing: Span, top_m: Span, presence: Span) -> Layers:
    """Crowns close together, with gaps."""
    radius = (0.42, 0.7)
    trees = Dots(first, spacing, radius, top_m, presence, clump=((26, 0.14),), second=second)
    return (trees, _mottle((45, 0.03), (2.4, 0.06)))


def _trees(spacing: Span, radius: tuple[float, float], presence: Span) -> Dots:
    """Single trees."""
    return Dots(ink.LEAVES, spacing, radius, 8, presence)


def _bushes(
    spacing: Span, radius: tuple[float, float], presence: Span, rows: Span | None = None
) -> Dots:
    """Bushes, denser here and thinner there."""
    return Dots(ink.BUSHES, spacing, radius, 2.4, presence, ((30, 0.28),), rows=rows)


def _weeds(presence: Span) -> Dots:
    """Tufts here and there."""
    return Dots(ink.LEAVES, 7, (0.1, 0.34), 1.2, presence, ((40, 0.1),))


def _rows(period: Span, depth: Span, axis: Axis = "across") -> Layers:
    """Rows of a crop, thin in places, with tramlines and headlands."""
    return (
        Coat(spots(60, 0.6, 2.0), ink.SOIL, 0.35),
        Coat(stripes(axis, period), amount=depth, yearly=True),
        Coat(stripes(axis, (18, 36), "line", 0.05), ink.SOIL, (0.1, 0.5), yearly=True),
        Coat(noise((5, 0.02)), yearly=True),
        Coat(band("edge", 12, 11), ink.SOIL, (0.1, 0.3), yearly=True),
    )


_TURF = Coat(spots(55, -0.6, 1.0), ink.GRASS, 0.8)
_TRACKS = Coat(winding(90, 0.035, 3), ink.SOIL, 0.5)
_CRACKED = ((30.0, 8.0), (9.0, 2.0))

# A table reads best with a row for each layer.
# fmt: off
_FOREST = (
    Kind("deciduous", LandClass.FOREST, 41, 0.32, ink.UNDERGROWTH,
         _stand(ink.CANOPY, ink.CANOPY, (6.5, 12), (9, 17), (0.6, 0.96))),
    Kind("conifer", LandClass.FOREST, 42, 0.24, ink.UNDERGROWTH,
         _stand(ink.NEEDLES, ink.NEEDLES, (4.2, 6), (9, 18), 0.9)),
    Kind("plantation", LandClass.FOREST, 42, 0.20, ink.UNDERGROWTH, (
         Coat(stripes("u", (70, 160), "line", 0.05), ink.GRASS, clears=True),
         Dots(ink.PLANTED, (4.4, 6.5), (0.45, 0.66), (6, 13), 0.88, ((26, 0.1),), rows=0.7),
         _mottle((45, 0.03), (2.4, 0.06)))),
    Kind("mixed_forest", LandClass.FOREST, 43, 0.14, ink.UNDERGROWTH,
         _stand(ink.CANOPY, ink.NEEDLES, (5.5, 9), (9, 17), 0.88)),
    Kind("swamp_forest", LandClass.FOREST, 90, 0.10, ink.UNDERGROWTH, (
         Coat(spots(30, 0.2, 1.2), ink.POND),
         *_stand(ink.CANOPY, ink.NEEDLES, (6, 9.5), 11, 0.7))),
)
_SHRUB = (
    Kind("scrub", LandClass.SHRUB, 52, 0.34, ink.POOR_SOIL, (
         _mottle((18, 0.06), (3, 0.05)), Coat(winding(60, 0.09), ink.SOIL, 0.6, clears=True),
         _bushes((4.5, 9), (0.16, 0.5), (0.25, 0.6)))),
    Kind("cutover", LandClass.SHRUB, 52, 0.24, ink.POOR_SOIL, (
         _mottle((14, 0.07), (2.5, 0.06)),
         Coat(stripes("u", (16, 30), "line", 0.12, ((60, 5), (8, 2))), ink.SLASH, 0.75,
              only=spots(25, -1.0, 0.2), height_m=1.2),
         Coat(winding(55, 0.06), ink.SOIL, 0.8, clears=True),
         _bushes((3.2, 5), (0.2, 0.55), 0.5), _trees(26, (0.1, 0.2), 0.16))),
    Kind("thicket", LandClass.SHRUB, 52, 0.26, ink.GRASS, (
         _mottle((9, 0.06), (2, 0.03)),
         Dots(ink.BUSHES, (2.6, 3.8), (0.3, 0.66), 2.6, (0.3, 0.7), ((38, 0.6),)))),
    Kind("young_plantation", LandClass.SHRUB, 52, 0.16, ink.POOR_SOIL, (
         _mottle((20, 0.07), (2.5, 0.04)),
         _bushes((4, 6), (0.2, 0.45), 0.75, (0.7, 0.8)), _bushes(7, (0.12, 0.36), 0.3))),
)
_HERBACEOUS = (
    Kind("rangeland", LandClass.HERBACEOUS, 71, 0.36, ink.GRASS, (
         _TURF, _mottle((11, 0.045), (4, 0.022)), _TRACKS,
         Coat(spots(34, 1.6, 2.4), ink.SOIL, 0.6),
         Coat(spots(48, 2.1, 2.25), ink.POND, clears=True),
         _trees((30, 60), (0.06, 0.12), (0, 0.25)), _weeds((0, 0.3)))),
    Kind("meadow", LandClass.HERBACEOUS, 71, 0.28, ink.GRASS, (
         _TURF, _mottle((11, 0.02), (4, 0.01)),
         Coat(stripes("u", (45, 110), "tones", wander=((80, 14),)), amount=0.12, yearly=True),
         Coat(spots(60, 0.3, 0.42), ink.STRAW, 0.45, yearly=True),
         Coat(stripes("v", (4, 8)), amount=(0, 0.06)), _trees(55, (0.05, 0.1), (0, 0.15)))),
    Kind("savanna", LandClass.HERBACEOUS, 71, 0.16, ink.GRASS, (
         _TURF, _mottle((11, 0.04), (4, 0.02)), _TRACKS,
         _trees((16, 26), (0.1, 0.3), (0.25, 0.5)))),
    Kind("marsh", LandClass.HERBACEOUS, 95, 0.20, ink.SEDGE, (
         _TURF, _mottle((11, 0.03), (4, 0.015)),
         Coat(winding(60, 0.12), ink.POND, 0.9), Coat(winding(34, 0.08), ink.POND, 0.75),
         Coat(spots(14, 1.5, 1.8), ink.POND, 0.9))),
)
_CULTIVATED = (
    Kind("row_crop", LandClass.CULTIVATED, 82, 0.24, ink.GRASS, _rows((3.2, 7), (0.025, 0.12))),
    Kind("ploughed", LandClass.CULTIVATED, 82, 0.16, ink.SOIL, (
         Coat(spots(70, 0, 1.5), amount=-0.1), _mottle((9, 0.03)),
         Coat(stripes("across", (3, 5.5)), amount=(0.015, 0.07), yearly=True),
         Coat(stripes("across", (9, 16), "tones"), amount=0.06, yearly=True),
         Coat(band("edge", 11, 10), ink.SOIL, 0.3))),
    Kind("strip_crop", LandClass.CULTIVATED, 82, 0.12, ink.GRASS, (
         *_rows((3, 5), 0.06),
         Coat(stripes("across", (12, 30), "some", 0.5, ((120, 4),)), ink.GRASS, 0.85),
         Coat(stripes("across", (12, 30), "some", 0.2, ((120, 4),)), ink.SOIL, 0.7, yearly=True),
         Coat(stripes("across", 4), amount=0.04))),
    Kind("fallow", LandClass.CULTIVATED, 82, 0.16, ink.POOR_SOIL, (
         Coat(spots(30, -0.4, 1.2), ink.GRASS, 0.7, yearly=True), _mottle((4, 0.03)),
         Coat(stripes("across", (4, 7)), amount=(0, 0.03), yearly=True),
         _weeds((0, 0.25)))),
    Kind("pivot", LandClass.CULTIVATED, 82, 0.16, ink.GRASS, (
         *_rows((3.5, 6), 0.07, "radius"),
         Coat(stripes("radius", 38, "line", 0.05), ink.SOIL, 0.6),
         Coat(band("rim", 1, -1), ink.POOR_SOIL))),
    Kind("orchard", LandClass.CULTIVATED, 82, 0.12, ink.POOR_SOIL, (
         _mottle((16, 0.05), (3, 0.03)),
         Coat(stripes("u", 130, "line", 0.04), amount=0.05, clears=True),
         Dots(ink.LEAVES, (3.4, 9), (0.27, 0.36), (1.6, 3.6), 0.95, rows=(0.6, 1)))),
    Kind("hay", LandClass.CULTIVATED, 81, 0.10, ink.GRASS, (
         _mottle((25, 0.03)), Coat(noise((4, 0.02)), yearly=True),
         Coat(stripes("across", (7, 12), "swath", wander=((90, 3),)), amount=(0.05, 0.1)),
         Dots(ink.STRAW, 20, (0.05, 0.08), 1.5, 0.4))),
    Kind("pasture", LandClass.CULTIVATED, 81, 0.26, ink.GRASS, (
         _TURF, _mottle((10, 0.03), (4, 0.02)),
         Coat(stripes("u", (70, 160), "tones"), amount=0.06, yearly=True),
         Coat(stripes("u", (70, 160), "line", 0.015), ink.SOIL, (0, 0.35)),
         Coat(stripes("v", (70, 160), "line", 0.015), ink.SOIL, (0, 0.35)),
         _trees(40, (0.05, 0.12), 0.2))),
)
_BARREN = (
    Kind("quarry", LandClass.BARREN, 31, 0.28, ink.SUBSOIL, (
         Coat(stripes("pit", 24, "tones"), amount=0.13), _mottle((7, 0.06), (2.2, 0.05)),
         Coat(stripes("pit", 24, "dune"), amount=0.2, height_m=4),
         Coat(stripes("pit", 24, "line", 0.3), ink.DUST, 0.35),
         Coat(winding(85, 0.09), ink.DUST, clears=True),
         Coat(band("pit", 16, 12), ink.POND, chance=0.5, clears=True), _weeds((0, 0.12)))),
    Kind("spoil", LandClass.BARREN, 31, 0.18, ink.SUBSOIL, (
         Coat(stripes("u", (11, 24), "ridge", wander=((45, 7), (9, 1.6))), amount=0.25,
              only=spots(30, -2, 0), height_m=3.6),
         _mottle((12, 0.07), (2.4, 0.06)), _weeds((0, 0.15)))),
    Kind("sand", LandClass.BARREN, 31, 0.18, ink.SAND, (
         Coat(stripes("u", (18, 42), "dune", wander=((50, 14), (16, 3))), amount=0.1,
              height_m=2.2),
         Coat(stripes("u", 5.5, wander=((50, 10), (6, 2))), amount=0.02),
         _mottle((24, 0.04), (2.2, 0.015)), _weeds((0, 0.15)))),
    Kind("graded", LandClass.BARREN, 31, 0.22, ink.SUBSOIL, (
         Coat(spots(50, -0.2, 1.2), ink.SUBSOIL, 0.7), _mottle((10, 0.05), (2.4, 0.05)),
         Coat(winding(70, 0.025, 5), ink.DUST, 0.5),
         Coat(winding(30, 0.1), amount=-0.3, only=spots(60, 0.2, 1)),
         Coat(spots(13, 1.4, 2.4), amount=0.1, height_m=4), _weeds((0, 0.08)))),
    Kind("rock", LandClass.BARREN, 31, 0.14, ink.STONE, (
         Coat(stripes("u", 9, "tones", wander=_CRACKED), amount=0.13),
         Coat(stripes("u", 17, "line", 0.12, _CRACKED), ink.CRACK, 0.7, spots(20, -0.8, 0.4)),
         Coat(stripes("v", 23, "line", 0.1, _CRACKED), ink.CRACK, 0.7, spots(20, -0.8, 0.4)),
         _mottle((4, 0.06), (2, 0.05)), Coat(spots(26, -1, 2), amount=0.05, height_m=6),
         Coat(spots(36, 1.9, 2.1), ink.POND), _weeds((0, 0.15)))),
)
_DEVELOPED = (
    Kind("suburb", LandClass.DEVELOPED, 22, 0.30, ink.GRASS, (
         _mottle((5, 0.03)),
         Lots((19, 32), (30, 44), (7, 9), 7, (0.26, 0.4), (0.15, 0.28), (0.24, 0.36), 4,
              drive_m=1.8, bend_m=(2, 14)),
         _trees(9.5, (0.17, 0.55), (0.2, 0.7)))),
    Kind("town", LandClass.DEVELOPED, 23, 0.24, ink.GRASS, (
         Coat(spots(16, 0, 0.3), ink.YARD, 0.8),
         Lots((11, 17), (19, 26), (8, 11), 8, (0.3, 0.42), (0.12, 0.25), (0.4, 0.55), 5,
              drive_m=1.4, bend_m=(2, 8)),
         _trees(9.5, (0.17, 0.5), 0.22))),
    Kind("commercial", LandClass.DEVELOPED, 24, 0.24, ink.ASPHALT, (
         _mottle((12, 0.04), (3, 0.03)),
         Lots((75, 130), (50, 80), 9, 3, (0.26, 0.42), (0.2, 0.36), (0.45, 0.6), 8),
         Dots(ink.LIGHT_CARS, 5.6, (0.2, 0.26), 1.5, (0.2, 0.7), ((40, 0.3),),
              second=ink.DARK_CARS, rows=0.55))),
    Kind("rural_homes", LandClass.DEVELOPED, 21, 0.24, ink.GRASS, (
         _mottle((18, 0.04), (5, 0.03)),
         Lots((55, 130), (60, 130), 6.5, 5, (0.09, 0.14), (0.1, 0.3), (0.11, 0.15), 4,
              built=0.5, drive_m=1.8, bend_m=(2, 14)),
         _trees(9.5, (0.17, 0.55), (0.05, 0.8)))),
    Kind("campus", LandClass.DEVELOPED, 21, 0.13, ink.GRASS, (
         _mottle((18, 0.03)), Coat(stripes("u", 8), amount=0.03),
         Coat(stripes("u", 60, "line", 0.04, ((50, 8),)), ink.CONCRETE, 0.8, clears=True),
         Lots((80, 120), (50, 72), 6, 2, (0.2, 0.34), (0.25, 0.4), (0.3, 0.45), 9,
              built=0.55, bend_m=6),
         _trees(9.5, (0.17, 0.55), 0.22))),
)
OPEN_WATER = Kind("open_water", LandClass.WATER, 11, 1.0, ink.CLEAR_WATER, (
    Coat(spots(800, -0.8, 0.8), ink.MURKY_WATER),
    Coat(band("edge", 26, 0), ink.SHALLOWS, 0.6),
    _mottle((45, 0.03)), Coat(noise((7, 0.03)), yearly=True),
    Coat(band("edge", 1.5, -0.5), ink.BEACH),
    Coat(band("edge", 1.5, -0.5), ink.REEDS, only=spots(30, -0.3, 0.2), height_m=1.2)))
# fmt: on
HEDGE = Coat(band("edge", 6, 4), ink.LEAVES, only=spots(5, -0.9, 0.2), height_m=5, chance=0.5)
"""A hedge along the sides of every second field or meadow."""
ROAD: Layers = (
    Coat(band("road", 9, 7), ink.ROAD_VERGE, 0.8, clears=True),
    Coat(band("road", 4.6, 4.2), ink.ROAD),
    Coat(band("road", 0.7, 0.3), ink.ROAD_PAINT, 0.5),
)
"""This side's half of the road between two estates: verge, asphalt, middle line."""
ROAD_CODE = 22
ROTATION = {"row_crop": 0.42, "ploughed": 0.24, "strip_crop": 0.16, "fallow": 0.18}
"""Kinds of field that follow one another on the same parcel, with no change of class."""

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (*_FOREST, *_SHRUB, *_HERBACEOUS, *_CULTIVATED, *_BARREN, *_DEVELOPED)
}

CLASS_OF_CODE: dict[int, LandClass] = {
    **{kind.code: kind.land_class for kind in (*KINDS.values(), OPEN_WATER)},
    ROAD_CODE: LandClass.DEVELOPED,
}


def choose(rng: np.random.Generator, weights: Mapping[Any, float]) -> str:
    """Choose one of the names by their weights."""
    chances = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=chances / chances.sum()))
