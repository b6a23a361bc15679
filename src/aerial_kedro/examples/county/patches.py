"""Which pixels of a raster are a parcel's, in a year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from aerial_kedro.examples.county.classes import KINDS, Kind, LandClass
from aerial_kedro.examples.county.frame import Frame
from aerial_kedro.examples.county.noise import Plane
from aerial_kedro.examples.county.parcels import Parcel
from aerial_kedro.examples.county.plan import Plan

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
    extent = extent_of(mask)
    if extent is None:
        return None
    # A parcel's bounds are coarse and wide; nothing is drawn where it surely is not.
    window = _within(window[0], extent[0]), _within(window[1], extent[1])
    return Patch(parcel, KINDS[parcel.kind_in(year)], window, u[extent], v[extent], mask[extent])


def extent_of(mask: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Give the rows and columns that hold all of a mask; None if it is empty."""
    found = ndimage.find_objects(mask.view(np.int8))
    return found[0] if found else None


def _within(outer: slice, inner: slice) -> slice:
    return slice(outer.start + inner.start, outer.start + inner.stop)
