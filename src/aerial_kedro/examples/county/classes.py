"""The land classes of the county, the kinds of land in each, and their NLCD codes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
        Name of the kind, by which its texture is found.
    land_class
        Class that the kind belongs to.
    code
        NLCD code of the kind.
    weight
        How common the kind is within its class, relative to the class's other kinds.
    shortest_side_m
        Shortest side that a parcel needs for this kind.
    """

    name: str
    land_class: LandClass
    code: int
    weight: float
    shortest_side_m: float = 0.0


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("deciduous", LandClass.FOREST, 41, 0.32),
        Kind("conifer", LandClass.FOREST, 42, 0.24),
        Kind("plantation", LandClass.FOREST, 42, 0.20),
        Kind("mixed_forest", LandClass.FOREST, 43, 0.14),
        Kind("swamp_forest", LandClass.FOREST, 90, 0.10),
        Kind("scrub", LandClass.SHRUB, 52, 0.34),
        Kind("cutover", LandClass.SHRUB, 52, 0.24),
        Kind("thicket", LandClass.SHRUB, 52, 0.26),
        Kind("young_plantation", LandClass.SHRUB, 52, 0.16),
        Kind("rangeland", LandClass.HERBACEOUS, 71, 0.36),
        Kind("meadow", LandClass.HERBACEOUS, 71, 0.28),
        Kind("savanna", LandClass.HERBACEOUS, 71, 0.16),
        Kind("marsh", LandClass.HERBACEOUS, 95, 0.20),
        Kind("row_crop", LandClass.CULTIVATED, 82, 0.24),
        Kind("ploughed", LandClass.CULTIVATED, 82, 0.16),
        Kind("strip_crop", LandClass.CULTIVATED, 82, 0.12),
        Kind("fallow", LandClass.CULTIVATED, 82, 0.16),
        Kind("pivot", LandClass.CULTIVATED, 82, 0.16, shortest_side_m=220),
        Kind("orchard", LandClass.CULTIVATED, 82, 0.12),
        Kind("hay", LandClass.CULTIVATED, 81, 0.10),
        Kind("pasture", LandClass.CULTIVATED, 81, 0.18),
        Kind("quarry", LandClass.BARREN, 31, 0.28),
        Kind("spoil", LandClass.BARREN, 31, 0.18),
        Kind("sand", LandClass.BARREN, 31, 0.18),
        Kind("graded", LandClass.BARREN, 31, 0.22),
        Kind("rock", LandClass.BARREN, 31, 0.14),
        Kind("suburb", LandClass.DEVELOPED, 22, 0.30),
        Kind("town", LandClass.DEVELOPED, 23, 0.24),
        Kind("commercial", LandClass.DEVELOPED, 24, 0.24),
        Kind("rural_homes", LandClass.DEVELOPED, 21, 0.18),
        Kind("campus", LandClass.DEVELOPED, 21, 0.13),
    )
}

ROAD_CODE = 22
WATER_CODE = 11

CLASS_SHARES: dict[LandClass, float] = {
    LandClass.FOREST: 0.17,
    LandClass.CULTIVATED: 0.17,
    LandClass.DEVELOPED: 0.15,
    LandClass.HERBACEOUS: 0.17,
    LandClass.SHRUB: 0.17,
    LandClass.BARREN: 0.17,
}
"""How the land that is not water is shared out among the classes."""

TRUTH_CODES: dict[LandClass, int] = {
    land_class: number for number, land_class in enumerate(LandClass, start=1)
}
"""Values of the truth rasters; 0 is no data."""

CLASS_OF_CODE: dict[int, LandClass] = {
    **{kind.code: kind.land_class for kind in KINDS.values()},
    ROAD_CODE: LandClass.DEVELOPED,
    WATER_CODE: LandClass.WATER,
}

NLCD_COLOURS: dict[int, tuple[int, int, int, int]] = {
    11: (70, 107, 159, 255),
    12: (209, 222, 248, 255),
    21: (222, 197, 197, 255),
    22: (217, 146, 130, 255),
    23: (235, 0, 0, 255),
    24: (171, 0, 0, 255),
    31: (179, 172, 159, 255),
    41: (104, 171, 95, 255),
    42: (28, 95, 44, 255),
    43: (181, 197, 143, 255),
    51: (173, 150, 68, 255),
    52: (204, 184, 121, 255),
    71: (223, 223, 194, 255),
    72: (209, 209, 130, 255),
    73: (163, 204, 81, 255),
    74: (130, 186, 158, 255),
    81: (220, 217, 57, 255),
    82: (171, 108, 40, 255),
    90: (184, 217, 235, 255),
    95: (108, 159, 184, 255),
}
"""The colour table that NLCD rasters carry."""


def kinds_of(land_class: LandClass, shortest_side_m: float = float("inf")) -> list[Kind]:
    """Return the kinds of a class for which a parcel with this shortest side is large enough."""
    return [
        kind
        for kind in KINDS.values()
        if kind.land_class is land_class and kind.shortest_side_m <= shortest_side_m
    ]
