"""The whole county in one year: painted, lit and seen from above."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import ndimage

from aerial_kedro.examples.county.canvas import Axis, Canvas, Picture
from aerial_kedro.examples.county.frame import Window, grown, inside, paint_in_tiles, parts
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
_ROADSIDE_M = 9.0
_HEDGED = (LandClass.CULTIVATED, LandClass.HERBACEOUS)
_KIND_NUMBERS = {name: number for number, name in enumerate(KINDS)}
_TILE = 256, 512
"""Rows and columns that are painted at a time, small enough for a processor's cache."""
_WATER_ROWS = 512
_LONGEST_SHADOW_M = 24
_BLUR = (0.2, 0.6, 0.2)
_Painted = tuple[Flight, slice, NDArray[np.uint8], NDArray[np.uint8]]
"""Some rows of a piece of land: colours, and heights in steps of `HEIGHT_STEP_M`."""
_SHADOW_LIGHT = np.array([0.46, 0.5, 0.58, 0.42], np.float32)
"""What is left of the light in the shadow: the blue sky's."""


@lru_cache(maxsize=1)
def photographs(settings: CountySettings, seed: int) -> dict[Flight, NDArray[np.uint8]]:
    """Draw the county as each flight sees it.

    All of them at once, as most of a piece of land is the same in every year.

    Parameters
    ----------
    settings
        Size and make-up of the county.
    seed
        Another seed gives another county.

    Returns
    -------
    dict of ndarray of uint8, shape ``(4, rows, cols)``
        Of each flight red, green, blue and near infrared at 1 m on the plan's county frame,
        read-only.
    """
    plan = draw_plan(settings, seed)
    shape = plan.county.rows, plan.county.columns
    colours = {flight: np.zeros((4, *shape), np.uint8) for flight in settings.flights}
    heights = {flight: np.zeros(shape, np.uint8) for flight in settings.flights}

    def paint(number: int | None, window: Window, mask: NDArray[np.bool_]) -> None:
        if number is None:
            painted = _paint_water(plan, settings.flights, seed, window)
        else:
            painted = _paint_parcel(plan, settings.flights, seed, number, window)
        for flight, rows, colour, height in painted:
            strip = slice(window[0].start + rows.start, window[0].start + rows.stop), window[1]
            np.copyto(colours[flight][:, *strip], colour, where=mask[rows])
            np.copyto(heights[flight][strip], height, where=mask[rows])

    # Each has random numbers of its own, so that the picture does not depend on who is first.
    Parallel(n_jobs=-1, prefer="threads")(delayed(paint)(*piece) for piece in _pieces(plan))
    seen = {}
    for flight in settings.flights:
        seen[flight] = light_up(colours.pop(flight), heights.pop(flight), flight)
        seen[flight].setflags(write=False)
    return seen


def _pieces(plan: Plan) -> Iterator[tuple[int | None, Window, NDArray[np.bool_]]]:
    """Find the pixels of all waters, the largest pieces of work, and then of all parcels.

    Gives the number of the parcel (None for water), its window, and which pixels there are its own.
    """
    frame = plan.county
    numbers = np.zeros((frame.rows, frame.columns), np.int32)
    wet = np.zeros(numbers.shape, np.bool_)

    def find_water(tile: Window) -> None:
        wet[tile] = plan.waters.inside(frame.part(*tile)) > -_SHORE_M

    def find_parcels(tile: Window) -> None:
        numbers[tile] = np.where(wet[tile], 0, plan.numbers(frame.part(*tile)) + 1)

    # At the ends of a tile the river's slope is another, and with it, a little, its width.
    paint_in_tiles(find_water, wet.shape, (_WATER_ROWS, _TILE[1]))
    paint_in_tiles(find_parcels, wet.shape, _TILE)
    for labels, is_water in ((ndimage.label(wet)[0], True), (numbers, False)):
        for label, window in enumerate(ndimage.find_objects(labels), start=1):
            if window is not None:
                yield None if is_water else label - 1, window, labels[window] == label


def _paint_water(
    plan: Plan, flights: Sequence[Flight], seed: int, window: Window
) -> Iterator[_Painted]:
    """Paint one of the waters, in strips: a river's window is as high as the county."""
    height, source = window[0].stop - window[0].start, [seed, 3, window[0].start]
    for rows in parts(height, _TILE[0]):
        # The river's slope is taken from the rows above and below.
        around = grown(rows, height)
        above = window[0].start + around.start
        part = plan.county.part(slice(above, above + around.stop - around.start), window[1])
        axes: dict[Axis, Plane] = {"edge": plan.waters.inside(part)[inside(rows, around)]}
        pictures = {
            flight: Picture(np.random.default_rng([*source, flight.year]), flight.greenness)
            for flight in flights
        }
        fixed = np.random.default_rng(source)
        canvas = Canvas(axes, (1, 1), fixed, tuple(pictures.values()), (height, rows))
        _cover_ground(canvas, OPEN_WATER)
        yield from _exposed(canvas, pictures, rows)


def _paint_parcel(
    plan: Plan, flights: Sequence[Flight], seed: int, number: int, window: Window
) -> Iterator[_Painted]:
    """Paint a parcel; years in which the same is drawn there are painted together."""
    parcel = plan.parcels[number]
    u, v = plan.layout_of(plan.county.part(*window))
    edge, road = parcel.plot.inside(u, v), parcel.estate.inside(u, v)
    u, v = u - np.float32(parcel.plot.u0), v - np.float32(parcel.plot.v0)
    together: dict[tuple[Kind, Kind], dict[Flight, Picture]] = {}
    for flight in flights:
        kind = KINDS[parcel.kind_in(flight.year)]
        source = [seed, 2, number, _KIND_NUMBERS[kind.name]]
        yearly = np.random.default_rng([*source, flight.year])
        drawn = KINDS[choose(yearly, ROTATION)] if kind.name in ROTATION else kind
        pictures = together.setdefault((kind, drawn), {})
        pictures[flight] = Picture(yearly, flight.greenness)
    for (kind, drawn), pictures in together.items():
        source = [seed, 2, number, _KIND_NUMBERS[kind.name]]
        axes: dict[Axis, Plane] = {"u": u, "v": v, "edge": edge, "road": road}
        fixed = np.random.default_rng(source)
        canvas = Canvas(axes, parcel.plot.size, fixed, tuple(pictures.values()))
        _cover_ground(canvas, drawn)
        _vary(canvas)
        canvas.fixed = np.random.default_rng(source)  # so that hedges stay, whatever the crop
        if kind.land_class in _HEDGED:
            HEDGE(canvas)
        if float(road.min()) < _ROADSIDE_M:
            for layer in ROAD:
                layer(canvas)
        yield from _exposed(canvas, pictures, slice(0, len(u)))


def _cover_ground(canvas: Canvas, kind: Kind) -> None:
    """Paint the ground and the layers of a kind."""
    for picture in canvas.in_turn(canvas.pictures):
        picture.colour += canvas.mix(kind.ground, picture)[:, None, None]
    for layer in kind.layers:
        layer(canvas)


def _vary(canvas: Canvas) -> None:
    """Give it its own brightness, hue and contrast, so that colour alone tells little."""
    for picture in canvas.pictures:
        rng, mean = picture.random, picture.colour.mean(axis=(1, 2), keepdims=True)
        contrast = np.float32(rng.uniform(0.3, 1.04))
        gain = np.exp(rng.normal(0, 0.17) + rng.normal(0, 0.04, (4, 1, 1))).astype(np.float32)
        picture.colour -= mean
        picture.colour *= contrast
        picture.colour += mean
        picture.colour *= gain


def _exposed(canvas: Canvas, pictures: Mapping[Flight, Picture], rows: slice) -> Iterator[_Painted]:
    steps = np.clip(canvas.height / np.float32(HEIGHT_STEP_M), 0, 255).astype(np.uint8)
    for flight, picture in pictures.items():
        yield flight, rows, np.clip(picture.colour, 1, 255).astype(np.uint8), steps


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
    rows, columns = height.shape
    seen = np.empty_like(colour)
    azimuth, elevation = np.radians((flight.sun_azimuth_deg, flight.sun_elevation_deg))
    to_sun, drop = (float(-np.cos(azimuth)), float(np.sin(azimuth))), float(np.tan(elevation))
    # Level ground all around.
    padded = np.pad(height, _LONGEST_SHADOW_M)

    def paint_tile(tile: Window) -> None:
        # The lens takes in a pixel more on every side, and slopes yet one more.
        lens = grown(tile[0], rows), grown(tile[1], columns)
        slopes = grown(lens[0], rows), grown(lens[1], columns)
        light = _slope_light(_metres(height[slopes]), to_sun, drop)[_within(lens, slopes)]
        around = (slice(part.start, part.stop + 2 * _LONGEST_SHADOW_M) for part in lens)
        dark = _shadows(_metres(padded[*around]), to_sun, drop)
        lit = colour[:, *lens] * light
        for band, left in enumerate(_SHADOW_LIGHT):
            lit[band] *= 1 - (1 - left) * dark
        for axis in (1, 2):
            lit = ndimage.convolve1d(lit, _BLUR, axis=axis, mode="nearest")
        kept = lit[:, *_within(tile, lens)]
        seen[:, *tile] = np.clip(kept + 0.5, 1, 255).astype(np.uint8)

    paint_in_tiles(paint_tile, (rows, columns), _TILE)
    return seen


def _within(window: Window, larger: Window) -> Window:
    return inside(window[0], larger[0]), inside(window[1], larger[1])


def _metres(height: NDArray[np.uint8]) -> Plane:
    return height.astype(np.float32) * np.float32(HEIGHT_STEP_M)


def _slope_light(relief: Plane, to_sun: tuple[float, float], drop: float) -> Plane:
    """Light on slopes relative to level ground."""
    down, right = to_sun
    fall = np.gradient(relief, axis=0) * np.float32(down)
    fall += np.gradient(relief, axis=1) * np.float32(right)
    return np.clip(1 - np.float32(0.32 / drop) * fall, 0.62, 1.3).astype(np.float32)


def _shadows(around: Plane, to_sun: tuple[float, float], drop: float) -> Plane:
    """1 where something towards the sun stands in the way, 0 in the sun.

    For all but the outermost `_LONGEST_SHADOW_M` pixels.
    """
    down, right = to_sun
    rows, columns = (length - 2 * _LONGEST_SHADOW_M for length in around.shape)
    edge = _LONGEST_SHADOW_M
    relief = around[edge : edge + rows, edge : edge + columns]
    blocked, over = np.zeros_like(relief), np.empty_like(relief)
    reach = min(_LONGEST_SHADOW_M, int(float(around.max()) / drop) + 1)
    for step in range(1, reach + 1):
        top, left = edge + round(down * step), edge + round(right * step)
        np.subtract(
            around[top : top + rows, left : left + columns], np.float32(step * drop), out=over
        )
        over -= relief
        np.maximum(blocked, over, out=blocked)
    return np.clip(blocked, 0, 1)
