"""The probability of change of every place between each year and the next."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from aerial_kedro.change.estimation import estimate_change

LOGGER = logging.getLogger(__name__)

CHANGE_COLUMNS = [
    "tile_id", "year_before", "year_after", "class_before", "class_after", "probability",
    "transition_probability", "rank", "expected_changes", "lon", "lat",
]  # fmt: skip


def probability_columns(classes: Sequence[str]) -> list[str]:
    """Name the column of each class's probability.

    Examples
    --------
    >>> probability_columns(["Forest", "Shrub"])
    ['p0', 'p1']
    """
    return [f"p{position}" for position in range(len(classes))]


def compare_places(places: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Estimate the probability of change of every place between each year and the next.

    Parameters
    ----------
    places
        ``tile_id, year, lon, lat`` and `probability_columns`: one row for each place and year.
    classes
        Class names, in the order of the columns.

    Returns
    -------
    pandas.DataFrame
        `CHANGE_COLUMNS`, the likeliest change first; ``expected_changes`` is the expected number of
        true changes among the first ``rank`` places. Empty with one year only.
    """
    years = sorted(int(year) for year in places["year"].unique())
    pairs = [_compare(places, classes, *pair) for pair in itertools.pairwise(years)]
    if not pairs:
        return pd.DataFrame(columns=CHANGE_COLUMNS)
    return pd.concat(pairs, ignore_index=True)[CHANGE_COLUMNS]


def _compare(places: pd.DataFrame, classes: Sequence[str], before: int, after: int) -> pd.DataFrame:
    columns = probability_columns(classes)
    both = places[places["year"] == before].merge(
        places.loc[places["year"] == after, ["tile_id", *columns]],
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
        class_before=np.array(classes)[found.before],
        class_after=np.array(classes)[found.after],
        probability=found.probability,
        transition_probability=found.transition,
    )
    ranked = table.sort_values(["probability", "tile_id"], ascending=[False, True])
    return ranked.assign(
        rank=np.arange(1, len(ranked) + 1), expected_changes=ranked["probability"].cumsum()
    )


def last_comparison(change: pd.DataFrame) -> pd.DataFrame:
    """Keep the change between the last two years."""
    last: pd.DataFrame = change[change["year_after"] == change["year_after"].max()]
    return last
