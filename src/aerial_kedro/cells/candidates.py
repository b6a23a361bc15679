"""Cells that people could be asked to label, and those that are labelled, with their numbers."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from aerial_kedro.cells.describe import CellInputs, describe_cells, read_statistics
from aerial_kedro.cells.drawing import numbers_of_cells
from aerial_kedro.cells.grid import COUNT, SIDE, unpack
from aerial_kedro.cells.places import centres_of_cells, name_cells_of_tiles
from aerial_kedro.parameters import CheckedModel

CANDIDATE_COLUMNS: dict[str, str] = {
    "cell_id": "string",
    "image_id": "string",
    "year": "int",
    "lon": "double",
    "lat": "double",
    "epsg": "int",
    "column": "int",  # of the cell on the grid of all cells of the zone
    "row": "int",
    "block_id": "string",
    "label": "int",  # 1 + position in the class table; 0: not labelled
    "features": "array<float>",
}
COUNT_COLUMNS: dict[str, str] = {"cells": "long", "labelled": "long"}

# Mean of each visible band below which a cell shows no image: nodata is black.
_BLACK = 1.0


class CandidateShares(CheckedModel):
    """Which of the cells are candidates.

    Parameters
    ----------
    unlabelled, labelled
        Share of the cells without and with a label that is drawn, 0 to 1.
    min_purity
        Share of a cell that its label must cover to be one.
    """

    unlabelled: float
    labelled: float
    min_purity: float


def count_cells(frames: Iterator[pd.DataFrame], min_purity: float) -> Iterator[pd.DataFrame]:
    """Count cells, and those with a label (``mapInPandas``).

    Parameters
    ----------
    frames
        ``cell_labels, cell_purity`` of tiles.
    min_purity
        Share of a cell that its label must cover.

    Yields
    ------
    pandas.DataFrame
        `COUNT_COLUMNS`.
    """
    for frame in frames:
        labelled = int((_labels(frame, min_purity) > 0).sum())
        yield pd.DataFrame({"cells": [len(frame) * COUNT], "labelled": [labelled]})


def describe_candidates(
    tiles: pd.DataFrame, inputs: CellInputs, shares: CandidateShares, seed: int
) -> pd.DataFrame:
    """Draw candidates of a group's own tiles, and describe them (`map_neighbourhoods`).

    Parameters
    ----------
    tiles
        ``image_id, tile_id, year, epsg, xmin, ymin, xmax, ymax, block_id, cell_labels,
        cell_purity, cells, cell_statistics, column, row, is_own``.
    inputs
        What a classifier reads of a cell.
    shares
        Which cells are drawn.
    seed
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame
        `CANDIDATE_COLUMNS`. Cells that show no image are left out.
    """
    own = np.flatnonzero(tiles["is_own"])
    if not len(own):
        return pd.DataFrame(columns=list(CANDIDATE_COLUMNS))
    described = describe_cells(tiles, inputs)[own].reshape(len(own), COUNT, -1)
    tiles = tiles.loc[own].reset_index(drop=True)
    labels = _labels(tiles, shares.min_purity)
    drawn = numbers_of_cells(tiles["image_id"].tolist(), seed)
    chosen = drawn < np.where(labels > 0, shares.labelled, shares.unlabelled)
    tile, cell = np.nonzero(chosen & _has_image(tiles))
    rows = tiles.iloc[tile].reset_index(drop=True)
    lon, lat = centres_of_cells(rows, cell)
    down, across = np.divmod(cell, SIDE)
    return pd.DataFrame(
        {
            "cell_id": name_cells_of_tiles(rows["tile_id"].to_numpy(), cell),
            "lon": lon,
            "lat": lat,
            "column": SIDE * rows["column"] + across,
            "row": SIDE * rows["row"] + SIDE - 1 - down,
            "label": labels[tile, cell].astype(int),
            "features": list(described[tile, cell]),
            **{name: rows[name] for name in ("image_id", "year", "epsg", "block_id")},
        }
    )[list(CANDIDATE_COLUMNS)]


def _labels(tiles: pd.DataFrame, min_purity: float) -> np.ndarray:
    """Labels that are pure enough, ``(tiles, 49)``; 0 where there is none."""
    found = np.zeros((len(tiles), COUNT), dtype=np.uint8)
    known = np.flatnonzero(tiles["cell_labels"].notna())
    if len(known):
        labels, purity = (
            unpack(tiles[name].iloc[known].tolist()).reshape(len(known), COUNT)
            for name in ("cell_labels", "cell_purity")
        )
        found[known] = np.where(purity >= round(100 * min_purity), labels, 0)
    return found


def _has_image(tiles: pd.DataFrame) -> np.ndarray:
    statistics = read_statistics(tiles["cell_statistics"].tolist(), infrared=False)
    means = statistics[..., :3].reshape(len(tiles), COUNT, 3)
    return np.asarray((means >= _BLACK).any(axis=-1))
