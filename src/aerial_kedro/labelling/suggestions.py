"""The list of cells for the labelling page, and why each is on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field

from aerial_kedro.labelling.learning import learn
from aerial_kedro.labelling.selection import (
    Places,
    find_doubtful,
    find_uncertain,
    find_unlike,
    interleave,
    spread,
)
from aerial_kedro.models.few_labels import LabelledCells
from aerial_kedro.parameters import CheckedModel, Names

UNLIKE_OTHERS = "Unlike the other cells on this page."
UNLIKE_LABELLED = "Unlike all cells that are labelled so far."
_FEWEST_CLASSES = 2


class SuggestRules(CheckedModel):
    """Which cells the labelling page asks for.

    Parameters
    ----------
    cells
        How many.
    classes
        Classes that the page begins with, besides those of labels that there are; more can be
        named on the page. ``A/B`` is read as two.
    candidates
        Of how many cells they are chosen, drawn over all tiles.
    share_doubtful
        Where there are labels: share of labelled cells that those of other blocks speak against.
    share_unlike
        Where there are labels: share of cells that are like none of the labelled ones. The rest
        are those that the labels leave open.
    """

    cells: int = Field(gt=0, le=5000)
    classes: Names = ()
    candidates: int = Field(gt=0, le=200_000)
    share_doubtful: float = Field(ge=0, le=0.5)
    share_unlike: float = Field(ge=0, le=0.5)


def suggest(
    candidates: pd.DataFrame, rules: SuggestRules, names: Sequence[str], seed: int
) -> pd.DataFrame:
    """Choose the cells that the page asks for.

    Parameters
    ----------
    candidates
        `cells.candidates.CANDIDATE_COLUMNS`.
    rules
        How many, and of which kinds.
    names
        Classes in the order of the labels.
    seed
        Seed of all choices.

    Returns
    -------
    pandas.DataFrame
        ``cell_id, year, lon, lat, given, why`` in the order of the page. No two touch, and none
        touches a labelled one; ``given`` is the label of a cell that has one, else None.
    """
    cells = _Cells.of(candidates, names, seed)
    places = Places(cells.rows[["epsg", "column", "row"]].to_numpy())
    for each in cells.labelled.tolist():
        places.take(each)
    if not len(cells.labelled):
        chosen = spread(cells.features, cells.free, places, rules.cells, seed).tolist()
        return cells.pick(chosen, dict.fromkeys(chosen, UNLIKE_OTHERS))
    doubtful = _find_doubtful(cells, rules)
    uncertain = _find_open(cells, places, rules, len(doubtful), seed)
    unlike = _find_unlike(cells, places, rules.cells - len(doubtful) - len(uncertain), seed)
    lists = [list(each) for each in (uncertain, unlike, doubtful)]
    order = [lists[number][each] for number, each in interleave(lists)]
    return cells.pick(order, unlike | uncertain | doubtful)


@dataclass
class _Cells:
    """Candidates, and what the labels say of them."""

    rows: pd.DataFrame
    features: np.ndarray
    labels: np.ndarray
    names: Sequence[str]
    seed: int

    @classmethod
    def of(cls, candidates: pd.DataFrame, names: Sequence[str], seed: int) -> Self:
        rows = candidates.sort_values(["image_id", "cell_id"], ignore_index=True)
        features = np.array(rows["features"].tolist(), dtype=np.float32)
        return cls(rows, features, rows["label"].to_numpy(int), names, seed)

    @cached_property
    def labelled(self) -> np.ndarray:
        return np.flatnonzero(self.labels > 0)

    @cached_property
    def free(self) -> np.ndarray:
        return np.flatnonzero(self.labels == 0)

    @cached_property
    def learned(self) -> tuple[np.ndarray, np.ndarray | None] | None:
        """What `learn` finds of the free and of the labelled cells; None where it cannot."""
        known = self.labels[self.labelled] - 1
        if len(np.unique(known)) < _FEWEST_CLASSES or not len(self.free):
            return None
        labels = np.array(self.names, dtype=object)[known]
        rows = self.rows.iloc[self.labelled].reset_index(drop=True)
        cells = LabelledCells(
            self.features[self.labelled],
            labels,
            rows["block_id"].fillna("").to_numpy(object),
            pd.factorize(rows["cell_id"])[0],
            rows[["lon", "lat"]].assign(size_m=0.0),
        )
        return learn(cells, self.features[self.free], self.names, self.seed)

    def pick(self, positions: Sequence[int], why: Mapping[int, str]) -> pd.DataFrame:
        given = [self.names[self.labels[each] - 1] if self.labels[each] else None
                 for each in positions]  # fmt: skip
        rows = self.rows.iloc[list(positions)][["cell_id", "year", "lon", "lat"]]
        return rows.reset_index(drop=True).assign(
            given=pd.Series(given, dtype=object),
            why=pd.Series([why[each] for each in positions], dtype=object),
        )


def _find_doubtful(cells: _Cells, rules: SuggestRules) -> dict[int, str]:
    """Find labelled cells that may be wrong: their position, and why they are asked for again."""
    if cells.learned is None or cells.learned[1] is None:
        return {}
    known, left_out = cells.labels[cells.labelled] - 1, cells.learned[1]
    found = find_doubtful(known, left_out)[: round(rules.cells * rules.share_doubtful)]
    return {
        int(cells.labelled[each]): _say_doubt(left_out[each], int(known[each]), cells.names)
        for each in found
    }


def _find_open(
    cells: _Cells, places: Places, rules: SuggestRules, doubtful: int, seed: int
) -> dict[int, str]:
    """Find cells that the labels leave open: their position, and between which classes."""
    if cells.learned is None:
        return {}
    chances = cells.learned[0]
    row_of = {int(position): row for row, position in enumerate(cells.free)}
    away = np.flatnonzero(places.are_free(cells.free))
    count = rules.cells - doubtful - round(rules.cells * rules.share_unlike)
    pool = cells.free[away[find_uncertain(chances[away], count)]]
    chosen = spread(cells.features, pool, places, count, seed)
    return {int(each): _say_open(chances[row_of[int(each)]], cells.names) for each in chosen}


def _find_unlike(cells: _Cells, places: Places, count: int, seed: int) -> dict[int, str]:
    """Find cells that are like none of the labelled ones."""
    away = cells.free[places.are_free(cells.free)]
    if not len(away):
        return {}
    pool = away[find_unlike(cells.features[away], cells.features[cells.labelled], count)]
    return dict.fromkeys(
        spread(cells.features, pool, places, count, seed).tolist(), UNLIKE_LABELLED
    )


def _say_open(chances: np.ndarray, names: Sequence[str]) -> str:
    second, first = np.argsort(chances, kind="stable")[-2:]
    return (
        f"The labels so far leave open whether it is {names[first]} ({chances[first]:.0%}) or "
        f"{names[second]} ({chances[second]:.0%})."
    )


def _say_doubt(chances: np.ndarray, label: int, names: Sequence[str]) -> str:
    likeliest = int(chances.argmax())
    return (
        f"It is labelled {names[label]}; labels in other places suggest {names[likeliest]} "
        f"({chances[likeliest]:.0%})."
    )
