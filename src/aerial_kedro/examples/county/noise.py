"""Smooth random fields and scattered points, the raw material of every texture."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.interpolate import BSpline

Plane = NDArray[np.float32]
Scales = tuple[tuple[float, float], ...]
"""Scale and amplitude of several noises."""

# A cubic B-spline averages neighbouring coefficients; this brings unit variance back.
_SPLINE_GAIN = 2.08


@dataclass(frozen=True)
class Field:
    """A smooth random field over an area, the same however finely it is sampled.

    Parameters
    ----------
    coefficients
        Spline coefficients, rows along y.
    west, south
        Position of the first knot in metres.
    spacing
        Distance of the knots in metres.
    """

    coefficients: Plane
    west: float
    south: float
    spacing: float

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        bounds: tuple[float, float, float, float],
        spacing: float,
    ) -> Self:
        """Draw a field of zero mean and about unit variance over (west, south, east, north)."""
        west, south, east, north = bounds
        size = tuple(int(np.ceil(side / spacing)) + 5 for side in (north - south, east - west))
        values = rng.standard_normal(size, dtype=np.float32) * np.float32(_SPLINE_GAIN)
        return cls(values.astype(np.float32), west, south, spacing)

    def at(self, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Plane:
        """Sample the field on a grid; the result has the shape ``(len(ys), len(xs))``."""
        across, columns = self._weights(xs, self.west, self.coefficients.shape[1])
        down, rows = self._weights(ys, self.south, self.coefficients.shape[0])
        # The few coefficients first along the rows, as that is cheaper.
        along_rows = np.ascontiguousarray((across @ self.coefficients[rows, columns].T).T)
        values: Plane = down @ along_rows
        return values

    def _weights(
        self, along: NDArray[np.float64], start: float, size: int
    ) -> tuple[sparse.csr_array, slice]:
        """Weights of uniform cubic B-splines at some places, and to which coefficients."""
        positions = np.clip((along - start) / self.spacing, 0, size - 3.001)
        first = int(np.floor(positions.min()))
        last = int(np.floor(positions.max())) + 4
        knots = np.arange(last - first + 4) - 3.0
        # Sparse, so that they stay away from the linear algebra library, whose results differ in
        # the last bit from one processor to the next.
        weights = BSpline.design_matrix(positions - first, knots, 3).astype(np.float32)
        return weights, slice(first, last)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Plane:
    """Smooth noise of zero mean and about unit variance.

    Parameters
    ----------
    rng
        Source of the noise.
    shape
        Rows and columns.
    scale
        About the size of the noise's spots in pixels.
    """
    rows, columns = (np.arange(length, dtype=np.float64) for length in shape)
    return Field.draw(rng, (0, 0, len(columns), len(rows)), scale).at(columns, rows)


def add_noises(onto: Plane, rng: np.random.Generator, scales: Scales) -> Plane:
    """Add smooth noises of several scales, in pixels, to a number for each pixel."""
    for scale, amplitude in scales:
        onto = onto + np.float32(amplitude) * smooth_noise(rng, onto.shape, scale)
    return onto


def scatter_domes(
    rng: np.random.Generator,
    places: tuple[Plane, Plane],
    spacing: tuple[float, float],
    radius: tuple[float, float],
    density: Plane,
    *,
    jitter: float = 0.3,
) -> tuple[Plane, Plane]:
    """Scatter round things over a jittered grid: crowns, bushes, heaps.

    Parameters
    ----------
    rng
        Source of places, sizes and tints.
    places
        The two coordinates of the pixels in metres.
    spacing
        Grid spacing along each of them in metres.
    radius
        Smallest and largest radius in metres; above 0.7 of the spacing domes are cut off.
    density
        Share of the grid's places that are taken, at each pixel.
    jitter
        Largest shift of a centre, as a share of the spacing; at most 0.3.

    Returns
    -------
    height
        1 at the top of the largest dome, 0 on the ground.
    tint
        A number in 0–1 for each dome, spread over its pixels.
    """
    du, dv = spacing
    # Only the four nearest places can reach a pixel, as jitter and radius are bounded.
    gu, gv = places[0] / np.float32(du), places[1] / np.float32(dv)
    cu, cv = np.floor(gu - 0.5), np.floor(gv - 0.5)
    iu = (cu - cu.min()).astype(np.int32)
    iv = (cv - cv.min()).astype(np.int32)
    size = (int(iu.max()) + 2, int(iv.max()) + 2)
    centre_u, centre_v = 0.5 + rng.uniform(-jitter, jitter, (2, *size)).astype(np.float32)
    radii = rng.uniform(*radius, size).astype(np.float32)
    taken, tints = rng.random((2, *size), dtype=np.float32)
    height, highest = np.zeros_like(gu), np.zeros(gu.shape, np.int32)
    fu, fv, first = gu - cu, gv - cv, iu * np.int32(size[1]) + iv
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        place = first + np.int32(a * size[1] + b)
        r = radii.take(place)
        across = (fu - (centre_u + np.float32(a)).take(place)) * np.float32(du)
        along = (fv - (centre_v + np.float32(b)).take(place)) * np.float32(dv)
        dome = (r - (across * across + along * along) / r) / np.float32(radius[1])
        dome *= taken.take(place) <= density
        higher = dome > height
        np.copyto(height, dome, where=higher)
        np.copyto(highest, place, where=higher)
    return height, np.where(height > 0, tints.take(highest), np.float32(0))


def smoothstep(values: Plane, low: float, high: float) -> Plane:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    result: Plane = t * t * (3 - 2 * t)
    return result
