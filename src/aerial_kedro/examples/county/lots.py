"""Built-up land: lots along streets, with roofs and drives."""

# ruff: noqa: PLR2004 - the numbers are the drawing: metres, shares and shades.

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aerial_kedro.examples.county.canvas import Canvas
from aerial_kedro.examples.county.colours import ASPHALT, CONCRETE, ROOFS, Span, draw
from aerial_kedro.examples.county.noise import Plane

_MANY = 4096
_PLAIN = 0.4  # share of the buildings that are plain rectangles, the others have wings


@dataclass(frozen=True)
class Lots:
    """Rows of lots back to back, with streets along both ways.

    Parameters
    ----------
    width, depth
        Sides of a lot in metres.
    street
        Width of the streets in metres.
    block
        Lots between two cross streets.
    roof
        Half the width of a building, as a share of the lot's width.
    front, deep
        Distance of a building from the street, and its depth, as shares of the lot's depth.
    height_m
        Height of the eaves in metres.
    built
        Share of the lots that have a building.
    drive_m
        Half the width of a drive beside each building in metres; 0 if there is none.
    bend_m
        By how many metres the streets bend.
    """

    width: Span
    depth: Span
    street: Span
    block: int
    roof: tuple[float, float]
    front: tuple[float, float]
    deep: tuple[float, float]
    height_m: float
    built: float = 0.94
    drive_m: float = 0.0
    bend_m: Span = 0.0

    def __call__(self, canvas: Canvas) -> None:
        """Paint streets, drives, parking and roofs."""
        rng = canvas.fixed
        width, depth, street = (draw(rng, span) for span in (self.width, self.depth, self.street))
        bend = ((110.0, draw(rng, self.bend_m)),)
        u, v = canvas.axis("u", bend), canvas.axis("v", bend)
        pitch, block = np.float32(2 * depth + street), np.float32(self.block * width + street)
        row, cross = np.floor(v / pitch), np.floor(u / block)
        inside, lane = v - row * pitch - np.float32(street), u - cross * block - np.float32(street)
        lot, far = np.floor(lane / np.float32(width)), inside > depth
        streets = (inside < 0) | (lane < 0)
        along = np.where(far, np.float32(2 * depth) - inside, inside)  # from the street
        number = ((lot + 31 * cross + 57 * row + 977 * far) % _MANY).astype(np.int32)

        def per_lot(low: float, high: float) -> Plane:
            drawn: Plane = rng.uniform(low, high, _MANY).astype(np.float32)[number]
            return drawn

        canvas.colour *= per_lot(0.9, 1.1)
        half, deep = per_lot(*self.roof) * width, per_lot(*self.deep) * depth
        beside = lane - (lot + np.float32(0.5) * per_lot(0.9, 1.1)) * np.float32(width)
        behind = along - per_lot(*self.front) * depth
        wing, built = per_lot(-1, 1), (per_lot(0, 1) < self.built) & ~streets
        roof = built & (np.abs(beside) < half) & (behind > 0) & (behind < deep)
        whole = (np.abs(wing) < _PLAIN) | (behind < deep / 2)
        roof &= whole | (beside * np.sign(wing) < 0.3 * half)
        drive = built & (np.abs(beside - 0.6 * half * np.sign(wing)) < self.drive_m) & (behind < 2)
        kerb = (np.abs(along - 0.8) < 0.7) & ~streets
        canvas.blend(canvas.mix(CONCRETE), np.maximum(drive, np.float32(0.5) * kerb))
        canvas.blend(canvas.mix(ASPHALT), streets.astype(np.float32))
        canvas.clear(streets | drive)
        colours = np.asarray(ROOFS, np.float32)[rng.integers(len(ROOFS), size=_MANY)]
        colours *= rng.normal(1, 0.06, (_MANY, 1)).astype(np.float32)
        canvas.colour[:, roof] = colours[number[roof]].T
        canvas.clear(roof)
        ridge = 1 - np.abs(behind - deep / 2) / np.maximum(deep, 1)
        canvas.raise_to(np.where(roof, self.height_m * (0.7 + 0.6 * ridge), 0).astype(np.float32))
