"""Spatial splits of folder tiles whose places are known, by the rules of the main job."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aerial_kedro.splits.blocks import block_of_tiles, plan_blocks, split_tiles
from aerial_kedro.splits.rules import SplitRules
from aerial_kedro.tiles.squares import centres

# Corners in degrees are rounded: tiles are taken to be a little larger than they are, so that
# centimetres never bring a test tile into the buffer.
_ROUNDING_M = 0.1


def split_by_place(tiles: pd.DataFrame, rules: SplitRules, seed: int) -> pd.DataFrame:
    """Divide labelled tiles by spatial block with a buffer.

    Parameters
    ----------
    tiles
        ``label, epsg, xmin, ymin, xmax, ymax, lon, lat``, all of them known.
    rules
        Shares, block size and buffer.
    seed
        Seed of the order of the blocks.

    Returns
    -------
    pandas.DataFrame
        The tiles with ``block_id`` and ``split``; no split inside the buffer.

    Raises
    ------
    AerialError
        If the tiles lie in fewer blocks than there are splits.
    """
    squares = next(block_of_tiles(iter([_enlarged(tiles)]), rules.block_size_m))
    size = rules.block_size_m
    x, y = ((each // size + 0.5) * size for each in centres(squares))
    keys = ["block_id", "epsg", "x", "y", "label"]
    counted = squares.assign(x=x, y=y).groupby(keys).size().rename("count").reset_index()
    blocks = plan_blocks(counted, rules, seed)
    classes = sorted(set(tiles["label"]))
    divided = next(split_tiles(iter([squares]), blocks, classes, rules))
    return tiles.assign(block_id=squares["block_id"], split=divided["split"])


def _enlarged(tiles: pd.DataFrame) -> pd.DataFrame:
    """Make squares of the longer side and a margin, about the same centres."""
    x, y = centres(tiles)
    sides = np.maximum(tiles["xmax"] - tiles["xmin"], tiles["ymax"] - tiles["ymin"])
    half = sides.max() / 2 + _ROUNDING_M
    return tiles.assign(
        epsg=tiles["epsg"].astype(int), xmin=x - half, ymin=y - half, xmax=x + half, ymax=y + half
    )
