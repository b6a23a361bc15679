"""The plan of the county: what lies where, in every year."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pyproj import Transformer

from aerial_kedro.examples.county.change import change_some
from aerial_kedro.examples.county.frame import Frame
from aerial_kedro.examples.county.noise import Field
from aerial_kedro.examples.county.parcels import Bend, Parcel, draw_bend, lay_out
from aerial_kedro.examples.county.settings import CountySettings
from aerial_kedro.examples.county.water import Waters, draw_waters

CRS = "EPSG:26918"
WEST_CRS = "EPSG:26917"
ZONE_BORDER_LON = -78.0
MIDDLE_LAT = 36.5
_GRID_M = 224


@dataclass(frozen=True)
class Plan:
    """What lies where.

    Parameters
    ----------
    settings, seed
        What the plan was drawn from.
    county
        The photographed land at 1 m.
    outer
        The land that the land cover describes, at 10 m.
    bend
        How the layout lies on the ground.
    wobble
        Field that makes the borders of wild land uneven.
    parcels
        All parcels, with their changes.
    waters
        River and lakes.
    """

    settings: CountySettings
    seed: int
    county: Frame
    outer: Frame
    bend: Bend
    wobble: Field
    parcels: tuple[Parcel, ...]
    waters: Waters


def county_frame(settings: CountySettings) -> Frame:
    """Place the county on both sides of the border between UTM zones 17 and 18."""
    to_utm = Transformer.from_crs("EPSG:4269", CRS, always_xy=True)
    easting, northing = to_utm.transform(ZONE_BORDER_LON, MIDDLE_LAT)
    west = _GRID_M * round((easting - settings.west_share * settings.width_m) / _GRID_M)
    south = _GRID_M * round((northing - settings.height_m / 2) / _GRID_M)
    return Frame(west, south + settings.height_m, 1.0, settings.height_m, settings.width_m)


@lru_cache(maxsize=2)
def draw_plan(settings: CountySettings, seed: int) -> Plan:
    """Draw the plan of the county.

    Parameters
    ----------
    settings
        Size and make-up of the county.
    seed
        Another seed gives another county.
    """
    rng = np.random.default_rng([seed, 1])
    county = county_frame(settings)
    margin = 10 * -(-settings.land_cover_margin_m // 10)
    west, south, east, north = county.bounds
    outer = Frame(
        west - margin,
        north + margin,
        10.0,
        int(np.ceil((north - south + 2 * margin) / 10)),
        int(np.ceil((east - west + 2 * margin) / 10)),
    )
    bend = draw_bend(rng, outer.bounds)
    parcels = lay_out(
        rng,
        bend,
        outer,
        county,
        estate_size=settings.estate_size_m,
        parcel_size=settings.parcel_size_m,
    )
    years = settings.flights[0].year, settings.flights[-1].year
    return Plan(
        settings,
        seed,
        county,
        outer,
        bend,
        Field.draw(rng, outer.bounds, 22.0),
        change_some(rng, parcels, settings.change_share, years),
        draw_waters(rng, outer, county),
    )
