"""Smooth random fields and scattered points, the raw material of every texture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Plane = NDArray[np.float32]

# A cubic B-spline averages neighbouring coefficients; this brings unit variance back.
_SPLINE_GAIN = 2.08


def spline_weights(positions: NDArray[np.float64], size: int) -> sparse.csr_array:
    """Give the weights of uniform cubic B-splines at some positions.

    They are sparse and stay away from the linear algebra library, whose results differ in the
    last bit from one processor to the next.

    Parameters
    ----------
    positions
        Positions in units of the knot spacing, within ``[0, size - 3)``.
    size
        Number of coefficients.

    Returns
    -------
    sparse array of shape ``(len(positions), size)``
        Every row has four weights, which sum to 1.
    """
    cell = np.clip(np.floor(positions).astype(np.intp), 0, size - 4)
    t = positions - cell
    weights = np.stack(
        ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3), axis=1
    )
    columns = cell[:, None] + np.arange(4)
    starts = np.arange(0, columns.size + 1, 4)
    values = (weights / 6).astype(np.float32).ravel()
    return sparse.csr_array((values, columns.ravel(), starts), shape=(len(positions), size))


def _spread(down: sparse.csr_array, coefficients: Plane, across: sparse.csr_array) -> Plane:
    """Sum up the splines; the few coefficients first along the rows, as that is cheaper."""
    along_rows = np.ascontiguousarray((across @ coefficients.T).T)
    values: Plane = down @ along_rows
    return values


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Plane:
    """Smooth noise of zero mean and about unit variance.

    Parameters
    ----------
    rng
        Source of the coefficients.
    shape
        Rows and columns.
    scale
        Distance of the coefficients in pixels: about the size of the noise's spots.
    """
    sizes = [int(np.ceil(length / scale)) + 4 for length in shape]
    coefficients = rng.standard_normal(sizes, dtype=np.float32)
    down, across = (
        spline_weights(np.arange(length) / scale, size)
        for length, size in zip(shape, sizes, strict=True)
    )
    return _spread(down, coefficients * np.float32(_SPLINE_GAIN), across)


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
    ) -> Field:
        """Draw a field of zero mean and about unit variance over (west, south, east, north)."""
        west, south, east, north = bounds
        size = (
            int(np.ceil((north - south) / spacing)) + 5,
            int(np.ceil((east - west) / spacing)) + 5,
        )
        values = rng.standard_normal(size, dtype=np.float32) * np.float32(_SPLINE_GAIN)
        return cls(values.astype(np.float32), west, south, spacing)

    def at(self, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Plane:
        """Sample the field on a grid; the result has the shape ``(len(ys), len(xs))``."""
        across, columns = self._weights(xs, self.west, self.coefficients.shape[1])
        down, rows = self._weights(ys, self.south, self.coefficients.shape[0])
        return _spread(down, self.coefficients[rows, columns], across)

    def _weights(
        self, along: NDArray[np.float64], start: float, size: int
    ) -> tuple[sparse.csr_array, slice]:
        positions = np.clip((along - start) / self.spacing, 0, size - 3.001)
        first = int(np.floor(positions.min()))
        last = int(np.floor(positions.max())) + 4
        return spline_weights(positions - first, last - first), slice(first, last)


@dataclass(frozen=True)
class Domes:
    """Round things scattered over an area: crowns, bushes, heaps.

    Parameters
    ----------
    height
        1 at the top of the largest dome, 0 on the ground.
    tint
        A number in 0–1 for each dome, spread over its pixels.
    """

    height: Plane
    tint: Plane


def scatter_domes(
    rng: np.random.Generator,
    u: Plane,
    v: Plane,
    spacing: tuple[float, float],
    radius: tuple[float, float],
    *,
    jitter: float = 0.3,
    presence: float = 1.0,
    density: Plane | None = None,
) -> Domes:
    """Scatter round things over a jittered grid.

    Parameters
    ----------
    rng
        Source of places, sizes and tints.
    u, v
        Coordinates of the pixels in metres.
    spacing
        Grid spacing along ``u`` and ``v`` in metres.
    radius
        Smallest and largest radius in metres; above 0.7 of the spacing domes are cut off.
    jitter
        Largest shift of a centre, as a share of the spacing; at most 0.3.
    presence
        Share of the grid's places that are taken.
    density
        Share of the places taken at each pixel; overrides ``presence``.
    """
    du, dv = spacing
    # Only the four nearest places can reach a pixel, as jitter and radius are bounded.
    gu, gv = u / np.float32(du), v / np.float32(dv)
    cu, cv = np.floor(gu - 0.5), np.floor(gv - 0.5)
    iu = (cu - cu.min()).astype(np.int32)
    iv = (cv - cv.min()).astype(np.int32)
    size = (int(iu.max()) + 2, int(iv.max()) + 2)
    centre_u = (0.5 + rng.uniform(-jitter, jitter, size)).astype(np.float32).ravel()
    centre_v = (0.5 + rng.uniform(-jitter, jitter, size)).astype(np.float32).ravel()
    radii = rng.uniform(*radius, size).astype(np.float32).ravel()
    taken = rng.random(size, dtype=np.float32).ravel()
    tints = rng.random(size, dtype=np.float32).ravel()
    if density is None:
        radii[taken > presence] = 0.01
    height = np.zeros(u.shape, np.float32)
    tint = np.zeros(u.shape, np.float32)
    fu, fv = gu - cu, gv - cv
    for step in range(4):
        a, b = divmod(step, 2)
        place = (iu + a) * size[1] + (iv + b)
        r = radii[place]
        across = (fu - a - centre_u[place]) * np.float32(du)
        along = (fv - b - centre_v[place]) * np.float32(dv)
        dome = (r - (across * across + along * along) / r) / np.float32(radius[1])
        if density is not None:
            dome[taken[place] > density] = 0
        higher = dome > height
        np.copyto(height, dome, where=higher)
        np.copyto(tint, tints[place], where=higher)
    return Domes(height, tint)


def smoothstep(values: Plane, low: float, high: float) -> Plane:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    result: Plane = t * t * (3 - 2 * t)
    return result
