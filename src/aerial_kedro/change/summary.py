"""Change between the last two years in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from aerial_kedro.change.assessment import (
    ChangeAssessment,
    Expectation,
    assess_change,
    expect_changes,
)
from aerial_kedro.change.comparison import last_comparison


class ChangeSummary(BaseModel):
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
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: int | None = None
    after: int | None = None
    classes: list[str] = Field(default_factory=list)
    counts: list[list[int]] = Field(default_factory=list)
    places: int = 0
    expected_changes: float = 0.0
    first: list[Expectation] = Field(default_factory=list)
    assessment: ChangeAssessment | None = None

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
