"""The learning curve: what fewer labels would have given, and so whether more labels pay."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from threadpoolctl import threadpool_limits

from aerial_kedro.models.few_labels import (
    FewLabelSettings,
    LabelledCells,
    fit_chosen,
)
from aerial_kedro.parameters import CheckedModel

_FEWEST_CLASSES = 2
# Draws of a share of the labels, each fitted as often as all of them: many where they cost little.
_MOST_DRAWS, _LABELS_OF_DRAWS = 5, 1_000
# Points of accuracy; less is within what another draw of the labels would change.
_WORTHWHILE = 1.0


class CurvePoint(CheckedModel):
    """Accuracy that a share of the labels would have given.

    Parameters
    ----------
    labels
        Number of labels, over all classes: what was labelled at once counts once.
    share
        Their share of all labels, 0–1.
    accuracy
        Share of the labels of blocks left out that was found; the mean over ``draws``.
    lowest, highest
        The least and the most of the draws.
    draws
        How many times that share was drawn.
    """

    labels: int
    share: float = Field(gt=0, le=1)
    accuracy: float = Field(ge=0, le=1)
    lowest: float = Field(ge=0, le=1)
    highest: float = Field(ge=0, le=1)
    draws: int = Field(gt=0)


def draw_learning_curve(
    cells: LabelledCells, settings: FewLabelSettings, classes: Sequence[str], seed: int
) -> list[CurvePoint]:
    """Find what fewer labels would have given, class by class the same share of them.

    A share that leaves some class fewer than two labels is left out. What is labelled at once (the
    years of a place, the cells of a polygon) is drawn at once.

    Parameters
    ----------
    cells, settings, classes, seed
        As `predict_left_out` takes them. What is left out is tested whole; only what is learned
        from is thinned.

    Returns
    -------
    list of CurvePoint
        Fewest labels first; the last is of all.
    """
    folds = cells.folds(settings.folds, seed)
    points = []
    for share in sorted({*settings.curve_shares, 1.0}):
        draws = 1
        if share < 1:
            draws = int(np.clip(_LABELS_OF_DRAWS // len(cells.labels), 1, _MOST_DRAWS))
        kept = [_thin(cells, share, seed + draw) for draw in range(draws)]
        if share < 1 and any(_fewest_groups(cells[each]) < _FEWEST_CLASSES for each in kept):
            continue
        found = [_accuracy(cells, each, folds, settings, seed) for each in kept]
        right = [each for each in found if each is not None]
        if right:
            points.append(
                CurvePoint(
                    labels=len(np.unique(cells.groups[kept[0]])),
                    share=share,
                    accuracy=float(np.mean(right)),
                    lowest=min(right),
                    highest=max(right),
                    draws=len(right),
                )
            )
    return points


def describe_curve(points: Sequence[CurvePoint]) -> str | None:
    """Say whether more labels pay: what the last step of the curve brought; None without one."""
    for before, after in list(pairwise(points))[-1:]:
        gain = 100 * (after.accuracy - before.accuracy)
        times = after.labels / before.labels
        end = (
            "more labels can be expected to help further"
            if gain >= _WORTHWHILE
            else "more labels of the same kind can be expected to help little"
        )
        return (
            f"{after.labels:,} labels instead of {before.labels:,} ({times:.1f} times as many) "
            f"changed the share right by {gain:+.1f} points: {end}."
        )
    return None


def _accuracy(
    cells: LabelledCells,
    kept: NDArray[np.bool_],
    folds: NDArray[np.object_],
    settings: FewLabelSettings,
    seed: int,
) -> float | None:
    """Share of all cells that fits on the kept ones of other folds find."""
    right, tested = 0, 0
    with threadpool_limits(limits=1, user_api="blas"):
        for fold in np.unique(folds):
            known = cells[kept & cells.known_without(folds, fold, settings.buffer_m)]
            model = fit_chosen(known, settings, seed)
            if model is None:
                continue
            unseen = cells[folds == fold]
            right += int((model.predict(unseen.numbers) == unseen.labels).sum())
            tested += len(unseen.labels)
    return right / tested if tested else None


def _thin(cells: LabelledCells, share: float, seed: int) -> NDArray[np.bool_]:
    """Draw a share of what was labelled at once of each class, rounded up.

    Not of cells: half the cells of every polygon, or one year of every place, is no half of the
    work of labelling, and teaches nearly as much as all.
    """
    random = np.random.default_rng(seed)
    kept = np.zeros(len(cells.labels), dtype=bool)
    for name in sorted(set(cells.labels)):
        own = cells.labels == name
        groups = np.unique(cells.groups[own])
        drawn = random.choice(groups, math.ceil(share * len(groups)), replace=False)
        kept |= own & np.isin(cells.groups, drawn)
    return kept


def _fewest_groups(cells: LabelledCells) -> int:
    """Count what was labelled at once of the class that has least of it."""
    frame = pd.DataFrame({"label": cells.labels, "group": cells.groups})
    return int(frame.groupby("label")["group"].nunique().min())
