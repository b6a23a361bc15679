"""Sunlight on the painted ground, and the camera that sees it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from aerial_kedro.examples.county.frame import paint_in_strips
from aerial_kedro.examples.county.noise import Plane
from aerial_kedro.examples.county.settings import Flight

HEIGHT_STEP_M = 0.2
_APRON = 34
_LONGEST_SHADOW_M = 24
_BLUR = (0.2, 0.6, 0.2)
_SHADOW_LIGHT = np.array([0.46, 0.5, 0.58, 0.42], np.float32)
"""What is left of the light in the shadow: the blue sky's."""


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

    def paint_strip(strip: slice) -> None:
        first, last = max(strip.start - _APRON, 0), min(strip.stop + _APRON, rows)
        relief = height[first:last].astype(np.float32) * np.float32(HEIGHT_STEP_M)
        lit = colour[:, first:last] * _slope_light(relief, flight)
        dark = _shadows(relief, flight)
        for band, left in enumerate(_SHADOW_LIGHT):
            lit[band] *= 1 - (1 - left) * dark
        for axis in (1, 2):
            lit = ndimage.convolve1d(lit, _BLUR, axis=axis, mode="nearest")
        kept = lit[:, strip.start - first : strip.stop - first]
        seen[:, strip] = np.clip(kept + 0.5, 1, 255).astype(np.uint8)

    paint_in_strips(paint_strip, rows)
    return seen


def _to_sun(flight: Flight) -> tuple[float, float]:
    """Rows and columns of one step towards the sun."""
    azimuth = np.radians(flight.sun_azimuth_deg)
    return float(-np.cos(azimuth)), float(np.sin(azimuth))


def _slope_light(relief: Plane, flight: Flight) -> Plane:
    """Light on slopes relative to level ground."""
    down, right = _to_sun(flight)
    fall = np.gradient(relief, axis=0) * np.float32(down)
    fall += np.gradient(relief, axis=1) * np.float32(right)
    tilt = np.float32(0.32 / np.tan(np.radians(flight.sun_elevation_deg)))
    light: Plane = np.clip(1 - tilt * fall, 0.62, 1.3).astype(np.float32)
    return light


def _shadows(relief: Plane, flight: Flight) -> Plane:
    """1 where something towards the sun stands in the way, 0 in the sun."""
    down, right = _to_sun(flight)
    drop = float(np.tan(np.radians(flight.sun_elevation_deg)))
    blocked = np.zeros(relief.shape, np.float32)
    reach = min(_LONGEST_SHADOW_M, int(float(relief.max()) / drop) + 1)
    around = np.pad(relief, reach)
    rows, columns = relief.shape
    for step in range(1, reach + 1):
        top, left = reach + round(down * step), reach + round(right * step)
        over = around[top : top + rows, left : left + columns] - np.float32(step * drop)
        np.maximum(blocked, over - relief, out=blocked)
    result: Plane = np.clip(blocked, 0, 1)
    return result
