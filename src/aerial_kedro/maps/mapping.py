"""The class that a map shows for each tile: the likeliest, or none where the model is unsure."""

from collections.abc import Collection, Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, StrictBool

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.maps.cells import fit_grid, is_on_global_grid
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.tiles.grid import CellGrid
from aerial_kedro.tiles.squares import centres


class MapSettings(CheckedModel):
    """Settings by which predictions become a map.

    Parameters
    ----------
    min_probability
        Tiles whose likeliest class is less probable than this are mapped as unsure, 0–1. Below
        one half that class is likelier wrong than right; 0 maps every tile.
    smoothing
        Whether each cell (or tile) takes the commonest class of its neighbourhood of 3 by 3.
    """

    min_probability: float = Field(strict=True, ge=0, le=1)
    smoothing: StrictBool


def mapped_classes(tiles: pd.DataFrame, settings: MapSettings) -> pd.Series:
    """Determine the class that the map shows for each tile.

    Tiles whose class comes from the land cover (water) are never unsure and keep their class.

    Parameters
    ----------
    tiles
        ``year, epsg, xmin, ymin, xmax, ymax, pred_label, probability, decided_by``.
    settings
        The probability below which the map abstains, and whether it is smoothed afterwards.

    Returns
    -------
    pandas.Series
        Class, `UNSURE`, or None where there is no prediction; indexed as ``tiles``.

    Raises
    ------
    AerialError
        If tiles that are to be smoothed overlap.
    """
    by_model = (tiles["decided_by"] == "model").to_numpy()
    shown = tiles["pred_label"].astype(object).where(tiles["pred_label"].notna(), None)
    probability = tiles["probability"].astype(float).to_numpy()
    unsure = by_model & shown.notna().to_numpy() & (probability < settings.min_probability)
    shown = shown.mask(unsure, UNSURE)
    if settings.smoothing and len(tiles):
        smooth = smooth_classes(shown, _cells(tiles), fixed=~by_model, silent=[UNSURE])
        shown = pd.Series(smooth, index=tiles.index, dtype=object)
    return shown.rename("mapped_class")


def _cells(tiles: pd.DataFrame) -> np.ndarray:
    """Place tiles on their grids: zone and year, row and column, shape ``(n, 3)``."""
    cells = np.empty((len(tiles), 3), dtype=np.int64)
    cells[:, 0] = tiles.groupby(["epsg", "year"], dropna=False).ngroup()
    own_grid = not is_on_global_grid(tiles)
    for number in np.unique(cells[:, 0]):
        chosen = cells[:, 0] == number
        part = tiles[chosen]
        size = float((part["xmax"] - part["xmin"]).iloc[0])
        grid = fit_grid(part) if own_grid else CellGrid(size, size)
        col, row = grid.position(*centres(part))
        cells[chosen, 1:] = np.floor(np.stack([row, col], axis=1))
    return cells


def smooth_classes(
    classes: Sequence[str | None] | pd.Series,
    cells: ArrayLike,
    *,
    fixed: ArrayLike | None = None,
    silent: Collection[str] = (),
) -> NDArray[np.object_]:
    """Assign each tile the commonest class among itself and its up to eight neighbours.

    A plurality (majority) filter of 3 by 3 tiles, as is usual after a per-pixel classification;
    see Stuckens, J., Coppin, P. R. and Bauer, M. E. (2000), "Integrating contextual information
    with per-pixel classification for improved land cover classification", Remote Sensing of
    Environment 71(3).

    A class must have more votes than every other to replace a tile's own; in a tie the tile keeps
    its class. All tiles are evaluated at once, from the classes before smoothing. A tile at the
    edge of the map counts the neighbours that it has.

    Parameters
    ----------
    classes
        Class of each of the ``n`` tiles; None where there is no prediction. Those tiles neither
        vote nor get a class.
    cells
        Integers of shape ``(n, 3)``: which grid (such as zone and year), row and column. Tiles of
        different grids are no neighbours.
    fixed
        Booleans of shape ``(n,)``: tiles that vote but keep their class.
    silent
        Classes that do not vote; their tiles can be filled by their neighbours.

    Returns
    -------
    numpy.ndarray
        The classes, shape ``(n,)``, in the order given; None where there was none.

    Raises
    ------
    AerialError
        If two tiles lie in one cell.
    ValueError
        If the lengths differ.

    Examples
    --------
    A shrub among forests goes, the border to the field stays:

    >>> rows = ["FFFfff", "FSFfff", "FFFfff"]
    >>> cells = [(0, row, col) for row in range(3) for col in range(6)]
    >>> found = smooth_classes([name for row in rows for name in row], cells)
    >>> for row in found.reshape(3, 6):
    ...     print("".join(row))
    FFFfff
    FFFfff
    FFFfff
    """
    codes, names = pd.factorize(pd.Series(classes, dtype=object))
    places = np.asarray(cells, dtype=np.int64).reshape(-1, 3)
    if len(places) != len(codes):
        raise ValueError(f"{len(codes)} classes for {len(places)} cells: give one for each tile.")
    if len(np.unique(places, axis=0)) < len(places):
        raise AerialError(
            "Some tiles overlap, so they have no neighbourhood of 3 by 3 to be smoothed in. Run "
            "with --params=mapping.smoothing=false."
        )
    if not len(names):
        return np.full(len(codes), None, dtype=object)
    has_class = codes >= 0
    voting = has_class & ~np.isin(codes, [i for i, name in enumerate(names) if name in silent])
    votes = _count_votes(codes, places, voting, len(names))
    most = votes.max(axis=1)
    is_strict = (votes == most[:, None]).sum(axis=1) == 1  # without votes, all classes tie
    changes = has_class & is_strict
    if fixed is not None:
        changes &= ~np.asarray(fixed, dtype=bool)
    labels = np.array([*names, None], dtype=object)  # the code -1 is "no prediction"
    return np.asarray(labels[np.where(changes, votes.argmax(axis=1), codes)])


def _count_votes(
    codes: NDArray[np.int64], places: NDArray[np.int64], voting: NDArray[np.bool_], classes: int
) -> NDArray[np.int8]:
    """Count the votes that each tile's neighbourhood casts: shape ``(n, classes)``."""
    keys, step_of_row = _keys(places)
    order = np.argsort(keys)
    ranked = keys[order]
    votes = np.zeros((len(codes), classes), dtype=np.int8)
    for down, right in product((-1, 0, 1), repeat=2):
        wanted = keys + down * step_of_row + right
        # Looked up in a sorted list, not in an array: scenes may lie far apart on a grid.
        at = np.searchsorted(ranked, wanted).clip(max=len(ranked) - 1)
        neighbour = order[at]
        counted = np.flatnonzero((ranked[at] == wanted) & voting[neighbour])
        votes[counted, codes[neighbour[counted]]] += 1
    return votes


def _keys(places: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return a number for each cell, such that neighbours differ by a fixed step, and a row's step.

    A free row and column on each side keep the ends of rows, and grids, apart.
    """
    low = places.min(axis=0)
    height, width = (places.max(axis=0) - low + 3)[1:]
    grid, row, col = (places - low).T
    return (grid * height + row + 1) * width + col + 1, int(width)
