"""What a piece of land is painted with: coats of paint laid on in patterns, and dots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aerial_kedro.examples.county.canvas import Axis, Canvas
from aerial_kedro.examples.county.colours import Ink, Span, draw
from aerial_kedro.examples.county.noise import (
    Plane,
    Scales,
    add_noises,
    scatter_domes,
    smooth_noise,
    smoothstep,
)

_TONES = 128

Layer = Callable[[Canvas], None]
"""Paints over what is on the canvas already."""
Pattern = Callable[[Canvas, np.random.Generator], Plane]
"""Draws a number for each pixel: how much of a coat is laid on there."""


@dataclass(frozen=True)
class Noise:
    """Smooth noise about 0, of several sizes in metres, given with the amplitude of each."""

    scales: Scales

    def __call__(self, canvas: Canvas, rng: np.random.Generator) -> Plane:
        """Draw the pattern."""
        return add_noises(np.zeros_like(canvas.height), rng, self.scales)


@dataclass(frozen=True)
class Spots:
    """Ragged spots with soft borders: 0 where noise is below a level, 1 above another.

    Parameters
    ----------
    scale
        Size of the spots in metres.
    low, high
        The two levels, in standard deviations of the noise.
    """

    scale: float
    low: float
    high: float

    def __call__(self, canvas: Canvas, rng: np.random.Generator) -> Plane:
        """Draw the pattern."""
        ragged = Noise(((self.scale, 0.92), (0.36 * self.scale, 0.4)))
        return smoothstep(ragged(canvas, rng), self.low, self.high)


@dataclass(frozen=True)
class Winding:
    """Winding lines: tracks, creeks, gullies.

    Parameters
    ----------
    scale
        Distance in metres over which the lines turn.
    width
        Width of the lines, as a share of the scale.
    count
        How many there are, roughly.
    """

    scale: float
    width: float
    count: int = 1

    def __call__(self, canvas: Canvas, rng: np.random.Generator) -> Plane:
        """Draw the pattern."""
        lines = np.zeros_like(canvas.height)
        for _ in range(self.count):
            noise = smooth_noise(rng, lines.shape, self.scale)
            away = np.abs(noise - np.float32(rng.uniform(-0.6, 0.6)))
            np.maximum(lines, smoothstep(away, self.width, self.width / 3), out=lines)
        return lines


_PROFILES: dict[str, Callable[[Plane, float], Plane]] = {
    "wave": lambda phase, _: np.sin(np.float32(2 * np.pi) * phase),
    "swath": lambda phase, _: np.tanh(3 * np.sin(np.float32(2 * np.pi) * phase)),
    "ridge": lambda phase, _: 2 * np.abs(phase - np.float32(0.5)),
    "dune": lambda phase, _: smoothstep(phase, 0, 0.75) - smoothstep(phase, 0.8, 1),
    "line": lambda phase, wide: smoothstep(np.abs(phase - 0.5), 0.65 * wide, 0.35 * wide),
}


@dataclass(frozen=True)
class Stripes:
    """Stripes across a coordinate, at equal distances.

    Parameters
    ----------
    axis
        The coordinate.
    period
        Distance between stripes in metres.
    profile
        Course from one stripe to the next: ``wave`` and ``swath`` lie between -1 and 1, the
        others between 0 and 1. ``tones`` gives each stripe a tone of its own between -1 and 1;
        with ``some``, a share of the stripes are 1 and all others 0.
    width
        Width of a ``line``, as a share of the period; share of the stripes that are ``some``.
    wander
        Noises by which the stripes wander.
    """

    axis: Axis
    period: Span
    profile: Literal["wave", "swath", "ridge", "dune", "line", "tones", "some"] = "wave"
    width: float = 0.1
    wander: Scales = ()

    def __call__(self, canvas: Canvas, rng: np.random.Generator) -> Plane:
        """Draw the pattern."""
        phase = canvas.axis(self.axis, self.wander) / np.float32(draw(rng, self.period))
        number = np.floor(phase)
        if self.profile in _PROFILES:
            return _PROFILES[self.profile](phase - number, self.width)
        tones = rng.uniform(-1, 1, _TONES).astype(np.float32)
        if self.profile == "some":
            tones = (tones < 2 * self.width - 1).astype(np.float32)
        drawn: Plane = tones[number.astype(np.int32) % _TONES]
        return drawn


@dataclass(frozen=True)
class Band:
    """A band along a line: 0 where a coordinate is ``start``, 1 where it is ``end`` and beyond."""

    axis: Axis
    start: float
    end: float

    def __call__(self, canvas: Canvas, _: np.random.Generator) -> Plane:
        """Draw the pattern."""
        return smoothstep(canvas.axis(self.axis), self.start, self.end)


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

    def __call__(self, canvas: Canvas) -> None:
        """Lay the coat on."""
        if canvas.fixed.random() >= self.chance:
            return
        rng = canvas.yearly if self.yearly else canvas.fixed
        where = self.pattern(canvas, rng)
        if self.only is not None:
            where = where * self.only(canvas, rng)
        amount = np.float32(draw(rng, self.amount))
        if self.ink is None:
            canvas.colour *= 1 + amount * where
        else:
            canvas.blend(canvas.mix(self.ink), amount * where)
        if self.clears:
            canvas.clear(where > 0.5)  # noqa: PLR2004
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
        canvas.blend(canvas.mix(self.ink), crown)
        if self.second is not None:
            canvas.blend(canvas.mix(self.second), crown * smoothstep(tint, 0.5, 0.9))
        canvas.colour *= 1 + np.float32(0.25) * crown * (tint - np.float32(0.5))
        tall = np.float32(draw(rng, self.top_m)) * (np.float32(0.85) + np.float32(0.3) * tint)
        canvas.raise_to(tall * crown * (np.float32(0.4) + np.float32(0.6) * top))
