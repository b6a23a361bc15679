"""How alike two sets of feature vectors are."""

from __future__ import annotations

import numpy as np


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine similarity of the rows of two arrays of shape ``(n, features)``: ``(n,)`` float64.

    Two rows of zeros count as equal; NaN in either array gives NaN.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    both_zero = ~a.any(axis=1) & ~b.any(axis=1)
    products = (a * b).sum(axis=1) / np.where(norms == 0, 1.0, norms)
    return np.asarray(np.where(both_zero, 1.0, products))


def smallest_cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Least of the `cosines`."""
    return float(cosines(first, second).min())
