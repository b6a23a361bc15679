"""Nodes that compare years."""

from __future__ import annotations

import itertools
import logging

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from aerial_kedro.change.estimation import estimate_change

LOGGER = logging.getLogger(__name__)

CHANGE_COLUMNS = [
    "tile_id", "year_before", "year_after", "class_before", "class_after", "probability",
    "transition_probability", "rank", "expected_changes", "lon", "lat",
]  # fmt: skip


def compare_years(predictions: DataFrame) -> pd.DataFrame:
    """Estimate the probability of change of every place between each year and the next.

    Places that the land cover gave to a class which no model learns (water) are left out: they
    have no probabilities.

    Parameters
    ----------
    predictions
        `aerial_kedro.schemas.PREDICTION_COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        `CHANGE_COLUMNS`, the likeliest change first; ``expected_changes`` is the expected number of
        true changes among the first ``rank`` places. Empty with one year only.
    """
    scored = predictions.filter("decided_by = 'model' and year is not null")
    example = scored.select("probabilities").first()
    names = sorted(example["probabilities"]) if example else []
    # A column for each class: a million places are a million rows of numbers here, not of objects.
    probabilities = [
        F.col("probabilities")[name].alias(column)
        for name, column in zip(names, _columns(names), strict=True)
    ]
    frame = (
        scored.select("tile_id", "year", "lon", "lat", *probabilities).orderBy("tile_id").toPandas()
    )
    years = sorted(int(year) for year in frame["year"].unique())
    pairs = [_compare(frame, names, *pair) for pair in itertools.pairwise(years)]
    if not pairs:
        return pd.DataFrame(columns=CHANGE_COLUMNS)
    return pd.concat(pairs, ignore_index=True)[CHANGE_COLUMNS]


def _columns(names: list[str]) -> list[str]:
    return [f"p{position}" for position in range(len(names))]


def _compare(frame: pd.DataFrame, names: list[str], before: int, after: int) -> pd.DataFrame:
    columns = _columns(names)
    both = frame[frame["year"] == before].merge(
        frame.loc[frame["year"] == after, ["tile_id", *columns]],
        on="tile_id",
        suffixes=("", " after"),
    )
    if not len(both):
        LOGGER.warning("No place was seen in both %d and %d", before, after)
        return pd.DataFrame(columns=CHANGE_COLUMNS)
    found = estimate_change(
        both[columns].to_numpy(), both[[f"{name} after" for name in columns]].to_numpy()
    )
    LOGGER.info(
        "%d to %d: %.1f %% of %s places changed (estimate)",
        before, after, 100 * found.rate, f"{len(both):,}",
    )  # fmt: skip
    table = both[["tile_id", "lon", "lat"]].assign(
        year_before=before,
        year_after=after,
        class_before=np.array(names)[found.before],
        class_after=np.array(names)[found.after],
        probability=found.probability,
        transition_probability=found.transition,
    )
    ranked = table.sort_values(["probability", "tile_id"], ascending=[False, True])
    return ranked.assign(
        rank=np.arange(1, len(ranked) + 1), expected_changes=ranked["probability"].cumsum()
    )
