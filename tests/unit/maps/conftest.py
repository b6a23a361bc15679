"""Tiles with cells, on one zone's grid or on both sides of a border."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer

from aerial_kedro.cells.grid import pack
from aerial_kedro.tiles.grid import TileGrid, belongs_to_grid
from tests.builders import cell_of_origin, grid_tiles

BORDER_LON = -78.0


def with_cells(tiles: pd.DataFrame, classes: np.ndarray, confidence: np.ndarray) -> pd.DataFrame:
    return tiles.assign(
        cell_classes=pack(classes.astype(np.uint8)),
        cell_confidence=pack(confidence.astype(np.uint8)),
    )


def random_cells(tiles: pd.DataFrame, classes: int, seed: int = 0) -> pd.DataFrame:
    """A class for every cell and a confidence that tells where it lies in its tile."""
    rng = np.random.default_rng(seed)
    shape = (len(tiles), 7, 7)
    return with_cells(tiles, rng.integers(1, classes + 1, shape), rng.integers(1, 101, shape))


def places_at_border(lat: float, west: int = 18, east: int = 12, rows: int = 24) -> pd.DataFrame:
    """The places of zones 17 and 18 some tiles to the west and east of their border."""
    parts = []
    for epsg, side in ((26917, range(-west, 6)), (26918, range(-6, east))):
        centre = Transformer.from_crs(4326, epsg, always_xy=True).transform(BORDER_LON, lat)
        col, row = cell_of_origin(centre)
        cells = np.array([(col + c, row + r) for c in side for r in range(-rows // 2, rows // 2)])
        own = belongs_to_grid(cells[:, 0], cells[:, 1], TileGrid(epsg, 224.0))
        parts.append(grid_tiles([tuple(cell) for cell in cells[own]], epsg))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(params=[5.0, 25.0, 36.0, 48.5])
def border(request: pytest.FixtureRequest) -> pd.DataFrame:
    """Both sides of a border; in the far south the grids hardly turn, and the seam is straight."""
    return places_at_border(request.param)
