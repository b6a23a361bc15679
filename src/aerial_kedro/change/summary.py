"""Change between the last two years in numbers, and how good they are where the truth is known.

Few places change, so accuracy over all of them says nothing: who reports no change at all is
mostly right. What counts is how many of the reported changes are true (precision), how many of
the true ones are reported (recall), and whether the probabilities foretell both.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from aerial_kedro.accuracy.interval import Proportion, proportion
from aerial_kedro.change.comparison import last_comparison
from aerial_kedro.change.patches import CellChangeSummary
from aerial_kedro.parameters import CheckedModel

FIRST = (10, 20, 50)
"""Lengths of the candidate lists that are evaluated."""

THRESHOLD = 0.5
"""A place above this probability counts as reported."""

_CURVE_POINTS = 200


class Expectation(CheckedModel):
    """Number of true changes to expect among the likeliest places, by their probabilities.

    Parameters
    ----------
    first
        How many places, the likeliest first.
    expected
        Sum of their probabilities.
    """

    first: int
    expected: float


class CandidateList(Expectation):
    """The likeliest places, evaluated.

    Parameters
    ----------
    precision
        True changes among them (``hits``), of all of them.
    recall
        True changes among them, of all true changes.
    """

    precision: Proportion
    recall: Proportion


class Detection(CheckedModel):
    """The places whose probability of change is above a threshold, evaluated.

    Parameters
    ----------
    threshold
        The probability.
    expected
        Number of true changes expected among the places above it.
    precision
        Truly changed, of the places above it.
    recall
        Above it, of the truly changed places.
    same_classes
        Both classes right, of the places above it that truly changed.
    """

    threshold: float
    expected: float
    precision: Proportion
    recall: Proportion
    same_classes: Proportion


class CurvePoint(Expectation):
    """Expected and true number of changes among the first places."""

    true: int


class ChangeAssessment(CheckedModel):
    """An estimate of change against the truth.

    Parameters
    ----------
    places, true_changes
        Places whose truth is known, and those that truly changed.
    expected_changes
        Sum of all their probabilities.
    detection
        The places above `THRESHOLD`.
    unseen
        The same for the places that took no part in training or in choosing the model; None
        without such a place.
    candidates
        The first 10, 20, 50, and as many as truly changed.
    average_precision
        Mean precision over the ranks of the true changes; None if nothing changed.
    curve
        Expected and true changes by rank, thinned.
    """

    places: int
    true_changes: int
    expected_changes: float
    detection: Detection
    unseen: Detection | None
    candidates: list[CandidateList]
    average_precision: float | None
    curve: list[CurvePoint]


class ChangeSummary(CheckedModel):
    """What became of what between the last two years, and how much of it is real.

    Parameters
    ----------
    before, after
        The two years; None where there is one year only.
    classes
        Class names; the order of the rows and columns of ``counts``.
    counts
        Places by likeliest class before (rows) and after (columns).
    places
        Number of places compared; 0 where there is one year only.
    expected_changes
        Sum of their probabilities.
    first
        Changes to expect among the likeliest places.
    assessment
        The estimate against known truth; None where there is none.
    cells
        Change by cells, in patches; None where the map is of tiles.
    """

    before: int | None = None
    after: int | None = None
    classes: list[str] = Field(default_factory=list)
    counts: list[list[int]] = Field(default_factory=list)
    places: int = 0
    expected_changes: float = 0.0
    first: list[Expectation] = Field(default_factory=list)
    assessment: ChangeAssessment | None = None
    cells: CellChangeSummary | None = None

    @model_validator(mode="after")
    def _counts_are_square(self) -> Self:
        size = len(self.classes)
        if len(self.counts) != size or any(len(row) != size for row in self.counts):
            raise ValueError(f"The change counts are not a table of {size} by {size} classes.")
        return self


def summarise_change(
    change: pd.DataFrame, true_classes: pd.DataFrame, classes: Sequence[str], seed: int
) -> ChangeSummary:
    """Sum up the change between the last two years, and evaluate it where the truth is known.

    Parameters
    ----------
    change
        `aerial_kedro.change.comparison.CHANGE_COLUMNS`.
    true_classes
        `aerial_kedro.change.reference.TRUTH_COLUMNS`; empty where no truth is known.
    classes
        Class names, in the order wanted for tables.
    seed
        Seed of the intervals' draws.
    """
    last = last_comparison(change)
    if not len(last):
        return ChangeSummary()
    names = [name for name in classes if name in {*last["class_before"], *last["class_after"]}]
    counts = pd.crosstab(last["class_before"], last["class_after"])
    known = last.merge(true_classes, on="tile_id")
    probability = last["probability"].to_numpy(dtype=float)
    return ChangeSummary(
        before=int(last["year_before"].iloc[0]),
        after=int(last["year_after"].iloc[0]),
        classes=names,
        counts=counts.reindex(index=names, columns=names, fill_value=0).to_numpy().tolist(),
        places=len(last),
        expected_changes=float(probability.sum()),
        first=expect_changes(probability),
        assessment=assess_change(known, seed) if len(known) else None,
    )


def expect_changes(
    probability: NDArray[np.floating], first: Sequence[int] = FIRST
) -> list[Expectation]:
    """Say how many true changes to expect among the first places.

    Lists longer than there are places are left out.

    Examples
    --------
    >>> expect_changes(np.array([0.25, 1.0, 0.5]), [2, 10])
    [Expectation(first=2, expected=1.5)]
    """
    sums = np.cumsum(np.sort(np.asarray(probability, dtype=np.float64))[::-1])
    return [
        Expectation(first=each, expected=float(sums[each - 1]))
        for each in first
        if each <= len(sums)
    ]


def assess_change(places: pd.DataFrame, seed: int = 0) -> ChangeAssessment:
    """Evaluate an estimate of change.

    Parameters
    ----------
    places
        One row a place whose truth is known: ``probability`` of change; ``class_before,
        class_after`` as estimated; ``true_before, true_after``; ``block_id``; ``unseen``, whether
        it took no part in training or in choosing the model. A place truly changed where its true
        classes differ.
    seed
        Seed of the intervals' draws.

    Raises
    ------
    ValueError
        If there is no place.
    """
    from sklearn.metrics import average_precision_score

    if not len(places):
        raise ValueError("There is no place whose truth is known: nothing can be evaluated.")
    # The likeliest first; places of equal probability in a fixed order.
    ranked = places.sort_values("probability", ascending=False, kind="stable")
    changed = (ranked["true_before"] != ranked["true_after"]).to_numpy()
    probability = ranked["probability"].to_numpy(dtype=float)
    lengths = sorted({*FIRST, int(changed.sum())} - {0})
    unseen = ranked["unseen"].to_numpy(dtype=bool)
    return ChangeAssessment(
        places=len(ranked),
        true_changes=int(changed.sum()),
        expected_changes=float(probability.sum()),
        detection=_detect(ranked, seed),
        unseen=_detect(ranked[unseen], seed) if unseen.any() else None,
        candidates=[
            _evaluate_first(ranked, changed, each, seed)
            for each in expect_changes(probability, lengths)
        ],
        average_precision=(
            float(average_precision_score(changed, probability)) if changed.any() else None
        ),
        curve=_curve(probability, changed),
    )


def _detect(ranked: pd.DataFrame, seed: int) -> Detection:
    reported = (ranked["probability"] > THRESHOLD).to_numpy()
    changed = (ranked["true_before"] != ranked["true_after"]).to_numpy()
    found = ranked[reported & changed]
    right = (found["class_before"] == found["true_before"]) & (
        found["class_after"] == found["true_after"]
    )
    blocks = ranked["block_id"]
    return Detection(
        threshold=THRESHOLD,
        expected=float(ranked.loc[reported, "probability"].sum()),
        precision=proportion(changed[reported], blocks[reported].tolist(), seed=seed),
        recall=proportion(reported[changed], blocks[changed].tolist(), seed=seed),
        same_classes=proportion(right, found["block_id"].tolist(), seed=seed),
    )


def _evaluate_first(
    ranked: pd.DataFrame, changed: NDArray[np.bool_], likeliest: Expectation, seed: int
) -> CandidateList:
    blocks = ranked["block_id"]
    listed = np.arange(len(ranked)) < likeliest.first
    return CandidateList(
        **likeliest.model_dump(),
        precision=proportion(changed[listed], blocks[listed].tolist(), seed=seed),
        recall=proportion(listed[changed], blocks[changed].tolist(), seed=seed),
    )


def _curve(probability: NDArray[np.float64], changed: NDArray[np.bool_]) -> list[CurvePoint]:
    """Take 200 points at most, close together where the list begins, which is read first."""
    ranks = np.unique(np.geomspace(1, len(changed), _CURVE_POINTS).round().astype(int))
    true = np.cumsum(changed)
    return [
        CurvePoint(**each.model_dump(), true=int(true[each.first - 1]))
        for each in expect_changes(probability, ranks.tolist())
    ]
