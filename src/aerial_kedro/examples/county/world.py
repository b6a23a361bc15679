"""The whole county in one year: painted, lit and seen from above."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import ndimage

from aerial_kedro.examples.county.canvas import Axis, Canvas
from aerial_kedro.examples.county.frame import paint_in_strips
from aerial_kedro.examples.county.kinds import (
    HEDGE,
    KINDS,
    OPEN_WATER,
    ROAD,
    ROTATION,
    Kind,
    LandClass,
    choose,
)
from aerial_kedro.examples.county.noise import Plane
from aerial_kedro.examples.county.plan import Plan, draw_plan
from aerial_kedro.examples.county.settings import CountySettings, Flight

HEIGHT_STEP_M = 0.2
_SHORE_M = 2.0
_MANY_PIECES = 200  # with fewer, processes take longer to start than to draw
_ROADSIDE_M = 9.0
_HEDGED = (LandClass.CULTIVATED, LandClass.HERBACEOUS)
_KIND_NUMBERS = {name: number for number, name in enumerate(KINDS)}
_APRON = 34
_LONGEST_SHADOW_M = 24
_BLUR = (0.2, 0.6, 0.2)
_SHADOW_LIGHT = np.array([0.46, 0.5, 0.58, 0.42], np.float32)
"""What is left of the light in the shadow: the blue sky's."""
Window = tuple[slice, slice]
"""Rows and columns of the county."""


@lru_cache(maxsize=1)
def photograph(settings: CountySettings, seed: int, flight: Flight) -> NDArray[np.uint8]:
    """Draw the county as a flight sees it.

    Parameters
    ----------
    settings
        Size and make-up of the county.
    seed
        Another seed gives another county.
    flight
        Gives the year, how green it is and the place of the sun.

    Returns
    -------
    ndarray of uint8, shape ``(4, rows, cols)``
        Red, green, blue and near infrared at 1 m on the plan's county frame, read-only.
    """
    plan = draw_plan(settings, seed)
    colour = np.zeros((4, plan.county.rows, plan.county.columns), np.uint8)
    height = np.zeros(colour.shape[1:], np.uint8)
    pieces = list(_pieces(plan))
    # In processes where there are many: Python's own share of a piece is too large for threads.
    # Each has random numbers of its own, so that the picture does not depend on who is first.
    pool = Parallel(n_jobs=1 if len(pieces) < _MANY_PIECES else -1, return_as="generator")
    drawn = pool(
        delayed(_paint)(settings, seed, flight, parcel, window) for parcel, window, _ in pieces
    )
    for (_, window, mask), (its_colour, its_height) in zip(pieces, drawn, strict=True):
        np.copyto(colour[:, *window], its_colour, where=mask)
        np.copyto(height[window], its_height, where=mask)
    seen = light_up(colour, height, flight)
    seen.setflags(write=False)
    return seen


def _pieces(plan: Plan) -> Iterator[tuple[int | None, Window, NDArray[np.bool_]]]:
    """Find the pixels of all waters, the largest pieces of work, and then of all parcels.

    Gives the number of the parcel (None for water), its window, and which pixels there are its own.
    """
    frame = plan.county
    numbers = np.zeros((frame.rows, frame.columns), np.int32)
    wet = np.zeros(numbers.shape, np.bool_)

    def find_strip(rows: slice) -> None:
        part = frame.part(rows, slice(0, frame.columns))
        wet[rows] = plan.waters.inside(part) > -_SHORE_M
        numbers[rows] = np.where(wet[rows], 0, plan.numbers(part) + 1)

    paint_in_strips(find_strip, frame.rows)
    for labels, is_water in ((ndimage.label(wet)[0], True), (numbers, False)):
        for label, window in enumerate(ndimage.find_objects(labels), start=1):
            if window is not None:
                yield None if is_water else label - 1, window, labels[window] == label


def _paint(
    settings: CountySettings, seed: int, flight: Flight, number: int | None, window: Window
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Paint a parcel or water; give colours, and heights in steps of `HEIGHT_STEP_M`."""
    plan = draw_plan(settings, seed)  # drawn once in each process
    part = plan.county.part(*window)
    u, v = plan.layout_of(part)
    if number is None:
        kind, source, size = OPEN_WATER, [seed, 3, window[0].start], (1.0, 1.0)
        edge, road = plan.waters.inside(part), np.full_like(u, np.inf)
    else:
        parcel = plan.parcels[number]
        kind, size = KINDS[parcel.kind_in(flight.year)], parcel.plot.size
        source = [seed, 2, number, _KIND_NUMBERS[kind.name]]
        edge, road = parcel.plot.inside(u, v), parcel.estate.inside(u, v)
        u, v = u - np.float32(parcel.plot.u0), v - np.float32(parcel.plot.v0)
    fixed, yearly = np.random.default_rng(source), np.random.default_rng([*source, flight.year])
    axes: dict[Axis, Plane] = {"u": u, "v": v, "edge": edge, "road": road}
    canvas = Canvas(axes, size, fixed, yearly, flight.greenness)
    _cover(canvas, kind, source)
    steps = np.clip(canvas.height / np.float32(HEIGHT_STEP_M), 0, 255)
    return np.clip(canvas.colour, 1, 255).astype(np.uint8), steps.astype(np.uint8)


def _cover(canvas: Canvas, kind: Kind, source: list[int]) -> None:
    """Paint the ground, the layers of this year's kind, hedge and road."""
    drawn = KINDS[choose(canvas.yearly, ROTATION)] if kind.name in ROTATION else kind
    canvas.colour += canvas.mix(drawn.ground)[:, None, None]
    for layer in drawn.layers:
        layer(canvas)
    if kind is OPEN_WATER:
        return
    # Its own brightness, hue and contrast, so that colour alone tells little.
    rng, mean = canvas.yearly, canvas.colour.mean(axis=(1, 2), keepdims=True)
    contrast = np.float32(rng.uniform(0.3, 1.04))
    gain = np.exp(rng.normal(0, 0.17) + rng.normal(0, 0.04, (4, 1, 1))).astype(np.float32)
    canvas.colour = (mean + contrast * (canvas.colour - mean)) * gain
    canvas.fixed = np.random.default_rng(source)  # so that hedges stay, whatever the crop
    if kind.land_class in _HEDGED:
        HEDGE(canvas)
    if float(canvas.axes["road"].min()) < _ROADSIDE_M:
        for layer in ROAD:
            layer(canvas)


def light_up(
    colour: NDArray[np.uint8], height: NDArray[np.uint8], flight: Flight
) -> NDArray[np.uint8]:
    """Light the ground from the sun of a flight, and blur it as a lens does.

    Parameters
    ----------
    colour
        Array of shape ``(4, rows, cols)`` at 1 m.
    height
        Heights above the ground in steps of `HEIGHT_STEP_M`, shape ``(rows, cols)``.
    flight
        Gives the place of the sun.

    Returns
    -------
    ndarray of uint8, shape ``(4, rows, cols)``
        Values 1–255; 0 is left for no data.
    """
    rows = height.shape[0]
    seen = np.empty_like(colour)
    azimuth, elevation = np.radians((flight.sun_azimuth_deg, flight.sun_elevation_deg))
    to_sun, drop = (float(-np.cos(azimuth)), float(np.sin(azimuth))), float(np.tan(elevation))

    def paint_strip(strip: slice) -> None:
        first, last = max(strip.start - _APRON, 0), min(strip.stop + _APRON, rows)
        relief = height[first:last].astype(np.float32) * np.float32(HEIGHT_STEP_M)
        lit = colour[:, first:last] * _slope_light(relief, to_sun, drop)
        dark = _shadows(relief, to_sun, drop)
        for band, left in enumerate(_SHADOW_LIGHT):
            lit[band] *= 1 - (1 - left) * dark
        for axis in (1, 2):
            lit = ndimage.convolve1d(lit, _BLUR, axis=axis, mode="nearest")
        kept = lit[:, strip.start - first : strip.stop - first]
        seen[:, strip] = np.clip(kept + 0.5, 1, 255).astype(np.uint8)

    paint_in_strips(paint_strip, rows)
    return seen


def _slope_light(relief: Plane, to_sun: tuple[float, float], drop: float) -> Plane:
    """Light on slopes relative to level ground."""
    down, right = to_sun
    fall = np.gradient(relief, axis=0) * np.float32(down)
    fall += np.gradient(relief, axis=1) * np.float32(right)
    return np.clip(1 - np.float32(0.32 / drop) * fall, 0.62, 1.3).astype(np.float32)


def _shadows(relief: Plane, to_sun: tuple[float, float], drop: float) -> Plane:
    """1 where something towards the sun stands in the way, 0 in the sun."""
    down, right = to_sun
    blocked = np.zeros(relief.shape, np.float32)
    reach = min(_LONGEST_SHADOW_M, int(float(relief.max()) / drop) + 1)
    around = np.pad(relief, reach)
    rows, columns = relief.shape
    for step in range(1, reach + 1):
        top, left = reach + round(down * step), reach + round(right * step)
        over = around[top : top + rows, left : left + columns] - np.float32(step * drop)
        np.maximum(blocked, over - relief, out=blocked)
    return np.clip(blocked, 0, 1)
