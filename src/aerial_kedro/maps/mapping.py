"""The class that a map shows for each tile: the likeliest, or none where the model is unsure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.classes import UNSURE
from aerial_kedro.maps.cells import fit_grid, is_on_global_grid
from aerial_kedro.maps.smoothing import smooth_classes
from aerial_kedro.tiles.grid import CellGrid
from aerial_kedro.tiles.squares import centres


class MapSettings(BaseModel):
    """Settings by which predictions become a map.

    Parameters
    ----------
    min_probability
        Tiles whose likeliest class is less probable than this are mapped as unsure, 0–1. Below
        one half that class is likelier wrong than right; 0 maps every tile.
    smoothing
        Whether each tile takes the commonest class of its neighbourhood of 3 by 3 tiles.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    min_probability: float = Field(strict=True, ge=0, le=1)
    smoothing: StrictBool


def mapped_classes(tiles: pd.DataFrame, settings: MapSettings) -> pd.Series:
    """Determine the class that the map shows for each tile.

    Tiles whose class comes from the land cover (water) are never unsure and keep their class.

    Parameters
    ----------
    tiles
        ``year, epsg, xmin, ymin, xmax, ymax, pred_label, probability, decided_by``.
    settings
        The probability below which the map abstains, and whether it is smoothed afterwards.

    Returns
    -------
    pandas.Series
        Class, `UNSURE`, or None where there is no prediction; indexed as ``tiles``.

    Raises
    ------
    AerialError
        If tiles that are to be smoothed overlap.
    """
    by_model = (tiles["decided_by"] == "model").to_numpy()
    shown = tiles["pred_label"].astype(object).where(tiles["pred_label"].notna(), None)
    probability = tiles["probability"].astype(float).to_numpy()
    unsure = by_model & shown.notna().to_numpy() & (probability < settings.min_probability)
    shown = shown.mask(unsure, UNSURE)
    if settings.smoothing and len(tiles):
        smooth = smooth_classes(shown, _cells(tiles), fixed=~by_model, silent=[UNSURE])
        shown = pd.Series(smooth, index=tiles.index, dtype=object)
    return shown.rename("mapped_class")


def _cells(tiles: pd.DataFrame) -> np.ndarray:
    """Place tiles on their grids: zone and year, row and column, shape ``(n, 3)``."""
    cells = np.empty((len(tiles), 3), dtype=np.int64)
    cells[:, 0] = tiles.groupby(["epsg", "year"], dropna=False).ngroup()
    own_grid = not is_on_global_grid(tiles)
    for number in np.unique(cells[:, 0]):
        chosen = cells[:, 0] == number
        part = tiles[chosen]
        size = float((part["xmax"] - part["xmin"]).iloc[0])
        grid = fit_grid(part) if own_grid else CellGrid.at_origin(size)
        col, row = grid.position(*centres(part))
        cells[chosen, 1:] = np.floor(np.stack([row, col], axis=1))
    if len(np.unique(cells, axis=0)) < len(cells):
        raise AerialError(
            "Some tiles overlap, so they have no neighbourhood of 3 by 3 to be smoothed in. Run "
            "with --params=mapping.smoothing=false."
        )
    return cells
