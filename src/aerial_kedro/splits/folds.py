"""Folds for cross-validation: whole blocks, with the buffer around each fold's test tiles."""

import pandas as pd

from aerial_kedro.errors import AerialError
from aerial_kedro.splits.rules import balance_blocks
from aerial_kedro.tiles.squares import lie_nearer


def assign_folds(counts: pd.DataFrame, folds: int, seed: int) -> dict[str, str]:
    """Assign whole blocks to folds, each class about evenly.

    Parameters
    ----------
    counts
        Number of labelled tiles for each block (index) and class (columns).
    folds
        Number of folds, two or more.
    seed
        Seed of the order of the blocks.

    Returns
    -------
    dict
        Block to fold, ``fold_1`` and so on.

    Raises
    ------
    AerialError
        If there are fewer blocks than folds.
    """
    if len(counts) < folds:
        raise AerialError(
            f"The labelled tiles lie in {len(counts)} block(s), which do not make "
            f"{folds} folds. Give a smaller `validation.folds`, or a larger area."
        )
    # Numbers of one width, so that the order by name is the order by number.
    names = [f"fold_{number:0{len(str(folds))}d}" for number in range(1, folds + 1)]
    return balance_blocks(counts, dict.fromkeys(names, 1 / folds), seed)


def training_tiles(tiles: pd.DataFrame, fold: str, buffer_m: float) -> pd.Series:
    """Find the tiles that a fold's model may learn from.

    Parameters
    ----------
    tiles
        ``fold, lon, lat, size_m``; several rows may be of one place, as of two years.
    fold
        Name of the fold to be tested.
    buffer_m
        Least distance in metres from the edge of any of its tiles.

    Returns
    -------
    pandas.Series
        Bool, indexed as ``tiles``.
    """
    tested = tiles["fold"] == fold
    learned = ~tested
    others = tiles[learned]
    learned[learned] = ~lie_nearer(others, tiles[tested], buffer_m)
    return learned
