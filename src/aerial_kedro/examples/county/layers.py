"""What a piece of land is painted with: coats of paint, dots, and lots with buildings."""

# ruff: noqa: PLR2004 - the numbers are the drawing: metres, shares and shades.

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from aerial_kedro.examples.county.canvas import Canvas, Pattern, Picture
from aerial_kedro.examples.county.colours import ASPHALT, CONCRETE, ROOFS, Ink, Span, draw
from aerial_kedro.examples.county.noise import Plane, Scales, add_noises, scatter_domes, smoothstep

_MANY = 4096
_PLAIN = 0.4  # share of the buildings that are plain rectangles, the others have wings

Layer = Callable[[Canvas], None]
"""Paints over what is on the canvas already."""


@dataclass(frozen=True)
class Coat:
    """A coat of paint, laid on in a pattern.

    Parameters
    ----------
    pattern
        Where it is laid on, and how thickly.
    ink
        Its colour; None brightens what is there (and darkens it where the pattern is negative).
    amount
        Weight of the colour, or change of brightness, where the pattern is 1.
    only
        A second pattern that the first is multiplied by.
    height_m
        Height in metres of what stands where the pattern is 1.
    clears
        Whether whatever stood there is gone, and plants of later layers stay away.
    chance
        Share of the pieces of land that have the layer at all.
    yearly
        Whether it lies otherwise every year.
    """

    pattern: Pattern
    ink: Ink | None = None
    amount: Span = 1.0
    only: Pattern | None = None
    height_m: float = 0.0
    clears: bool = False
    chance: float = 1.0
    yearly: bool = False

    def __post_init__(self) -> None:
        if self.yearly and (self.clears or self.height_m):
            raise ValueError("A coat that lies otherwise every year has no height and clears none.")

    def __call__(self, canvas: Canvas) -> None:
        """Lay the coat on."""
        if canvas.fixed.random() >= self.chance:
            return
        if not self.yearly:
            self._lay(canvas, canvas.fixed, canvas.pictures)
            return
        for picture in canvas.in_turn(canvas.pictures):
            self._lay(canvas, picture.random, [picture])

    def _lay(self, canvas: Canvas, rng: np.random.Generator, pictures: Sequence[Picture]) -> None:
        where = self.pattern(canvas, rng)
        if self.only is not None:
            where = where * self.only(canvas, rng)
        amount = np.float32(draw(rng, self.amount))
        if self.ink is None:
            factor = 1 + amount * where
            for picture in pictures:
                picture.colour *= factor
        else:
            canvas.blend(self.ink, amount * where, pictures)
        if self.clears:
            canvas.clear(where > 0.5)
        if self.height_m:
            canvas.raise_to(np.float32(self.height_m) * where)


@dataclass(frozen=True)
class Dots:
    """Round things that stand about: trees, bushes, heaps, bales.

    Parameters
    ----------
    ink
        Their colour.
    spacing
        Distance between their places in metres.
    radius
        Smallest and largest radius, as shares of the spacing; at most 0.7.
    top_m
        Height of the largest in metres.
    presence
        Share of the places that are taken.
    clump
        Scale in metres, and strength, of noises that make them denser here and thinner there.
    second
        Colour of some of them; None if all are alike.
    rows
        Distance of the places along a row, as a share of the spacing, where they stand in rows;
        None where they stand anyhow.
    """

    ink: Ink
    spacing: Span
    radius: tuple[float, float]
    top_m: Span
    presence: Span = 1.0
    clump: Scales = ()
    second: Ink | None = None
    rows: Span | None = None

    def __call__(self, canvas: Canvas) -> None:
        """Paint them."""
        rng = canvas.fixed
        spacing = draw(rng, self.spacing)
        evenly = np.full_like(canvas.height, draw(rng, self.presence))
        density = add_noises(evenly, rng, self.clump)
        stray = ((2.5 * spacing, 0.16 * spacing),) if self.rows is None else ((70.0, 1.5),)
        top, tint = scatter_domes(
            rng,
            (canvas.axis("u", stray), canvas.axis("v", stray)),
            (spacing, spacing if self.rows is None else draw(rng, self.rows) * spacing),
            (self.radius[0] * spacing, self.radius[1] * spacing),
            density,
            jitter=0.3 if self.rows is None else 0.08,
        )
        crown = smoothstep(top, 0.02, 0.25) * canvas.free
        canvas.blend(self.ink, crown, canvas.pictures)
        if self.second is not None:
            canvas.blend(self.second, crown * smoothstep(tint, 0.5, 0.9), canvas.pictures)
        shade = 1 + np.float32(0.25) * crown * (tint - np.float32(0.5))
        for picture in canvas.pictures:
            picture.colour *= shade
        tall = np.float32(draw(rng, self.top_m)) * (np.float32(0.85) + np.float32(0.3) * tint)
        canvas.raise_to(tall * crown * (np.float32(0.4) + np.float32(0.6) * top))


@dataclass(frozen=True)
class Lots:
    """Built-up land: rows of lots back to back, with streets along both ways.

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

        shade = per_lot(0.9, 1.1)
        for picture in canvas.pictures:
            picture.colour *= shade
        half, deep = per_lot(*self.roof) * width, per_lot(*self.deep) * depth
        beside = lane - (lot + np.float32(0.5) * per_lot(0.9, 1.1)) * np.float32(width)
        behind = along - per_lot(*self.front) * depth
        wing, built = per_lot(-1, 1), (per_lot(0, 1) < self.built) & ~streets
        roof = built & (np.abs(beside) < half) & (behind > 0) & (behind < deep)
        whole = (np.abs(wing) < _PLAIN) | (behind < deep / 2)
        roof &= whole | (beside * np.sign(wing) < 0.3 * half)
        drive = built & (np.abs(beside - 0.6 * half * np.sign(wing)) < self.drive_m) & (behind < 2)
        kerb = (np.abs(along - 0.8) < 0.7) & ~streets
        paved = np.maximum(drive, np.float32(0.5) * kerb)
        canvas.blend(CONCRETE, paved, canvas.pictures)
        canvas.blend(ASPHALT, streets.astype(np.float32), canvas.pictures)
        canvas.clear(streets | drive)
        colours = np.asarray(ROOFS, np.float32)[rng.integers(len(ROOFS), size=_MANY)]
        colours *= rng.normal(1, 0.06, (_MANY, 1)).astype(np.float32)
        for picture in canvas.pictures:
            picture.colour[:, roof] = colours[number[roof]].T
        canvas.clear(roof)
        ridge = 1 - np.abs(behind - deep / 2) / np.maximum(deep, 1)
        canvas.raise_to(np.where(roof, self.height_m * (0.7 + 0.6 * ridge), 0).astype(np.float32))
