"""A piece of ground that layers are painted on, and patterns that are drawn on it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.county.colours import Ink, Palette, Span, draw
from aerial_kedro.examples.county.noise import (
    Plane,
    Scales,
    add_noises,
    smooth_noise,
    smoothstep,
)

_TONES = 128

Axis = Literal["u", "v", "across", "radius", "rim", "edge", "road", "pit"]
"""A coordinate in metres: along either side of the parcel, across the rows of a field, from the
middle of the parcel, to the rim of the largest circle in it, to its nearest side (for water: to
the shore), to the middle of the road, and up the walls of a pit in its middle."""


@dataclass
class Picture:
    """What a piece of ground looks like in one year.

    Parameters
    ----------
    random
        Source of what is new every year: colours, crops, mowing.
    greenness
        How green the year is, 0–1.

    Attributes
    ----------
    colour
        Red, green, blue and near infrared, 0–255, shape ``(4, rows, cols)``.
    """

    random: np.random.Generator
    greenness: float
    colour: NDArray[np.float32] = field(init=False)


@dataclass
class Canvas:
    """A piece of ground as seen from straight above, before sunlight, in one year or several.

    What stays the same over the years is drawn once for all of them.

    Parameters
    ----------
    axes
        Coordinates of each pixel in metres: ``edge``, and on land ``u, v, road``; the others are
        added when a layer asks for them.
    size
        Lengths of the two sides in metres.
    fixed
        Source of what stays the same over the years: trees, houses, terraces.
    pictures
        One for each year.
    within
        If it is a strip of a larger piece: how many rows that has, and which of them these are.

    Attributes
    ----------
    height
        Height of what stands there in metres.
    free
        1 where plants may stand, 0 where something is built or kept clear.
    """

    axes: dict[Axis, Plane]
    size: tuple[float, float]
    fixed: np.random.Generator
    pictures: Sequence[Picture]
    within: tuple[int, slice] | None = None
    height: Plane = field(init=False)
    free: Plane = field(init=False)
    _angle: np.float32 = field(init=False)

    def __post_init__(self) -> None:
        shape = self.axes["edge"].shape
        for picture in self.pictures:
            picture.colour = np.zeros((4, *shape), np.float32)
        self.height = np.zeros(shape, np.float32)
        self.free = np.ones(shape, np.float32)
        # Drawn before any layer, so that it is the same whatever crop is painted.
        self._angle = np.float32(self.fixed.normal(0, 0.04) + np.pi / 2 * self.fixed.integers(2))

    def in_turn(self, pictures: Sequence[Picture]) -> Iterator[Picture]:
        """Give one picture after the other, each with the `fixed` numbers that the first had."""
        state = self.fixed.bit_generator.state
        for picture in pictures:
            self.fixed.bit_generator.state = state
            yield picture

    def axis(self, name: Axis, wander: Scales = ()) -> Plane:
        """Return a coordinate of each pixel in metres, wandering so that it does not look ruled."""
        if name not in self.axes:
            self.axes[name] = self._draw_axis(name)
        return add_noises(self.axes[name], self.fixed, wander)

    def _draw_axis(self, name: Axis) -> Plane:
        width, depth = (np.float32(side) for side in self.size)
        u, v = self.axes["u"], self.axes["v"]
        along: Plane
        if name == "across":
            along = np.cos(self._angle) * u + np.sin(self._angle) * v
        elif name == "pit":
            along = 220 * np.hypot(u / width - 0.5, v / depth - 0.5)
            along = add_noises(along, self.fixed, ((70, 26.0), (24, 8.0), (8, 2.0)))
        else:
            along = np.hypot(u - width / 2, v - depth / 2)
            if name == "rim":
                along = np.float32(0.49) * min(width, depth) - along
        return along

    def mix(self, ink: Ink, picture: Picture) -> NDArray[np.float32]:
        """Mix an ink for this piece of ground; the result has the shape ``(4,)``."""
        rng = picture.random if ink.yearly else self.fixed

        def pick(palette: Palette) -> NDArray[np.float64]:
            return np.asarray(palette[rng.integers(len(palette))]) * rng.normal(1, ink.spread, 4)

        colour = pick(ink.palette)
        if ink.second:
            wanted = ink.share
            share = rng.normal(picture.greenness, 0.3) if wanted is None else draw(rng, wanted)
            colour += (pick(ink.second) - colour) * np.clip(share, 0, 1)
        return colour.astype(np.float32)

    def blend(self, ink: Ink, weight: Plane, pictures: Sequence[Picture]) -> None:
        """Blend an ink into some pictures with a weight of 0–1 for each pixel."""
        change = np.empty_like(self.height)
        for picture in self.in_turn(pictures):
            for band, value in zip(picture.colour, self.mix(ink, picture), strict=True):
                np.subtract(value, band, out=change)
                np.multiply(change, weight, out=change)
                np.add(band, change, out=band)

    def raise_to(self, height: Plane) -> None:
        """Let things stand that are as high as this, unless higher ones stand there."""
        np.maximum(self.height, height, out=self.height)

    def clear(self, where: NDArray[np.bool_]) -> None:
        """Remove what stands there, and let no plants stand there."""
        self.height[where] = 0
        self.free[where] = 0


Pattern = Callable[[Canvas, np.random.Generator], Plane]
"""Draws a number for each pixel: how much of a coat is laid on there."""

_PROFILES: dict[str, Callable[[Plane, float], Plane]] = {
    "wave": lambda phase, _: np.sin(np.float32(2 * np.pi) * phase),
    "swath": lambda phase, _: np.tanh(3 * np.sin(np.float32(2 * np.pi) * phase)),
    "ridge": lambda phase, _: 2 * np.abs(phase - np.float32(0.5)),
    "dune": lambda phase, _: smoothstep(phase, 0, 0.75) - smoothstep(phase, 0.8, 1),
    "line": lambda phase, wide: smoothstep(np.abs(phase - 0.5), 0.65 * wide, 0.35 * wide),
}


def noise(*scales: tuple[float, float]) -> Pattern:
    """Draw smooth noise about 0, of several sizes in metres, with the amplitude of each."""
    return lambda canvas, rng: add_noises(np.zeros_like(canvas.height), rng, scales, canvas.within)


def spots(scale: float, low: float, high: float) -> Pattern:
    """Draw ragged spots with soft borders: 0 where noise is below a level, 1 above another.

    Parameters
    ----------
    scale
        Size of the spots in metres.
    low, high
        The two levels, in standard deviations of the noise.
    """
    ragged = noise((scale, 0.92), (0.36 * scale, 0.4))
    return lambda canvas, rng: smoothstep(ragged(canvas, rng), low, high)


def winding(scale: float, width: float, count: int = 1) -> Pattern:
    """Draw winding lines: tracks, creeks, gullies.

    Parameters
    ----------
    scale
        Distance in metres over which the lines turn.
    width
        Width of the lines, as a share of the scale.
    count
        How many there are, roughly.
    """

    def draw_lines(canvas: Canvas, rng: np.random.Generator) -> Plane:
        lines = np.zeros_like(canvas.height)
        for _ in range(count):
            course = smooth_noise(rng, lines.shape, scale)
            away = np.abs(course - np.float32(rng.uniform(-0.6, 0.6)))
            np.maximum(lines, smoothstep(away, width, width / 3), out=lines)
        return lines

    return draw_lines


def stripes(
    axis: Axis,
    period: Span,
    profile: Literal["wave", "swath", "ridge", "dune", "line", "tones", "some"] = "wave",
    width: float = 0.1,
    wander: Scales = (),
) -> Pattern:
    """Draw stripes across a coordinate, at equal distances.

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

    def draw_stripes(canvas: Canvas, rng: np.random.Generator) -> Plane:
        phase = canvas.axis(axis, wander) / np.float32(draw(rng, period))
        number = np.floor(phase)
        if profile in _PROFILES:
            return _PROFILES[profile](phase - number, width)
        tones = rng.uniform(-1, 1, _TONES).astype(np.float32)
        if profile == "some":
            tones = (tones < 2 * width - 1).astype(np.float32)
        drawn: Plane = tones[number.astype(np.int32) % _TONES]
        return drawn

    return draw_stripes


def band(axis: Axis, start: float, end: float) -> Pattern:
    """Draw a band along a line: 0 where a coordinate is ``start``, 1 from ``end`` onwards."""
    return lambda canvas, _: smoothstep(canvas.axis(axis), start, end)
