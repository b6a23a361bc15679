"""Which cells to ask for: unlike each other, and where there are labels, those that teach most."""

from collections.abc import Sequence

import numpy as np

from aerial_kedro.labelling.clusters import cluster

# Clusters of the first level; each further level has twice as many.
_FIRST_LEVEL = 12
# Rounds of asking for more clusters than cells, where touching ones were left out.
_MOST_LEVELS = 12
# Times as many cells as are asked for, of which those unlike each other are taken.
_POOL = 10


class Places:
    """Where cells are, and which of them touch one that is taken.

    Parameters
    ----------
    places
        Zone, column and row of each cell on the grid of all cells, integer, ``(cells, 3)``. The
        year does not matter: a cell touches itself in another year.
    """

    def __init__(self, places: np.ndarray) -> None:
        self._places = [tuple(map(int, each)) for each in places]
        self._near: set[tuple[int, ...]] = set()

    def take(self, position: int) -> None:
        """Take a cell: those that touch it, by a side or a corner, are no longer free."""
        zone, column, row = self._places[position]
        self._near |= {
            (zone, column + across, row + up) for across in (-1, 0, 1) for up in (-1, 0, 1)
        }

    def are_free(self, positions: np.ndarray) -> np.ndarray:
        """Say which cells touch none that is taken: bool."""
        return np.array([self._places[each] not in self._near for each in positions], dtype=bool)


def spread(
    features: np.ndarray, pool: np.ndarray, places: Places, count: int, seed: int
) -> np.ndarray:
    """Choose cells that stand for all kinds of ground, the commonest and most unlike first.

    The cells are clustered into few clusters, then into twice as many, and so on. Of each cluster
    that holds no chosen cell yet the one nearest to its centre is chosen, so that any beginning of
    the list covers the ground, and none is an outlier.

    Parameters
    ----------
    features
        Numbers of all cells, float, ``(cells, numbers)``.
    pool
        Positions of the cells that may be chosen.
    places
        Where they are: no two touch, nor one that was taken before. The chosen ones are taken.
    count
        How many to choose; fewer come back where there are no more that do not touch.
    seed
        Seed of the clusters.

    Returns
    -------
    numpy.ndarray
        Positions, in order.
    """
    own = np.asarray(features[pool], dtype=np.float32)
    chosen: list[int] = []
    clusters = min(_FIRST_LEVEL, count)
    for _ in range(_MOST_LEVELS):
        if len(chosen) >= count or not len(pool):
            break
        clusters = min(clusters, len(pool))
        of, distances = cluster(own, clusters, chosen, seed)
        chosen += _choose_of_clusters(of, distances, chosen, pool, places)
        if clusters == len(pool):
            break
        clusters *= 2
    return pool[np.array(chosen[:count], dtype=np.intp)]


def _choose_of_clusters(
    of: np.ndarray, distances: np.ndarray, chosen: list[int], pool: np.ndarray, places: Places
) -> list[int]:
    """Choose a cell of each cluster that holds none; the largest cluster first."""
    sizes = np.bincount(of)
    held = set(of[chosen].tolist())
    found = []
    for each in np.argsort(-sizes, kind="stable").tolist():
        if each in held:
            continue
        members = np.flatnonzero(of == each)
        members = members[places.are_free(pool[members])]
        if len(members):
            nearest = int(members[distances[members].argmin()])
            places.take(int(pool[nearest]))
            found.append(nearest)
    return found


def find_uncertain(probabilities: np.ndarray, count: int) -> np.ndarray:
    """Find the cells whose two likeliest classes are the closest.

    Parameters
    ----------
    probabilities
        Of the classes, ``(cells, classes)``.
    count
        How many will be chosen of them: ten times as many come back, at most half of all.

    Returns
    -------
    numpy.ndarray
        Positions, the most uncertain first.
    """
    ordered = np.sort(probabilities, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    return np.argsort(margins, kind="stable")[: _pool_of(count, len(margins))]


def find_unlike(features: np.ndarray, known: np.ndarray, count: int) -> np.ndarray:
    """Find the cells that are the least like any that is labelled.

    Parameters
    ----------
    features
        Of the cells, ``(cells, numbers)``.
    known
        Of those labelled, ``(labelled, numbers)``.
    count
        How many will be chosen of them: ten times as many come back, at most half of all.

    Returns
    -------
    numpy.ndarray
        Positions, the most unlike first.
    """
    own, labelled = (np.asarray(each, dtype=np.float64) for each in (features, known))
    lengths = (labelled**2).sum(axis=1)
    nearest = (lengths - 2 * own @ labelled.T).min(axis=1) + (own**2).sum(axis=1)
    return np.argsort(-nearest, kind="stable")[: _pool_of(count, len(own))]


def _pool_of(count: int, cells: int) -> int:
    """Size of the pool: at most half of the cells, unless more are asked for."""
    return min(_POOL * count, max(count, cells // 2))


def find_doubtful(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Find labelled cells that a model which has not seen their block gives another class.

    Parameters
    ----------
    labels
        Position of each cell's class, integer, ``(cells,)``.
    predicted
        Probabilities of the classes by the labels of other blocks, ``(cells, classes)``.

    Returns
    -------
    numpy.ndarray
        Positions, those whose label is the least probable first.
    """
    of_label = predicted[np.arange(len(labels)), labels]
    doubtful = np.flatnonzero(predicted.argmax(axis=1) != labels)
    return doubtful[np.argsort(of_label[doubtful], kind="stable")]


def interleave(lists: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Order the items of several lists so that each beginning has its share of every list.

    Returns
    -------
    list
        Number of the list, and position in it.

    Examples
    --------
    >>> interleave([range(4), range(2)])
    [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (0, 3)]
    """
    places = [
        ((each + 0.5) / len(items), number, each)
        for number, items in enumerate(lists)
        for each in range(len(items))
    ]
    return [(number, each) for _, number, each in sorted(places)]
