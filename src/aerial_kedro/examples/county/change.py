"""What becomes of the land between the first flight and the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from aerial_kedro.examples.county.classes import KINDS, LandClass
from aerial_kedro.examples.county.parcels import Parcel

TRANSITIONS: Mapping[LandClass, tuple[tuple[str, float], ...]] = {
    LandClass.FOREST: (("cutover", 0.5), ("suburb", 0.25), ("graded", 0.25)),
    LandClass.CULTIVATED: (("suburb", 0.45), ("commercial", 0.25), ("meadow", 0.3)),
    LandClass.BARREN: (("commercial", 0.5), ("suburb", 0.3), ("meadow", 0.2)),
    LandClass.HERBACEOUS: (("thicket", 0.5), ("suburb", 0.25), ("row_crop", 0.25)),
    LandClass.SHRUB: (("plantation", 0.5), ("mixed_forest", 0.3), ("graded", 0.2)),
    LandClass.DEVELOPED: (),
}
"""What a class can turn into, and how likely that is."""

ROTATION: tuple[tuple[str, float], ...] = (
    ("row_crop", 0.42),
    ("ploughed", 0.24),
    ("strip_crop", 0.16),
    ("fallow", 0.18),
)
"""Kinds of field that follow one another on the same parcel, with no change of class."""


def change_some(
    rng: np.random.Generator, parcels: Sequence[Parcel], share: float, years: tuple[int, int]
) -> tuple[Parcel, ...]:
    """Let parcels change their class until a share of the county has changed.

    Parameters
    ----------
    rng
        Source of every choice.
    parcels
        All parcels.
    share
        Share of the county to change.
    years
        Years of the first and the last flight; changes fall between them.
    """
    first, last = years
    changed = {parcel.index: parcel for parcel in parcels}
    total = 0.0
    for number in rng.permutation(len(parcels)):
        parcel = parcels[number]
        outcomes = TRANSITIONS[KINDS[parcel.kind].land_class]
        fits = 0 < parcel.area_share <= 1.15 * (share - total)
        if not outcomes or not fits or first == last:
            continue
        chances = np.array([chance for _, chance in outcomes])
        later = outcomes[int(rng.choice(len(outcomes), p=chances))][0]
        year = int(rng.integers(first + 1, last + 1))
        changed[parcel.index] = replace(parcel, later_kind=later, change_year=year)
        total += parcel.area_share
    return tuple(changed.values())


def crop_in(rng: np.random.Generator, kind: str) -> str:
    """Choose the kind of field that this year's rotation brings; other kinds of land stay.

    Parameters
    ----------
    rng
        Source of the choice, one for each parcel and year.
    kind
        Kind of the parcel.
    """
    names = [name for name, _ in ROTATION]
    if kind not in names:
        return kind
    return str(rng.choice(names, p=[chance for _, chance in ROTATION]))
