"""Which pixels of a raster are a parcel's, in a year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aerial_kedro.county.classes import KINDS, Kind, LandClass
from aerial_kedro.county.frame import Frame
from aerial_kedro.county.noise import Plane
from aerial_kedro.county.parcels import Parcel
from aerial_kedro.county.plan import Plan

_RULED = (LandClass.DEVELOPED, LandClass.CULTIVATED)
_SEAM_M = 0.05


@dataclass(frozen=True)
class Patch:
    """The pixels of a frame on which a parcel lies.

    Parameters
    ----------
    parcel, kind
        The parcel and its kind in the year.
    window
        Rows and columns in the frame.
    u, v
        Layout coordinates of the window's pixels.
    mask
        The window's pixels that are the parcel's.
    """

    parcel: Parcel
    kind: Kind
    window: tuple[slice, slice]
    u: Plane
    v: Plane
    mask: NDArray[np.bool_]

    def to_road(self) -> Plane:
        """Distance to the middle of the road around the estate in metres."""
        return self.parcel.estate.inside(self.u, self.v)


def patches_of(plan: Plan, year: int, frame: Frame) -> Iterator[Patch]:
    """Find the patches of all parcels on a frame, in `painting_order`."""
    for parcel in painting_order(plan, year):
        patch = patch_of(plan, parcel, year, frame)
        if patch is not None:
            yield patch


def painting_order(plan: Plan, year: int) -> list[Parcel]:
    """Sort parcels as they are painted: wild land last, so that it can grow over ruled land."""
    return sorted(plan.parcels, key=lambda parcel: not _is_ruled(parcel, year))


def _is_ruled(parcel: Parcel, year: int) -> bool:
    return KINDS[parcel.kind_in(year)].land_class in _RULED


def patch_of(plan: Plan, parcel: Parcel, year: int, frame: Frame) -> Patch | None:
    """Find the pixels of a parcel; None if the frame has none of it."""
    window = frame.window(parcel.bounds)
    if window is None:
        return None
    part = frame.part(*window)
    u, v = plan.bend.layout(part.xs, part.ys)
    spread = np.zeros_like(u)
    if not _is_ruled(parcel, year):
        spread = np.clip(4 + 5 * plan.wobble.at(part.xs, part.ys), 0, 14)
    mask = parcel.plot.inside(u, v) > -_SEAM_M - spread
    mask &= parcel.estate.inside(u, v) > -_SEAM_M
    if not mask.any():
        return None
    # A parcel's bounds are coarse and wide; nothing is drawn where it surely is not.
    rows, columns = _extent(mask, axis=1), _extent(mask, axis=0)
    window = _within(window[0], rows), _within(window[1], columns)
    kind = KINDS[parcel.kind_in(year)]
    return Patch(parcel, kind, window, u[rows, columns], v[rows, columns], mask[rows, columns])


def _extent(mask: NDArray[np.bool_], axis: int) -> slice:
    """Give the rows (``axis=1``) or columns (``axis=0``) between the first and last that count."""
    places = np.flatnonzero(mask.any(axis=axis))
    return slice(int(places[0]), int(places[-1]) + 1)


def _within(outer: slice, inner: slice) -> slice:
    return slice(outer.start + inner.start, outer.start + inner.stop)
