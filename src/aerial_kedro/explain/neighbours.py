"""Tiles that are similar to the model: nearest by the angle between their features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cosine_similarity(
    queries: NDArray[np.floating], others: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Cosine of the angle between feature vectors.

    Parameters
    ----------
    queries, others
        Arrays of shape ``(n, n_features)`` and ``(m, n_features)``.

    Returns
    -------
    numpy.ndarray
        ``(n, m)``, from −1 to 1; NaN for a vector of zeros, which has no direction.

    Examples
    --------
    >>> found = cosine_similarity(np.array([[3.0, 4.0]]), np.array([[6.0, 8.0], [4.0, 3.0]]))
    >>> found.round(2).tolist()
    [[1.0, 0.96]]
    """
    with np.errstate(invalid="ignore"):
        first, second = (
            each / np.linalg.norm(each, axis=1, keepdims=True)
            for each in (np.asarray(queries, np.float64), np.asarray(others, np.float64))
        )
    return np.asarray(np.clip(first @ second.T, -1, 1))


def nearest(
    queries: NDArray[np.floating], others: NDArray[np.floating], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the most similar vectors.

    Parameters
    ----------
    queries, others
        Arrays of shape ``(n, n_features)`` and ``(m, n_features)``.
    count
        Number of vectors to find; fewer where there are fewer.

    Returns
    -------
    positions
        ``(n, min(count, m))``: in ``others``, the nearest first; at a tie the first of them.
        Vectors of zeros come last.
    similarity
        Cosines of the angles, of the same shape.
    """
    found = cosine_similarity(queries, others)
    order = np.argsort(-found, axis=1, kind="stable")[:, :count]  # NaN sorts last
    return order, np.take_along_axis(found, order, axis=1)
