"""The land classes of the county, their shares, and the colours of NLCD codes."""

from __future__ import annotations

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

# fmt: off
NLCD_COLOURS: dict[int, tuple[int, int, int, int]] = {
    11: (70, 107, 159, 255), 12: (209, 222, 248, 255), 21: (222, 197, 197, 255),
    22: (217, 146, 130, 255), 23: (235, 0, 0, 255), 24: (171, 0, 0, 255),
    31: (179, 172, 159, 255), 41: (104, 171, 95, 255), 42: (28, 95, 44, 255),
    43: (181, 197, 143, 255), 51: (173, 150, 68, 255), 52: (204, 184, 121, 255),
    71: (223, 223, 194, 255), 72: (209, 209, 130, 255), 73: (163, 204, 81, 255),
    74: (130, 186, 158, 255), 81: (220, 217, 57, 255), 82: (171, 108, 40, 255),
    90: (184, 217, 235, 255), 95: (108, 159, 184, 255),
}
# fmt: on
"""The colour table that NLCD rasters carry."""
