"""The whole county in one year: painted, lit and seen from above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import ndimage

from aerial_kedro.examples.county.canvas import Canvas
from aerial_kedro.examples.county.classes import LandClass
from aerial_kedro.examples.county.frame import paint_in_strips
from aerial_kedro.examples.county.kinds import (
    HEDGE,
    KINDS,
    OPEN_WATER,
    ROAD,
    ROTATION,
    Kind,
    choose,
)
from aerial_kedro.examples.county.light import HEIGHT_STEP_M, light_up
from aerial_kedro.examples.county.plan import Plan, draw_plan
from aerial_kedro.examples.county.settings import CountySettings

_SHORE_M = 2.0
_MANY_PIECES = 200  # with fewer, processes take longer to start than to draw
_ROADSIDE_M = 9.0
_HEDGED = (LandClass.CULTIVATED, LandClass.HERBACEOUS)
_KIND_NUMBERS = {name: number for number, name in enumerate(KINDS)}


@dataclass(frozen=True)
class Piece:
    """The pixels of a parcel, or of a stretch of water, in the county frame.

    Parameters
    ----------
    parcel
        Number of the parcel; None for water.
    window
        Rows and columns.
    mask
        The window's pixels that belong to it.
    """

    parcel: int | None
    window: tuple[slice, slice]
    mask: NDArray[np.bool_]


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
    colour = np.zeros((4, plan.county.rows, plan.county.columns), np.uint8)
    height = np.zeros(colour.shape[1:], np.uint8)
    pieces = list(_pieces(plan))
    # In processes where there are many: Python's own share of a piece is too large for threads.
    # Each has random numbers of its own, so that the picture does not depend on who is first.
    pool = Parallel(n_jobs=1 if len(pieces) < _MANY_PIECES else -1, return_as="generator")
    drawn = pool(delayed(_paint)(settings, seed, year, piece) for piece in pieces)
    for piece, (its_colour, its_height) in zip(pieces, drawn, strict=True):
        np.copyto(colour[:, *piece.window], its_colour, where=piece.mask)
        np.copyto(height[piece.window], its_height, where=piece.mask)
    seen = light_up(colour, height, flight)
    seen.setflags(write=False)
    return seen


def _pieces(plan: Plan) -> Iterator[Piece]:
    """Find the pixels of all waters, the largest pieces of work, and then of all parcels."""
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
                mask = labels[window] == label
                yield Piece(None if is_water else label - 1, window, mask)


def _paint(
    settings: CountySettings, seed: int, year: int, piece: Piece
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Paint one piece; give colours, and heights in steps of `HEIGHT_STEP_M`."""
    plan = draw_plan(settings, seed)  # drawn once in each process
    part = plan.county.part(*piece.window)
    u, v = plan.layout_of(part)
    if piece.parcel is None:
        kind, source, size = OPEN_WATER, [seed, 3, piece.window[0].start], (1.0, 1.0)
        edge, road = plan.waters.inside(part), np.full_like(u, np.inf)
    else:
        parcel = plan.parcels[piece.parcel]
        kind, size = KINDS[parcel.kind_in(year)], parcel.plot.size
        source = [seed, 2, piece.parcel, _KIND_NUMBERS[kind.name]]
        edge, road = parcel.plot.inside(u, v), parcel.estate.inside(u, v)
        u, v = u - np.float32(parcel.plot.u0), v - np.float32(parcel.plot.v0)
    fixed, yearly = np.random.default_rng(source), np.random.default_rng([*source, year])
    greenness = settings.flight_of(year).greenness
    canvas = Canvas(u, v, edge, road, size, fixed, yearly, greenness)
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
    _tint(canvas)
    canvas.fixed = np.random.default_rng(source)  # so that hedges stay, whatever the crop
    if kind.land_class in _HEDGED:
        HEDGE(canvas)
    if float(canvas.road.min()) < _ROADSIDE_M:
        for layer in ROAD:
            layer(canvas)


def _tint(canvas: Canvas) -> None:
    """Give a parcel its own brightness, hue and contrast, so that colour alone tells little."""
    rng, mean = canvas.yearly, canvas.colour.mean(axis=(1, 2), keepdims=True)
    contrast = np.float32(rng.uniform(0.3, 1.04))
    gain = np.exp(rng.normal(0, 0.17) + rng.normal(0, 0.04, (4, 1, 1))).astype(np.float32)
    canvas.colour = (mean + contrast * (canvas.colour - mean)) * gain
