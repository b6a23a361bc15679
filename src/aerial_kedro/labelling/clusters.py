"""K-means in plain numpy: the same result for the same seed, whatever the number of threads."""

from collections.abc import Sequence

import numpy as np

_ROUNDS = 8


def cluster(
    features: np.ndarray, clusters: int, begun: Sequence[int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cluster cells (Lloyd's algorithm, seeded as k-means++ does).

    Parameters
    ----------
    features
        ``(cells, numbers)``, float32 or float64.
    clusters
        Number of clusters, at most the number of cells.
    begun
        Positions of cells that are the first centres; of more than ``clusters`` the first count.
    seed
        Seed of the further centres.

    Returns
    -------
    of : numpy.ndarray
        Cluster of each cell, integer, ``(cells,)``.
    distances : numpy.ndarray
        Squared distance of each cell to its centre, of the same shape.
    """
    lengths = (features**2).sum(axis=1)
    centres = features[_first_centres(features, lengths, clusters, begun, seed)].copy()
    of = np.full(len(features), -1)
    for _ in range(_ROUNDS):
        squared = _squared_distances(features, lengths, centres)
        now = squared.argmin(axis=1)
        if (now == of).all():
            break
        of = now
        centres = _means(features, of, centres)
    squared = _squared_distances(features, lengths, centres)
    of = squared.argmin(axis=1)
    return of, squared[np.arange(len(of)), of]


def _first_centres(
    features: np.ndarray, lengths: np.ndarray, clusters: int, begun: Sequence[int], seed: int
) -> list[int]:
    """Choose centres, each with a probability that grows with the distance to those before."""
    draw = np.random.default_rng(seed)
    centres = list(begun[:clusters]) or [int(draw.integers(len(features)))]
    distances = _squared_distances(features, lengths, features[centres]).min(axis=1)
    while len(centres) < clusters:
        distances[centres] = 0
        total = distances.sum()
        chances = distances / total if total > 0 else None  # None: all cells are centres' twins
        centres.append(int(draw.choice(len(features), p=chances)))
        further = _squared_distances(features, lengths, features[centres[-1:]])[:, 0]
        distances = np.minimum(distances, further)
    return centres


def _squared_distances(
    features: np.ndarray, lengths: np.ndarray, centres: np.ndarray
) -> np.ndarray:
    products = features @ centres.T
    squared = lengths[:, None] - 2 * products + (centres**2).sum(axis=1)
    return np.asarray(np.maximum(squared, 0))


def _means(features: np.ndarray, of: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Average the cells of each cluster; an empty cluster keeps its centre."""
    order = np.argsort(of, kind="stable")
    held, starts = np.unique(of[order], return_index=True)
    sums = np.add.reduceat(features[order], starts, axis=0)
    found = centres.copy()
    found[held] = sums / np.diff([*starts, len(of)])[:, None]
    return found
