"""Nodes that draw maps for the report: the classes, and where they agree with the labels."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from aerial_kedro.labels.classes import UNSURE, LandCoverClasses
from aerial_kedro.maps.drawing import NODATA, cells_of_tiles
from aerial_kedro.report.colours import OUTCOMES
from aerial_kedro.report.content import ErrorMap
from aerial_kedro.report.pictures import NO_DATA, MapImage
from aerial_kedro.scenes.raster import Raster

_SPARSE = 0.01
_TEST_WRONG = 1  # position in OUTCOMES; 0 is a test tile that is right


def draw_map_images(
    maps: dict[str, Callable[[], Raster]], classes: LandCoverClasses
) -> dict[str, MapImage]:
    """Prepare the maps for the report, by year; a map that is nearly all gaps is left out."""
    images = {}
    for name, load in maps.items():
        raster = load()
        values, percent = raster.pixels[0], raster.pixels[1]
        if (values != NODATA).mean() < _SPARSE:
            continue
        rows, cols = values.shape
        left, top = raster.transform @ (0, 0)
        right, bottom = raster.transform @ (cols, rows)
        index = values.astype(int) - 1
        index[values == NODATA] = NO_DATA
        confidence = percent.astype(float) / 100
        confidence[percent == NODATA] = math.nan
        images[name.removeprefix("map_")] = MapImage(
            class_index=index.astype("uint8"),
            classes=[*classes.names, UNSURE],
            extent=(left, bottom, right, top),
            crs=raster.crs,
            confidence=confidence,
        )
    return images


def draw_error_maps(mapped: pd.DataFrame) -> dict[str, ErrorMap]:
    """Draw for each year which labelled tiles the model got right, and which wrong.

    Tiles of the test split have colours of their own, since the model was trained on most of the
    other labelled ones. Mixed tiles, tiles without land cover, and those that the land cover
    decided are not evaluated. A year whose tiles lie far apart, or without a test tile, is left
    out.

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
        index = np.full(cells.shape, NO_DATA, np.uint8)
        index[cells.rows, cells.columns] = outcomes[cells.tiles]
        if (index != NO_DATA).mean() < _SPARSE or not (tiles["split"] == "test").any():
            continue
        images[str(year)] = ErrorMap(
            image=MapImage(
                class_index=index,
                classes=list(OUTCOMES),
                extent=cells.extent,
                crs=f"EPSG:{cells.epsg}",
            ),
            test_tiles=int((outcomes <= _TEST_WRONG).sum()),
            wrong=int((outcomes == _TEST_WRONG).sum()),
        )
    return images


def outcomes_of(tiles: pd.DataFrame) -> np.ndarray:
    """Find what became of each tile: position in `OUTCOMES`, ``(n,)`` uint8."""
    evaluated = (tiles["label"].notna() & (tiles["decided_by"] == "model")).to_numpy()
    right = (tiles["label"] == tiles["pred_label"]).fillna(value=False).to_numpy(dtype=bool)
    test = (tiles["split"] == "test").fillna(value=False).to_numpy(dtype=bool)
    outcome = np.where(test, 0, 2) + np.where(right, 0, 1)
    return np.where(evaluated, outcome, len(OUTCOMES) - 1).astype(np.uint8)
