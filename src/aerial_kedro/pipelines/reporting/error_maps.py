"""Maps of where the map agrees with the labels and where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aerial_kedro.maps.drawing import cells_of_tiles
from aerial_kedro.report import content as page
from aerial_kedro.report.error_maps import OUTCOMES, ErrorMap

_SPARSE = 0.01
_TEST_WRONG = 1  # position in OUTCOMES; 0 is a test tile that is right


def draw_error_maps(mapped: pd.DataFrame) -> dict[str, ErrorMap]:
    """Draw for each year which labelled tiles the model got right, and which wrong.

    Tiles of the test split are told apart from other labelled ones, most of which the model was
    trained on. Mixed tiles, tiles without land cover, and those that the land cover decided are
    not judged. A year whose tiles lie far apart, or without a test tile, is left out.

    Parameters
    ----------
    mapped
        ``epsg, xmin, ymin, xmax, ymax, year, label, split, pred_label, decided_by``.
    """
    images = {}
    for year, found in mapped.groupby("year"):
        tiles = found.reset_index(drop=True)
        outcomes = outcomes_of(tiles)
        cells = cells_of_tiles(tiles)
        index = np.full(cells.shape, page.NO_DATA, np.uint8)
        index[cells.rows, cells.columns] = outcomes[cells.tiles]
        if (index != page.NO_DATA).mean() < _SPARSE or not (tiles["split"] == "test").any():
            continue
        images[str(year)] = ErrorMap(
            image=page.MapImage(
                class_index=index,
                classes=list(OUTCOMES),
                colours=OUTCOMES,
                extent=cells.extent,
                crs=f"EPSG:{cells.epsg}",
            ),
            test_tiles=int((outcomes <= _TEST_WRONG).sum()),
            wrong=int((outcomes == _TEST_WRONG).sum()),
        )
    return images


def outcomes_of(tiles: pd.DataFrame) -> np.ndarray:
    """Tell what became of each tile: position in `OUTCOMES`, ``(n,)`` uint8."""
    judged = (tiles["label"].notna() & (tiles["decided_by"] == "model")).to_numpy()
    right = (tiles["label"] == tiles["pred_label"]).fillna(value=False).to_numpy(dtype=bool)
    test = (tiles["split"] == "test").fillna(value=False).to_numpy(dtype=bool)
    outcome = np.where(test, 0, 2) + np.where(right, 0, 1)
    return np.where(judged, outcome, len(OUTCOMES) - 1).astype(np.uint8)
