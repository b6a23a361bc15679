"""Colours of the ground, and the inks that mix them anew for every piece of land."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float, float]
"""Red, green, blue and near infrared, 0–255."""
Palette = tuple[Colour, ...]
Span = float | tuple[float, float]
"""A number, or the range from which every piece of land draws its own."""


def draw(rng: np.random.Generator, span: Span) -> float:
    """Draw a number from a span; a number stays as it is."""
    return float(rng.uniform(*span)) if isinstance(span, tuple) else span


@dataclass(frozen=True)
class Ink:
    """A colour that every piece of land mixes anew.

    Parameters
    ----------
    palette
        Colours of which one is chosen.
    second
        Colours of which one is mixed in; empty if none is.
    share
        Share of the second colour; None if it lies about the greenness of the year.
    yearly
        Whether the colour is mixed anew every year.
    spread
        Standard deviation of each band around the chosen colour, relative to it.
    """

    palette: Palette
    second: Palette = ()
    share: Span | None = 0.0
    yearly: bool = False
    spread: float = 0.02


# fmt: off
_GREENS: Palette = (
    (84, 108, 70, 155), (100, 122, 76, 165), (70, 92, 62, 140), (118, 134, 86, 170),
    (92, 112, 88, 150),
)
_DRY: Palette = (
    (164, 150, 114, 150), (182, 166, 128, 165), (146, 134, 102, 140), (132, 130, 96, 145),
    (172, 152, 122, 150),
)
_SOILS: Palette = (
    (160, 118, 90, 135), (134, 106, 86, 115), (192, 174, 146, 188), (168, 156, 140, 165),
    (120, 102, 88, 108),
)
_GREYS: Palette = (
    (142, 140, 136, 142), (164, 162, 158, 164), (118, 118, 118, 120), (184, 181, 174, 184),
)
_CANOPY: Palette = (
    (86, 108, 68, 160), (104, 122, 76, 170), (72, 96, 66, 145), (128, 124, 84, 150),
    (96, 104, 84, 140),
)
_NEEDLES: Palette = (
    (70, 88, 66, 120), (58, 76, 60, 110), (88, 98, 76, 125),
)
_BUSHES: Palette = (
    (92, 100, 72, 130), (104, 104, 80, 125), (84, 96, 70, 140), (112, 116, 84, 145),
)
ROOFS: Palette = (
    (122, 112, 106, 118), (150, 140, 132, 146), (96, 92, 92, 94), (142, 108, 92, 138),
    (176, 172, 166, 176), (206, 204, 200, 206), (112, 118, 128, 112),
)
# fmt: on

GRASS = Ink(_DRY, _GREENS, share=None, yearly=True)
LEAVES = Ink(_GREENS, yearly=True)
STRAW = Ink(_DRY, yearly=True)
CANOPY = Ink(_CANOPY, yearly=True)
NEEDLES = Ink(_NEEDLES, yearly=True)
PLANTED = Ink(_NEEDLES, _GREENS, share=(0, 0.6), yearly=True)
BUSHES = Ink(_BUSHES, yearly=True)
UNDERGROWTH = Ink(((62, 68, 52, 90),), _GREENS, share=(0.1, 0.4))
SOIL = Ink(_SOILS)
POOR_SOIL = Ink(_SOILS, (*_DRY, *_GREENS), share=(0.2, 0.9))
SUBSOIL = Ink((*_SOILS, *_SOILS, *_GREYS), _DRY, share=(0, 0.3))
SAND = Ink(_SOILS, ((206, 192, 164, 205),), share=0.55)
STONE = Ink((*_SOILS, *_GREYS, *_GREYS))
DUST = Ink(((214, 206, 190, 205),), _SOILS, share=(0.2, 0.6))
CRACK = Ink(((92, 86, 74, 100),))
SLASH = Ink(((132, 120, 108, 110),))
SEDGE = Ink(((74, 90, 70, 90),), _GREENS, share=(0.4, 0.9), yearly=True)
POND = Ink(((62, 74, 72, 40),))
ASPHALT = Ink(((112, 112, 112, 112), (132, 130, 128, 132), (150, 147, 142, 150)))
CONCRETE = Ink(((186, 182, 174, 186),))
LIGHT_CARS = Ink(((205, 203, 200, 205), (225, 223, 220, 225), (150, 147, 145, 150)), yearly=True)
DARK_CARS = Ink(((60, 60, 62, 60), (90, 88, 88, 90), (130, 60, 56, 120)), yearly=True)
YARD = Ink(_GREYS)
ROAD = Ink(((144, 142, 138, 142),), spread=0)
ROAD_VERGE = Ink(((128, 128, 96, 140),), spread=0)
ROAD_PAINT = Ink(((196, 192, 176, 196),), spread=0)
CLEAR_WATER = Ink(((46, 62, 72, 28), (58, 76, 78, 34)), yearly=True)
MURKY_WATER = Ink(((84, 96, 88, 42), (112, 106, 86, 58)), yearly=True)
SHALLOWS = Ink(((142, 132, 108, 90),))
BEACH = Ink(((190, 176, 148, 188),))
REEDS = Ink(((104, 112, 76, 150),))
