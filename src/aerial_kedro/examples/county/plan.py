"""The plan of the county: what lies where, in every year."""

from dataclasses import astuple, dataclass, replace
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from aerial_kedro.examples.county.frame import CRS, Frame
from aerial_kedro.examples.county.kinds import KINDS, OPEN_WATER, ROAD_CODE, LandClass
from aerial_kedro.examples.county.noise import Field, Plane
from aerial_kedro.examples.county.parcels import GRID_M, Parcel, assign_kinds, change_some, lay_out
from aerial_kedro.examples.county.settings import CountySettings

ZONE_BORDER_LON = -78.0
MIDDLE_LAT = 36.5
TO_UTM = Transformer.from_crs("EPSG:4269", CRS, always_xy=True)
_GRID_M = 224
_RULED = (LandClass.DEVELOPED, LandClass.CULTIVATED)
_UNEVEN_M = 5.0
_BEND_M = 42.0
_ROAD_CORRIDOR_M = 6.0
_RAGGED = 0.16
_INLAND_M = 30.0


@dataclass(frozen=True)
class Waters:
    """All open water of the county.

    Parameters
    ----------
    lakes
        Easting, northing and radius of each lake in metres, shape ``(lakes, 3)``.
    ragged
        Field that makes the shores ragged.
    river_easting, half_width
        Mean easting of the river, and half of its mean width in metres.
    wander
        Field whose middle column shifts the river.
    """

    lakes: NDArray[np.float64]
    ragged: Field
    river_easting: float
    half_width: float
    wander: Field

    @classmethod
    def draw(cls, rng: np.random.Generator, outer: Frame, county: Frame) -> Self:
        """Draw a river from north to south through the outer land, and lakes in the county."""
        west, south, east, north = county.bounds
        width, height = east - west, north - south
        size = float(np.clip(min(width, height) / 11, 60, 420))
        low = west + 0.06 * width, south + 0.06 * height, 0.6 * size
        high = east - 0.06 * width, north - 0.06 * height, 1.1 * size
        return cls(
            rng.uniform(low, high, (max(1, round(width * height / 9e6)), 3)),
            Field.draw(rng, outer.bounds, 130.0),
            float(rng.uniform(west + 0.35 * width, west + 0.75 * width)),
            float(np.clip(width / 130, 12, 52)),
            Field.draw(rng, outer.bounds, 900.0),
        )

    def inside(self, frame: Frame) -> Plane:
        """Distance to the shore in metres, roughly; positive in the water, negative on land.

        Farther than `_INLAND_M` from a lake it is the distance to the river, whichever is nearer.
        """
        xs, ys = frame.centres
        middle = np.array([self.river_easting])
        course = self.river_easting + 210 * self.wander.at(middle, ys)
        slope = np.gradient(course, frame.step, axis=0) if len(ys) > 1 else 0.0
        ragged = self.ragged.at(xs, ys)
        distance = self.half_width - np.abs(xs[None] - course) / np.hypot(1, slope) + 5 * ragged
        largest = 1 + _RAGGED * float(ragged.max())
        for easting, northing, radius in self.lakes:
            reach = radius * largest + _INLAND_M
            columns = np.flatnonzero(np.abs(xs - easting) < reach)
            rows = np.flatnonzero(np.abs(ys - northing) < reach)
            if not (columns.size and rows.size):
                continue
            near = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            away = np.hypot(xs[None, near[1]] - easting, ys[near[0], None] - northing)
            shore = radius * (1 + _RAGGED * ragged[near])
            np.maximum(distance[near], shore - away, out=distance[near])
        result: Plane = distance.astype(np.float32)
        return result


@dataclass(frozen=True)
class Plan:
    """What lies where.

    Parameters
    ----------
    county
        The photographed land at 1 m.
    outer
        The land that the land cover describes, at 10 m.
    angle
        Rotation of the layout about the middle of the county in radians.
    bends
        Fields that bend the layout's straight lines over the ground, along each of its axes.
    wobble
        Field that makes the borders of wild land uneven.
    layout
        Number of the parcel on each square of `GRID_M`, in layout coordinates.
    waters
        River and lakes.
    parcels
        All parcels by their number, with their changes.
    """

    county: Frame
    outer: Frame
    angle: float
    bends: tuple[Field, Field]
    wobble: Field
    layout: NDArray[np.int32]
    waters: Waters
    parcels: tuple[Parcel, ...]

    def layout_of(self, frame: Frame) -> tuple[Plane, Plane]:
        """Layout coordinates of a frame's pixels in metres, each of shape ``(rows, columns)``."""
        west, south, east, north = self.county.bounds
        xs, ys = frame.centres
        right = (xs - (west + east) / 2).astype(np.float32)[None]
        up = (ys - (south + north) / 2).astype(np.float32)[:, None]
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        u, v = (np.float32(_BEND_M) * bend.at(xs, ys) for bend in self.bends)
        return u + cos * right + sin * up, v + cos * up - sin * right

    def look_up(self, u: Plane, v: Plane) -> NDArray[np.int32]:
        """Give the number of the parcel at each place in layout coordinates."""
        half = np.float32(len(self.layout) / 2)
        row, column = (np.floor(along / GRID_M + half).astype(np.intp) for along in (u, v))
        numbers: NDArray[np.int32] = self.layout.take(row * self.layout.shape[1] + column)
        return numbers

    def numbers(self, frame: Frame) -> NDArray[np.int32]:
        """Give the number of the parcel at each pixel's centre.

        Borders are straight between fields and quarters; where one of two neighbours is wild
        land and no road lies between them, the border is uneven.
        """
        u, v = self.layout_of(frame)
        shift = np.float32(_UNEVEN_M) * self.wobble.at(*frame.centres)
        numbers, uneven = self.look_up(u, v), self.look_up(u + shift, v + shift)
        moved = numbers != uneven
        first, second = numbers[moved], uneven[moved]
        estates, wild = self._estates, self._wild
        grows = (estates[first] == estates[second]).all(axis=-1) & (wild[first] | wild[second])
        numbers[moved] = np.where(grows, second, first)
        return numbers

    def codes(self, year: int, frame: Frame) -> NDArray[np.uint8]:
        """Give the NLCD codes of the land in a year.

        Parameters
        ----------
        year
            Any year, flown or not.
        frame
            The grid; each pixel has the code of the land at its centre.

        Returns
        -------
        ndarray of uint8, shape ``(frame.rows, frame.columns)``
        """
        numbers = self.numbers(frame)
        kinds = np.array([KINDS[each.kind_in(year)].code for each in self.parcels], np.uint8)
        codes = kinds[numbers]
        u, v = self.layout_of(frame)
        u0, v0, u1, v1 = np.moveaxis(self._estates[numbers], -1, 0)
        to_road = np.minimum(np.minimum(u - u0, u1 - u), np.minimum(v - v0, v1 - v))
        codes[to_road < _ROAD_CORRIDOR_M] = ROAD_CODE
        codes[self.waters.inside(frame) > 0] = OPEN_WATER.code
        return codes

    @cached_property
    def _estates(self) -> NDArray[np.float32]:
        """Sides of each parcel's estate, in the order of `Plot`."""
        return np.array([astuple(each.estate) for each in self.parcels], np.float32)

    @cached_property
    def _wild(self) -> NDArray[np.bool_]:
        """Whether each parcel is of a class whose borders are uneven."""
        return np.array([KINDS[each.kind].land_class not in _RULED for each in self.parcels])


def county_frame(settings: CountySettings) -> Frame:
    """Place the county on both sides of the border between UTM zones 17 and 18."""
    easting, northing = TO_UTM.transform(ZONE_BORDER_LON, MIDDLE_LAT)
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
    rows, columns = (int(np.ceil((n + 2 * margin) / 10)) for n in (county.rows, county.columns))
    outer = Frame(county.west - margin, county.north + margin, 10.0, rows, columns)
    reach_m = 6.0 * float(np.hypot(rows, columns)) + 200
    plots, layout = lay_out(rng, reach_m, settings.estate_size_m, settings.parcel_size_m)
    bare = Plan(
        county,
        outer,
        float(np.radians(rng.choice([-1, 1]) * rng.uniform(6, 24))),
        (Field.draw(rng, outer.bounds, 520.0), Field.draw(rng, outer.bounds, 520.0)),
        Field.draw(rng, outer.bounds, 22.0),
        layout,
        Waters.draw(rng, outer, county),
        parcels=(),
    )
    edge = margin // 10
    inside = bare.look_up(*bare.layout_of(outer))[edge:-edge, edge:-edge]
    shares = np.bincount(inside.ravel(), minlength=len(plots)) / inside.size
    years = settings.flights[0].year, settings.flights[-1].year
    parcels = change_some(rng, assign_kinds(rng, plots, shares), settings.change_share, years)
    return replace(bare, parcels=parcels)
