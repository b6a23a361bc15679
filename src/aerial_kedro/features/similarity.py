"""How alike two sets of feature vectors are."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import normalize


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine similarity of the rows of two arrays of shape ``(n, features)``: ``(n,)`` float64.

    Two rows of zeros count as equal; a row with a value that is not finite gives NaN.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    finite = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
    both_zero = ~a.any(axis=1) & ~b.any(axis=1)
    found = np.full(len(a), np.nan)
    if finite.any():
        found[finite] = (normalize(a[finite]) * normalize(b[finite])).sum(axis=1)
    return np.where(both_zero, 1.0, found)


def smallest_cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Return the least of the `cosines`; NaN if one of them is."""
    return float(cosines(first, second).min())
