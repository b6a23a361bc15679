"""What every engine does."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Engine(Protocol):
    """Turns tiles into features.

    Attributes
    ----------
    batch
        Number of tiles at once that is fastest, a tile; measured on one core.
    """

    batch: int

    def run(self, tiles: np.ndarray) -> np.ndarray:
        """Features, float32 ``(n, n_features)``, of tiles, uint8 ``(n, size, size, 3)``."""
