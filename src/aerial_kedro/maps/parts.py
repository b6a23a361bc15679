"""Parts of a zone: tiles that touch stay together, whatever lies far apart is divided."""

import numpy as np
import pandas as pd

# A rectangle of so many tiles takes little memory, however few of them there are.
_SMALL = 20_000
# A larger one is divided where it has more places than this for each tile.
_SPARSE = 4


def divide_apart(tiles: pd.DataFrame) -> list[np.ndarray]:
    """Divide one zone's tiles into parts whose rectangles are small, or hold few gaps.

    Tiles that touch, by a side or a corner, are in one part. So what looks at neighbours can take
    one part after another, each in a `zone_grid` of its own, however far apart they lie.

    Parameters
    ----------
    tiles
        ``xmin, ymin, xmax`` of tiles of the fixed global grid, in one zone.

    Returns
    -------
    list of numpy.ndarray
        Positions of the tiles of each part, ascending; every tile is in one.

    Examples
    --------
    >>> edges = {"xmin": [0.0, 9e6, 224.0], "ymin": [0.0, 9e6, 224.0]}
    >>> tiles = pd.DataFrame(edges | {"xmax": [224.0, 9e6 + 224, 448.0]})
    >>> [part.tolist() for part in divide_apart(tiles)]
    [[0, 2], [1]]
    """
    size = float((tiles["xmax"] - tiles["xmin"]).iloc[0])
    places = (tiles[["xmin", "ymin"]].to_numpy(float) / size).round().astype(np.int64)
    group = _groups_that_touch(places)
    in_order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[in_order], prepend=-1))
    members = np.split(in_order, starts[1:])
    lower, upper = (each.reduceat(places[in_order], starts) for each in (np.minimum, np.maximum))
    counts = np.diff(starts, append=len(group))
    parts, waiting = [], [np.arange(len(members))]
    while waiting:
        some = waiting.pop()
        extent = upper[some].max(axis=0) - lower[some].min(axis=0) + 1
        if len(some) == 1 or extent.prod() <= max(_SMALL, _SPARSE * counts[some].sum()):
            parts.append(np.sort(np.concatenate([members[each] for each in some])))
            continue
        longer = extent.argmax()
        middles = lower[some, longer] + upper[some, longer]
        beyond = middles > (middles.min() + middles.max()) / 2
        if beyond.all() or not beyond.any():  # all have the same middle
            beyond = np.arange(len(some)) % 2 == 1
        waiting += [some[beyond], some[~beyond]]
    return sorted(parts, key=lambda part: int(part[0]))


def _groups_that_touch(places: np.ndarray) -> np.ndarray:
    """Give each place ``(n, 2)`` the number of its group of places that touch, ``(n,)``."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    columns, rows = (places - places.min(axis=0)).T
    height = int(rows.max()) + 3  # no column's last row is beside the next one's first
    keys = columns * height + rows
    in_order = np.argsort(keys, kind="stable")
    ordered = keys[in_order]
    ones, others = [], []
    for step in (0, 1, height - 1, height, height + 1):  # 0: a place given twice stays in one part
        at = np.searchsorted(ordered, keys + step).clip(max=len(keys) - 1)
        held = np.flatnonzero(ordered[at] == keys + step)
        ones.append(held)
        others.append(in_order[at[held]])
    links = (np.concatenate(ones), np.concatenate(others))
    beside = coo_array((np.ones(len(links[0]), np.int8), links), shape=(len(keys), len(keys)))
    groups: np.ndarray = connected_components(beside, directed=False)[1]
    return groups
