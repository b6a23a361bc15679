"""Smooth random fields and scattered points, the raw material of every texture."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Plane = NDArray[np.float32]
Scales = tuple[tuple[float, float], ...]
"""Scale and amplitude of several noises."""

# A cubic B-spline averages neighbouring coefficients; this brings unit variance back.
_SPLINE_GAIN = 2.08
_ALL = slice(None)


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
        """Weights of uniform cubic B-splines at some places, and to which coefficients.

        As de Boor's recurrence gives them on knots of distance 1.
        """
        positions = np.clip((along - start) / self.spacing, 0, size - 3.001)
        left = np.floor(positions)
        t = positions - left
        first, last = int(left.min()), int(left.max()) + 4
        p, q = (1 - t) / 2, t / 2
        a, b, c = p * (1 - t) / 3, (p * (1 + t) + q * (2 - t)) / 3, q * t / 3
        weights = np.empty((len(t), 4), np.float32)
        weights[:, 0] = a * (1 - t)
        weights[:, 1] = a * (2 + t) + b * (2 - t)
        weights[:, 2] = b * (1 + t) + c * (3 - t)
        weights[:, 3] = c * t
        places = (left - first).astype(np.int32)[:, None] + np.arange(4, dtype=np.int32)
        rows = np.arange(0, weights.size + 1, 4, dtype=np.int32)
        # Sparse, so that they stay away from the linear algebra library, whose results differ in
        # the last bit from one processor to the next.
        shape = len(t), last - first
        matrix = sparse.csr_array((weights.ravel(), places.ravel(), rows), shape=shape)
        return matrix, slice(first, last)


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, rows: slice = _ALL
) -> Plane:
    """Smooth noise of zero mean and about unit variance.

    Parameters
    ----------
    rng
        Source of the noise.
    shape
        Rows and columns.
    scale
        About the size of the noise's spots in pixels.
    rows
        Which of the rows are wanted.
    """
    down, across = (np.arange(length, dtype=np.float64) for length in shape)
    return Field.draw(rng, (0, 0, shape[1], shape[0]), scale).at(across, down[rows])


def add_noises(
    onto: Plane,
    rng: np.random.Generator,
    scales: Scales,
    within: tuple[int, slice] | None = None,
) -> Plane:
    """Add smooth noises of several scales, in pixels, to a number for each pixel.

    If these are of some rows within more, it takes how many there are, and which these are.
    """
    whole, rows = within or (len(onto), _ALL)
    for scale, amplitude in scales:
        noise = smooth_noise(rng, (whole, onto.shape[1]), scale, rows)
        noise *= np.float32(amplitude)
        noise += onto
        onto = noise
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
    iu = (cu - cu.min()).astype(np.intp)
    iv = (cv - cv.min()).astype(np.intp)
    size = (int(iu.max()) + 2, int(iv.max()) + 2)
    centre_u, centre_v = 0.5 + rng.uniform(-jitter, jitter, (2, *size)).astype(np.float32)
    radii = rng.uniform(*radius, size).astype(np.float32)
    taken, tints = rng.random((2, *size), dtype=np.float32)
    height, tint = np.zeros_like(gu), np.zeros_like(gu)
    fu, fv, first = gu - cu, gv - cv, iu * size[1] + iv
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):

        def of_place(numbers: Plane, step: int = a * size[1] + b) -> Plane:
            drawn: Plane = numbers.ravel()[step:].take(first)
            return drawn

        r = of_place(radii)
        dome = fu - of_place(centre_u + np.float32(a))
        along = fv - of_place(centre_v + np.float32(b))
        dome *= np.float32(du)
        along *= np.float32(dv)
        dome *= dome
        along *= along
        dome += along
        dome /= r
        np.subtract(r, dome, out=dome)
        dome /= np.float32(radius[1])
        dome *= of_place(taken) <= density
        higher = dome > height
        np.copyto(height, dome, where=higher)
        np.copyto(tint, of_place(tints), where=higher)
    return height, tint


def smoothstep(values: Plane, low: float, high: float) -> Plane:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    t = values - np.float32(low)
    t /= np.float32(high - low)
    np.clip(t, 0, 1, out=t)
    slope = 2 * t
    np.subtract(3, slope, out=slope)
    t *= t
    t *= slope
    return t
