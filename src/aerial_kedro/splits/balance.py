"""Assigning whole blocks to sets of tiles, so that every class is divided as wanted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd


def balance_blocks(counts: pd.DataFrame, shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Assign blocks to sets, each class in about the shares wanted.

    Blocks are taken in random order, those with the rarest classes first; each is assigned to the
    set that lacks most of the classes in it.

    Parameters
    ----------
    counts
        Number of labelled tiles for each block (index) and class (columns); no block is empty.
    shares
        Share of the tiles of each class that each set is to have, above 0.
    seed
        Seed of the order of the blocks; their order in ``counts`` does not matter.

    Returns
    -------
    dict
        Block to set.

    Examples
    --------
    >>> counts = pd.DataFrame({"Forest": [8, 4, 4], "Barren": [0, 2, 2]}, index=list("abc"))
    >>> sorted(balance_blocks(counts, {"left": 0.5, "right": 0.5}, seed=1).items())
    [('a', 'left'), ('b', 'right'), ('c', 'left')]
    """
    names, wanted_shares = list(shares), np.array(list(shares.values()))
    counts = counts.sort_index()
    counts = counts.loc[:, counts.sum(axis=0) > 0]
    weights = counts / counts.sum(axis=0)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(counts))
    order = order[np.argsort(-weights.max(axis=1).to_numpy()[order], kind="stable")]
    wanted = np.tile(wanted_shares[:, None], (1, weights.shape[1]))
    assigned: dict[str, str] = {}
    for index in order:
        block = weights.iloc[index].to_numpy()
        # What is still wanted of the classes in this block, relative to the set's share.
        need = (wanted * block).sum(axis=1) / block.sum() / wanted_shares
        choice = int(np.argmax(need))
        wanted[choice] -= block
        assigned[str(counts.index[index])] = names[choice]
    return assigned
