"""How much a few labelled cells teach, found by leaving blocks out: every label teaches and tests.

Where labels are few, holding a third of them back would cost more than it shows. So each block is
predicted by a fit on all others, whose penalty is chosen within these alone (nested
cross-validation, Varma & Simon 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from threadpoolctl import threadpool_limits

from aerial_kedro.errors import AerialError
from aerial_kedro.models.few_rows import inverse_penalty
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.splits.folds import assign_folds, training_tiles

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

NOTHING_TO_LEARN = (
    "Without any one part of the labelled ground there are labels of one class only, so that "
    "nothing can be learned and tested. Label each class in several places."
)

_INNER_FOLDS = 3
_FEWEST_CLASSES = 2
_LEAST_CHANCE = 1e-6


class FewLabelSettings(CheckedModel):
    """How accuracy is found where every label teaches.

    Parameters
    ----------
    folds
        Most parts that blocks are left out in; fewer where there are fewer blocks.
    buffer_m
        Least distance in metres between tiles that a fit learns from and those left out.
    reg_params
        Penalties of the logistic regression to choose from, as Spark ML counts them.
    max_iter
        Most iterations of the logistic regression.
    curve_shares
        Shares of the labels that the learning curve is taken at, besides all of them.
    """

    folds: int = Field(ge=2)
    buffer_m: float = Field(ge=0)
    reg_params: tuple[float, ...] = Field(min_length=1)
    max_iter: int = Field(gt=0)
    curve_shares: tuple[float, ...] = ()


@dataclass(frozen=True)
class LabelledCells:
    """Labelled cells as a classifier sees them.

    Parameters
    ----------
    numbers
        What is known of each cell, ``(n, inputs)``, float32.
    labels
        Class of each, ``(n,)``, object.
    units
        What is left out together, ``(n,)``, object: its block.
    groups
        What was labelled at once, ``(n,)``: the years of a place, the cells of a polygon.
    tiles
        ``lon, lat, size_m`` of each one's tile.
    """

    numbers: NDArray[np.float32]
    labels: NDArray[np.object_]
    units: NDArray[np.object_]
    groups: NDArray[np.int64]
    tiles: pd.DataFrame

    def __getitem__(self, chosen: NDArray[np.bool_]) -> LabelledCells:
        """Take some of the cells."""
        return LabelledCells(
            self.numbers[chosen],
            self.labels[chosen],
            self.units[chosen],
            self.groups[chosen],
            self.tiles[chosen].reset_index(drop=True),
        )

    def folds(self, most: int, seed: int) -> NDArray[np.object_]:
        """Assign each cell's unit to a fold, each class about evenly: names, ``(n,)``."""
        counts = pd.crosstab(self.units, self.labels)
        names = assign_folds(counts, min(most, len(counts)), seed)
        return np.array([names[each] for each in self.units], dtype=object)

    def known_without(
        self, folds: NDArray[np.object_], fold: str, buffer_m: float
    ) -> NDArray[np.bool_]:
        """Find the cells that a fit without a fold may learn from: none within the buffer of it."""
        tiles = self.tiles.assign(fold=folds)
        return training_tiles(tiles, fold, buffer_m).to_numpy(dtype=bool)


def unite(links: pd.DataFrame, cells: int) -> NDArray[np.int64]:
    """Give cells that share anything one number, ``(cells,)``.

    Parameters
    ----------
    links
        ``cell`` (position) and ``thing`` (whatever it shares with others): a row each.
    cells
        Number of cells.

    Examples
    --------
    A polygon labels the cells 0 and 1, another 1 and 2; cell 3 stands alone:

    >>> links = pd.DataFrame({"cell": [0, 1, 1, 2], "thing": ["a", "a", "b", "b"]})
    >>> unite(links, 4).tolist()
    [0, 0, 0, 1]
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    things, shared = pd.factorize(links["thing"])
    nodes = cells + len(shared)
    graph = coo_matrix(
        (np.ones(len(links)), (links["cell"].to_numpy(int), cells + things)), shape=(nodes, nodes)
    )
    return np.asarray(connected_components(graph, directed=False)[1][:cells], dtype=np.int64)


def choose_units(
    blocks: Sequence[str], tiles: Sequence[str]
) -> tuple[list[str], Literal["blocks", "tiles"]]:
    """Choose what is left out together: blocks, or tiles where all labels lie in one block.

    Parameters
    ----------
    blocks, tiles
        Block and tile of each labelled cell.

    Returns
    -------
    tuple
        The unit of each cell, and what units are: ``blocks`` or ``tiles``.

    Raises
    ------
    AerialError
        If all labels lie in one tile.

    Examples
    --------
    >>> choose_units(["a", "a"], ["t1", "t2"])
    (['t1', 't2'], 'tiles')
    """
    if len(set(blocks)) > 1:
        return list(blocks), "blocks"
    if len(set(tiles)) > 1:
        return list(tiles), "tiles"
    raise AerialError(
        "All labels lie in one tile, so that none can be predicted from elsewhere. Add labels in "
        "other places."
    )


def choose_penalty(cells: LabelledCells, settings: FewLabelSettings, seed: int) -> float:
    """Choose the penalty of the least log-loss on units left out; the strongest without any.

    Not by the share that is right: of a few dozen labels it takes few values, and many penalties
    share the best.
    """
    from sklearn.linear_model import LogisticRegression

    strongest = max(settings.reg_params)
    if len(settings.reg_params) == 1 or len(set(cells.units)) < _FEWEST_CLASSES:
        return strongest
    losses = dict.fromkeys(settings.reg_params, 0.0)
    folds = cells.folds(_INNER_FOLDS, seed)
    for fold in np.unique(folds):
        known, unseen = cells[folds != fold], cells[folds == fold]
        if len(set(known.labels)) < _FEWEST_CLASSES:
            continue
        # From the strongest on, each fit begins where the one before ended.
        model = LogisticRegression(max_iter=settings.max_iter, warm_start=True, tol=1e-3)
        for penalty in sorted(losses, reverse=True):
            chances = fit_regression(model, known, penalty).predict_proba(unseen.numbers)
            own = _chance_of_label(chances, model.classes_, unseen.labels)
            losses[penalty] -= float(np.log(np.maximum(own, _LEAST_CHANCE)).sum())
    return min(losses, key=lambda each: (losses[each], -each))


def predict_left_out(
    cells: LabelledCells, settings: FewLabelSettings, classes: Sequence[str], seed: int
) -> pd.DataFrame:
    """Predict every cell by a fit on other units, its penalty chosen on these alone.

    Parameters
    ----------
    cells
        The labelled cells.
    settings
        Folds and penalties.
    classes
        Class names; the order of the probabilities.
    seed
        Seed of the folds.

    Returns
    -------
    pandas.DataFrame
        A row a cell, in order: ``label, pred_label, fold``; ``class_probabilities``; ``learned``,
        whether the fit knew the cell's class. Cells of a fold without which fewer than two classes
        are left have no row.

    Raises
    ------
    AerialError
        If no fold leaves two classes to learn.
    """
    folds = cells.folds(settings.folds, seed)
    parts = []
    # OpenBLAS's threads wait for each other by spinning, which products this small do not repay.
    with threadpool_limits(limits=1, user_api="blas"):
        for fold in np.unique(folds):
            model = fit_chosen(
                cells[cells.known_without(folds, fold, settings.buffer_m)], settings, seed
            )
            if model is None:
                continue
            positions = np.flatnonzero(folds == fold)
            found = np.zeros((len(positions), len(classes)))
            columns = [list(classes).index(name) for name in model.classes_]
            found[:, columns] = model.predict_proba(cells.numbers[positions])
            parts.append(
                pd.DataFrame(
                    {
                        "label": cells.labels[positions],
                        "pred_label": np.array(classes, dtype=object)[found.argmax(axis=1)],
                        "fold": fold,
                        "class_probabilities": list(found),
                        "learned": np.isin(cells.labels[positions], model.classes_),
                    },
                    index=positions,
                )
            )
    if not parts:
        raise AerialError(NOTHING_TO_LEARN)
    return pd.concat(parts).sort_index()


def fit_chosen(
    cells: LabelledCells, settings: FewLabelSettings, seed: int
) -> LogisticRegression | None:
    """Fit with the penalty that `choose_penalty` finds; None where one class alone is labelled."""
    from sklearn.linear_model import LogisticRegression

    if len(set(cells.labels)) < _FEWEST_CLASSES:
        return None
    penalty = choose_penalty(cells, settings, seed)
    return fit_regression(LogisticRegression(max_iter=settings.max_iter), cells, penalty)


def fit_regression(
    model: LogisticRegression, cells: LabelledCells, penalty: float
) -> LogisticRegression:
    """Fit with a penalty as Spark ML counts it."""
    count = len(cells.labels)
    model.set_params(C=inverse_penalty(penalty, count, len(set(cells.labels))))
    return model.fit(cells.numbers, cells.labels)


def _chance_of_label(
    chances: NDArray[np.float64], classes: Sequence[str], labels: NDArray[np.object_]
) -> NDArray[np.float64]:
    """Probability of each cell's own class; 0 where the fit does not know it."""
    position = {name: column for column, name in enumerate(classes)}
    columns = np.array([position.get(each, -1) for each in labels])
    own = chances[np.arange(len(labels)), columns]
    return np.where(columns >= 0, own, 0.0)
