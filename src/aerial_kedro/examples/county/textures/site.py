"""What a texture is given, what it gives back, and colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.county.noise import Plane, smooth_noise

Colour = tuple[float, float, float, float]
"""Red, green, blue and near infrared, 0–255."""

GREENS: tuple[Colour, ...] = (
    (84, 108, 70, 155),
    (100, 122, 76, 165),
    (70, 92, 62, 140),
    (118, 134, 86, 170),
    (92, 112, 88, 150),
)
DRY: tuple[Colour, ...] = (
    (164, 150, 114, 150),
    (182, 166, 128, 165),
    (146, 134, 102, 140),
    (132, 130, 96, 145),
    (172, 152, 122, 150),
)
SOILS: tuple[Colour, ...] = (
    (160, 118, 90, 135),
    (134, 106, 86, 115),
    (192, 174, 146, 188),
    (168, 156, 140, 165),
    (120, 102, 88, 108),
)
GREYS: tuple[Colour, ...] = (
    (142, 140, 136, 142),
    (164, 162, 158, 164),
    (118, 118, 118, 120),
    (184, 181, 174, 184),
)
SHADE: Colour = (44, 54, 46, 70)
POND: Colour = (62, 74, 72, 40)


@dataclass(frozen=True)
class Surface:
    """A piece of ground as seen from straight above, before sunlight.

    Parameters
    ----------
    colour
        Array of shape ``(4, rows, cols)``, red, green, blue and near infrared, 0–255.
    height
        Height above the ground in metres.
    """

    colour: NDArray[np.float32]
    height: Plane


@dataclass(frozen=True)
class Site:
    """A parcel's pixels, and its sources of randomness.

    Parameters
    ----------
    u, v
        Metres from the parcel's first corner along its two sides, for each pixel.
    size
        Lengths of the two sides in metres.
    fixed
        Source of what stays the same over the years: trees, houses, terraces.
    yearly
        Source of what is new every year: colours, crops, mowing.
    greenness
        How green the year is, 0–1.
    """

    u: Plane
    v: Plane
    size: tuple[float, float]
    fixed: np.random.Generator
    yearly: np.random.Generator
    greenness: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.u.shape
        return rows, columns

    def noise(self, scale: float) -> Plane:
        """Smooth noise that stays the same over the years."""
        return smooth_noise(self.fixed, self.shape, scale)

    def yearly_noise(self, scale: float) -> Plane:
        """Smooth noise that is new every year."""
        return smooth_noise(self.yearly, self.shape, scale)

    def rough(self, scales: Sequence[float], weights: Sequence[float]) -> Plane:
        """Sum of smooth noises of several scales, fixed over the years."""
        total = np.zeros(self.shape, np.float32)
        for scale, weight in zip(scales, weights, strict=True):
            total += np.float32(weight) * self.noise(scale)
        return total

    def plain(self, colour: Colour) -> NDArray[np.float32]:
        """Spread a colour all over the site, shape ``(4, rows, cols)``."""
        return np.broadcast_to(
            np.asarray(colour, np.float32)[:, None, None], (4, *self.shape)
        ).copy()

    def flat(self) -> Plane:
        """Height zero all over the site."""
        return np.zeros(self.shape, np.float32)

    def grass(self) -> Colour:
        """Pick a colour of grass, anywhere between lush and dry."""
        lush = np.clip(self.yearly.normal(self.greenness, 0.3), 0, 1)
        return mix(pick(self.yearly, DRY), pick(self.yearly, GREENS), float(lush))

    def warped(self, scale: float, amount: float) -> tuple[Plane, Plane]:
        """Coordinates that wander by some metres, so that nothing looks ruled."""
        return (
            self.u + np.float32(amount) * self.noise(scale),
            self.v + np.float32(amount) * self.noise(scale),
        )


def pick(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """Choose a colour, and shift it a little."""
    base = colours[int(rng.integers(len(colours)))]
    red, green, blue, infrared = np.asarray(base) * rng.normal(1, 0.02, 4)
    return float(red), float(green), float(blue), float(infrared)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours; ``share`` is that of the second."""
    a, b, c, d = (x + (y - x) * share for x, y in zip(first, second, strict=True))
    return a, b, c, d


def blend(image: NDArray[np.float32], colour: Colour, weight: Plane | NDArray[np.bool_]) -> None:
    """Blend a colour into an image in place, with a weight of 0–1 for each pixel."""
    if weight.dtype == np.bool_:
        image[:, weight] = np.asarray(colour, np.float32)[:, None]
        return
    for band, value in enumerate(colour):
        image[band] += (np.float32(value) - image[band]) * weight


def shade(image: NDArray[np.float32], factor: Plane) -> None:
    """Brighten or darken an image in place by a factor for each pixel."""
    image *= factor[None]
