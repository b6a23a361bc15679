"""The whole county in one year: painted, lit and seen from above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from aerial_kedro.examples.county.change import crop_in
from aerial_kedro.examples.county.classes import KINDS, ROAD_CODE, WATER_CODE, LandClass
from aerial_kedro.examples.county.frame import Frame
from aerial_kedro.examples.county.light import light_up
from aerial_kedro.examples.county.noise import Plane, scatter_domes, smoothstep
from aerial_kedro.examples.county.parcels import Parcel
from aerial_kedro.examples.county.patches import (
    Patch,
    extent_of,
    painting_order,
    patch_of,
    patches_of,
)
from aerial_kedro.examples.county.plan import Plan, draw_plan
from aerial_kedro.examples.county.settings import CountySettings
from aerial_kedro.examples.county.strips import paint_in_strips
from aerial_kedro.examples.county.textures import TEXTURES, Site, Surface
from aerial_kedro.examples.county.textures.site import GREENS, blend, pick
from aerial_kedro.examples.county.water import SHORE_M, draw_water_looks, open_water

HEIGHT_STEP_M = 0.2
ROAD_HALF_WIDTH_M = 4.2
_ROAD_CORRIDOR_M = 6.0
_MANY_PARCELS = 200  # with fewer, processes take longer to start than to draw
_HEDGED = (LandClass.CULTIVATED, LandClass.HERBACEOUS)
_VERGE_M = 9.0
_PURPOSES = ("layout", "season", "crop", "tint", "hedge")
_KIND_NUMBERS = {name: number for number, name in enumerate(KINDS)}


@dataclass(frozen=True)
class _Picture:
    """What is painted on a window of the county.

    Parameters
    ----------
    window
        Rows and columns in the county frame.
    mask
        The window's pixels that are painted.
    colour, height
        Red, green, blue and near infrared; heights in steps of `HEIGHT_STEP_M`.
    """

    window: tuple[slice, slice]
    mask: NDArray[np.bool_]
    colour: NDArray[np.uint8]
    height: NDArray[np.uint8]

    def paste(self, colour: NDArray[np.uint8], height: NDArray[np.uint8]) -> None:
        """Paint over the county's colours and heights."""
        np.copyto(colour[:, *self.window], self.colour, where=self.mask)
        np.copyto(height[self.window], self.height, where=self.mask)


@lru_cache(maxsize=1)
def photograph(settings: CountySettings, seed: int, year: int) -> NDArray[np.uint8]:
    """Draw the county as the year's flight sees it.

    Parameters
    ----------
    settings
        Size and make-up of the county.
    seed
        Another seed gives another county.
    year
        Year of one of the flights.

    Returns
    -------
    ndarray of uint8, shape ``(4, rows, cols)``
        Red, green, blue and near infrared at 1 m on the plan's county frame, read-only.

    Raises
    ------
    KeyError
        If there was no flight in that year.
    """
    flight = settings.flight_of(year)
    plan = draw_plan(settings, seed)
    frame = plan.county
    colour = np.zeros((4, frame.rows, frame.columns), np.uint8)
    height = np.zeros((frame.rows, frame.columns), np.uint8)
    for picture in _pictures(plan, year):
        picture.paste(colour, height)
    _paint_water(plan, year, colour, height)
    seen = light_up(colour, height, flight)
    seen.setflags(write=False)
    return seen


def paint_codes(plan: Plan, year: int, frame: Frame) -> NDArray[np.uint8]:
    """Give the NLCD codes of the land in a year.

    Parameters
    ----------
    plan
        What lies where.
    year
        Any year, flown or not.
    frame
        The grid; each pixel has the code of the land at its centre.

    Returns
    -------
    ndarray of uint8, shape ``(frame.rows, frame.columns)``
    """
    codes = np.zeros((frame.rows, frame.columns), np.uint8)
    for patch in patches_of(plan, year, frame):
        road = patch.to_road() < _ROAD_CORRIDOR_M
        values = np.where(road, ROAD_CODE, patch.kind.code).astype(np.uint8)
        np.copyto(codes[patch.window], values, where=patch.mask)

    def flood_strip(rows: slice) -> None:
        part = frame.part(rows, slice(0, frame.columns))
        codes[rows][plan.waters.inside(part) > 0] = WATER_CODE

    paint_in_strips(flood_strip, frame.rows)
    return codes


def _pictures(plan: Plan, year: int) -> Iterator[_Picture]:
    """Draw all parcels in the order in which they are painted.

    Each has random numbers of its own, so that the picture does not depend on who is first. In
    processes where there are many: Python's own share of a parcel is too large for threads.
    """
    parcels = painting_order(plan, year)
    draw = delayed(_draw_parcel)
    pool = Parallel(n_jobs=1 if len(parcels) < _MANY_PARCELS else -1, return_as="generator")
    calls = (draw(plan.settings, plan.seed, year, parcel) for parcel in parcels)
    return (picture for picture in pool(calls) if picture is not None)


def _draw_parcel(settings: CountySettings, seed: int, year: int, parcel: Parcel) -> _Picture | None:
    """Draw one parcel; None if it lies outside the county."""
    plan = draw_plan(settings, seed)  # drawn once in each process
    patch = patch_of(plan, parcel, year, plan.county)
    if patch is None:
        return None
    surface = _draw(plan, patch, year, settings.flight_of(year).greenness)
    return _Picture(patch.window, patch.mask, *_as_bytes(surface))


def _draw(plan: Plan, patch: Patch, year: int, greenness: float) -> Surface:
    """Draw a patch with its texture, its own tint, its hedges and its road."""
    plot = patch.parcel.plot
    site = Site(
        patch.u - np.float32(plot.u0),
        patch.v - np.float32(plot.v0),
        plot.size,
        _rng(plan, patch, year, "layout"),
        _rng(plan, patch, year, "season"),
        greenness,
    )
    name = crop_in(_rng(plan, patch, year, "crop"), patch.kind.name)
    drawn = TEXTURES[name](site)
    tinted = _tint(drawn.colour, _rng(plan, patch, year, "tint"))
    surface = Surface(tinted, drawn.height)
    if patch.kind.land_class in _HEDGED:
        _paint_hedge(plan, patch, year, surface)
    _paint_road(patch.to_road(), surface)
    return surface


def _rng(plan: Plan, patch: Patch, year: int, purpose: str) -> np.random.Generator:
    """Random numbers of a parcel for one purpose; the layout is the same in every year."""
    number = _PURPOSES.index(purpose)
    kind = _KIND_NUMBERS[patch.kind.name]
    when = 0 if purpose == "layout" else year
    return np.random.default_rng([plan.seed, 2, patch.parcel.index, kind, when, number])


def _paint_hedge(plan: Plan, patch: Patch, year: int, surface: Surface) -> None:
    """Plant a hedge along the sides of every second field."""
    fixed = _rng(plan, patch, year, "layout")
    if fixed.random() < 0.5:  # noqa: PLR2004
        return
    wide = float(fixed.uniform(3, 8))
    presence = float(fixed.uniform(0.4, 0.95))
    trees = scatter_domes(fixed, patch.u, patch.v, (7, 7), (2, 4.6), presence=presence)
    edge = patch.parcel.plot.inside(patch.u, patch.v) < wide
    crown = smoothstep(trees.height, 0.02, 0.2) * edge
    blend(surface.colour, pick(_rng(plan, patch, year, "hedge"), GREENS), crown)
    np.copyto(surface.height, 7 * crown * (0.4 + trees.height), where=crown > 0)


def _paint_road(to_road: Plane, surface: Surface) -> None:
    """Paint this side's half of the road between two estates: verge, asphalt, middle line."""
    if float(to_road.min()) > _VERGE_M:
        return
    verge = smoothstep(to_road, _VERGE_M, _VERGE_M - 2)
    blend(surface.colour, (128, 128, 96, 140), 0.8 * verge)
    surface.height[verge > 0.5] = 0  # noqa: PLR2004
    asphalt = smoothstep(to_road, ROAD_HALF_WIDTH_M + 0.4, ROAD_HALF_WIDTH_M)
    blend(surface.colour, (144, 142, 138, 142), asphalt)
    blend(surface.colour, (196, 192, 176, 196), 0.5 * smoothstep(to_road, 0.7, 0.3))


def _tint(colour: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Give a parcel its own brightness, hue and contrast, so that colour alone tells little."""
    mean = colour.mean(axis=(1, 2), keepdims=True)
    contrast = np.float32(rng.uniform(0.34, 1.04))
    gain = np.exp(rng.normal(0, 0.13) + rng.normal(0, 0.016, (4, 1, 1))).astype(np.float32)
    result: NDArray[np.float32] = (mean + contrast * (colour - mean)) * gain
    return result


def _as_bytes(surface: Surface) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Round colours, and heights to steps of `HEIGHT_STEP_M`."""
    steps = np.clip(surface.height / np.float32(HEIGHT_STEP_M), 0, 255)
    return np.clip(surface.colour, 1, 255).astype(np.uint8), steps.astype(np.uint8)


def _paint_water(
    plan: Plan, year: int, colour: NDArray[np.uint8], height: NDArray[np.uint8]
) -> None:
    looks = draw_water_looks(
        np.random.default_rng([plan.seed, 3]),
        np.random.default_rng([plan.seed, 3, year]),
        plan.county,
    )

    def paint_strip(rows: slice) -> None:
        inside = plan.waters.inside(plan.county.part(rows, slice(0, plan.county.columns)))
        extent = extent_of(inside > -SHORE_M)
        if extent is None:
            return
        columns = extent[1]
        shores = inside[:, columns]
        surface = open_water(shores, plan.county.part(rows, columns), looks)
        reach = np.float32(-SHORE_M) + 7 * (1 - (shores > -1))
        covered = shores > np.minimum(reach, -2)
        _Picture((rows, columns), covered, *_as_bytes(surface)).paste(colour, height)

    paint_in_strips(paint_strip, plan.county.rows)
