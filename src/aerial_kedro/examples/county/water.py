"""River and lakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.examples.county.frame import Frame
from aerial_kedro.examples.county.noise import Field, Plane


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
    def draw(cls, rng: np.random.Generator, outer: Frame, county: Frame) -> Waters:
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
        """Distance to the shore in metres, roughly; positive in the water."""
        xs, ys = frame.xs, frame.ys
        middle = np.array([self.river_easting])
        course = self.river_easting + 210 * self.wander.at(middle, ys)
        slope = np.gradient(course, frame.step, axis=0) if len(ys) > 1 else 0.0
        ragged = self.ragged.at(xs, ys)
        distance = self.half_width - np.abs(xs[None] - course) / np.hypot(1, slope) + 5 * ragged
        for easting, northing, radius in self.lakes:
            away = np.hypot(xs[None] - easting, ys[:, None] - northing)
            np.maximum(distance, radius * (1 + 0.16 * ragged) - away, out=distance)
        result: Plane = distance.astype(np.float32)
        return result
