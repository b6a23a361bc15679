"""Change of every cell between two years, worked out where the cells lie: in Spark's workers.

The shares of the pairs of classes are estimated from a sample of cells, by the method of
`aerial_kedro.change.comparison`; then each cell's two years are weighed against them.

That method takes what two years say of a place as independent. Of a cell it is not: half forest
and half field, it looks so in both years, and a model that doubts it once doubts it twice. The
disagreements that such doubts foretell do not come, and true change is taken for them: on the
embedded sample for half of it. So probabilities are sharpened, by the power at which the two years
together are most probable.
"""

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from aerial_kedro.cells.drawing import numbers_of_cells
from aerial_kedro.cells.grid import COUNT, SIDE, pack, unpack
from aerial_kedro.change.comparison import estimate_transitions, weigh_pairs
from aerial_kedro.maps.fine import cells_of_column
from aerial_kedro.parameters import CheckedModel

LOGGER = logging.getLogger(__name__)
PAIR_COLUMNS: dict[str, str] = {
    "tile_id": "string", "epsg": "int", "xmin": "double", "ymin": "double", "xmax": "double",
    "ymax": "double", "lon": "double", "lat": "double",
    "chances_before": "binary", "chances_after": "binary",
}  # fmt: skip
"""A tile in two years: its place, and the stored probabilities of its cells' classes."""

DRAWN_COLUMNS: dict[str, str] = {"tile_id": "string", "drawn": "binary"}

CELL_CHANGE_COLUMNS: dict[str, str] = {
    **{name: kind for name, kind in PAIR_COLUMNS.items() if not name.startswith("chances")},
    "year_before": "int",
    "year_after": "int",
    # 49 bytes: 1 + position of the likeliest class, both years considered together.
    "class_before": "binary",
    "class_after": "binary",
    # 49 bytes: probability that the class changed, in percent.
    "change_probability": "binary",
    # Mean of the same over the tile's cells, 0 to 1, not rounded.
    "expected_share": "double",
}
"""Change of a tile's cells between two years, a row a tile."""

_TILES = 256  # weighed at once: forty-nine numbers a cell stay in the processor's cache
_PERCENT = 100
# A stored 0 is any probability below half a step of a byte: it does not make a class impossible.
_STEPS = np.arange(256) + 0.25
_POWERS = (0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
# Cells by which the power is chosen; more would choose no other.
_CHOOSING = 20_000


class Transitions(CheckedModel):
    """What became of what between two years, over all cells that were seen in both.

    Parameters
    ----------
    before, after
        The years.
    cells, sampled
        Number of cells compared, and of those that the shares were estimated from.
    sharpness
        Power that the classifier's probabilities are raised to.
    learned
        Mean of these over the sampled cells of both years: the share of each class that they hold
        already.
    shares
        Share of all cells that each pair of classes has: rows before, columns after.
    """

    before: int
    after: int
    cells: int = Field(ge=0)
    sampled: int = Field(ge=0)
    sharpness: float = Field(gt=0)
    learned: list[float]
    shares: list[list[float]]

    @property
    def rate(self) -> float:
        """Estimated share of the cells that changed."""
        return float(1.0 - np.trace(np.array(self.shares)))

    def likelihoods(self, stored: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Turn stored probabilities ``(n, classes)`` into what `estimate_transitions` takes."""
        return np.asarray((_STEPS**self.sharpness)[stored] / np.array(self.learned))


class CellTransitions(CheckedModel):
    """The transitions between each year and the next.

    Parameters
    ----------
    classes
        Class names, by the values of the map: value 1 is the first.
    values
        Value of each class that the classifier knows, in the order of its probabilities and of
        the shares.
    colours
        Colours of the user's own, class to ``#rrggbb``.
    pairs
        One for each year and the next that have a place in common.
    """

    classes: list[str]
    values: list[int]
    colours: dict[str, str] = Field(default_factory=dict)
    pairs: list[Transitions] = Field(default_factory=list)

    @property
    def known_classes(self) -> list[str]:
        """Names of the classes in the order of the shares."""
        return [self.classes[value - 1] for value in self.values]


def draw_pairs(frames: Iterator[pd.DataFrame], share: float, seed: int) -> Iterator[pd.DataFrame]:
    """Draw cells at random (``mapInPandas``): the same ones whatever the frames.

    Parameters
    ----------
    frames
        `PAIR_COLUMNS`.
    share
        Share of the cells to draw, 0–1.
    seed
        Seed of the draw.

    Yields
    ------
    pandas.DataFrame
        `DRAWN_COLUMNS` of tiles with a drawn cell: ``(cells, 2, classes)`` bytes.
    """
    for frame in frames:
        if not len(frame):
            continue
        drawn = numbers_of_cells(frame["tile_id"].tolist(), seed) < share
        both = np.stack([_stored(frame[f"chances_{when}"]) for when in ("before", "after")], axis=2)
        chosen = drawn.any(axis=1)
        yield pd.DataFrame(
            {
                "tile_id": frame["tile_id"].to_numpy()[chosen],
                "drawn": [both[tile, drawn[tile]].tobytes() for tile in np.flatnonzero(chosen)],
            }
        )


def estimate_shares(
    drawn: pd.DataFrame, classes: int, *, before: int, after: int, cells: int, seed: int
) -> Transitions:
    """Estimate the shares of the pairs of classes from drawn cells.

    Parameters
    ----------
    drawn
        All that `draw_pairs` drew, in any order.
    classes
        Number of classes that the classifier knows.
    before, after, cells
        The years, and the number of cells drawn from.
    seed
        Seed of the choice of cells by which the power is chosen.

    Raises
    ------
    ValueError
        If no cell was drawn.
    """
    ordered = drawn.sort_values("tile_id")["drawn"]
    both = np.frombuffer(b"".join(ordered), np.uint8).reshape(-1, 2, classes)
    sharpness = _choose_power(both, seed)
    learned, shares, _ = _fit(both, sharpness)
    return Transitions(
        before=before,
        after=after,
        cells=cells,
        sampled=len(both),
        sharpness=sharpness,
        learned=learned.tolist(),
        shares=shares.tolist(),
    )


def _choose_power(both: NDArray[np.uint8], seed: int) -> float:
    """Choose the power at which both years ``(cells, 2, classes)`` together are most probable."""
    # At random: every so many cells might all be of one column of their tiles.
    few = min(_CHOOSING, len(both))
    some = both[np.random.default_rng(seed).choice(len(both), few, replace=False)]
    best = max(_POWERS, key=lambda power: _fit(some, power)[2])
    if best in (_POWERS[0], _POWERS[-1]):
        said = "Cells' probabilities are raised to the power %g, the last that is tried: the best "
        LOGGER.warning(said + "may lie beyond. Take the estimate of change with care", best)
    return best


def _fit(
    both: NDArray[np.uint8], power: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Give the mean of the sharpened probabilities, the shares, and the mean log-likelihood.

    The likelihood is of both years over that of each for itself: how much their being of one
    place explains.
    """
    chances = (_STEPS**power)[both]
    chances /= chances.sum(axis=-1, keepdims=True)
    learned = chances.mean(axis=(0, 1))
    first, second = (chances[:, year] / learned for year in (0, 1))
    shares = estimate_transitions(first, second)
    together = ((first @ shares) * second).sum(axis=1)
    return learned, shares, float(np.log(together).mean())


def compare_cells(
    frames: Iterator[pd.DataFrame], transitions: Transitions, values: Sequence[int]
) -> Iterator[pd.DataFrame]:
    """Work out every cell's probability of change (``mapInPandas``).

    Parameters
    ----------
    frames
        `PAIR_COLUMNS`.
    transitions
        The shares of the pairs of classes.
    values
        Value on the map of each class, in the order of the stored probabilities.

    Yields
    ------
    pandas.DataFrame
        `CELL_CHANGE_COLUMNS`.
    """
    for frame in frames:
        for start in range(0, len(frame), _TILES):
            tiles = frame.iloc[start : start + _TILES].reset_index(drop=True)
            yield _compare_tiles(tiles, transitions, np.asarray(values, np.uint8))


def _compare_tiles(
    tiles: pd.DataFrame, transitions: Transitions, values: NDArray[np.uint8]
) -> pd.DataFrame:
    first, second = (
        transitions.likelihoods(_stored(tiles[f"chances_{when}"]).reshape(-1, len(values)))
        for when in ("before", "after")
    )
    found = weigh_pairs(first, second, np.array(transitions.shares))
    grid = (len(tiles), SIDE, SIDE)
    probability = found["probability"].to_numpy().reshape(grid)
    own = [name for name in PAIR_COLUMNS if name in CELL_CHANGE_COLUMNS]
    return tiles[own].assign(
        year_before=transitions.before,
        year_after=transitions.after,
        class_before=pack(values[found["before"].to_numpy()].reshape(grid)),
        class_after=pack(values[found["after"].to_numpy()].reshape(grid)),
        change_probability=pack((_PERCENT * probability).round().clip(0, 100).astype(np.uint8)),
        expected_share=probability.mean(axis=(1, 2)),
    )


def _stored(column: pd.Series) -> NDArray[np.uint8]:
    """Take out stored probabilities ``(tiles, 49, classes)``, in steps of a byte."""
    found = unpack(column.tolist())
    return found.reshape(len(column), COUNT, -1)


def shares_of_tiles(cell_change: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Sum up the cells of each tile.

    Parameters
    ----------
    cell_change
        `CELL_CHANGE_COLUMNS`.
    classes
        Class names by value.

    Returns
    -------
    pandas.DataFrame
        ``tile_id, year_before, year_after``; ``changed_share``, the share of the cells whose
        likeliest classes differ; ``shares_before, shares_after``, class to its share of the
        cells, 0–1.
    """
    before, after = (
        cells_of_column(cell_change[f"class_{when}"]).reshape(-1, COUNT)
        for when in ("before", "after")
    )
    tiles = cell_change[["tile_id", "year_before", "year_after"]].reset_index(drop=True)
    return tiles.assign(
        changed_share=(before != after).mean(axis=1),
        shares_before=_shares(before, classes),
        shares_after=_shares(after, classes),
    )


def _shares(cells: NDArray[np.uint8], classes: Sequence[str]) -> pd.Series:
    shown = {
        name: (cells == value).mean(axis=1)
        for value, name in enumerate(classes, start=1)
        if (cells == value).any()
    }
    rows = pd.DataFrame(shown, index=range(len(cells))).to_dict("records")
    return pd.Series(rows, dtype=object)
