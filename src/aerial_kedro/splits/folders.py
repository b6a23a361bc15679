"""Spatial splits of folder tiles whose places are known, by the rules of the main job."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyproj import Transformer

from aerial_kedro.splits.blocks import SplitRules, assign_blocks, block_of_tiles, split_tiles

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
        Orders the blocks.

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
    blocks = _describe_blocks(squares, rules.block_size_m)
    counts = squares.groupby(["block_id", "label"]).size().unstack(fill_value=0)
    blocks["split"] = blocks["block_id"].map(assign_blocks(counts, rules, seed))
    classes = sorted(set(tiles["label"]))
    divided = next(split_tiles(iter([squares]), blocks, classes, rules))
    return tiles.assign(block_id=squares["block_id"], split=divided["split"])


def _enlarged(tiles: pd.DataFrame) -> pd.DataFrame:
    """Make squares of the longer side and a margin, about the same centres."""
    x, y = (tiles["xmin"] + tiles["xmax"]) / 2, (tiles["ymin"] + tiles["ymax"]) / 2
    sides = np.maximum(tiles["xmax"] - tiles["xmin"], tiles["ymax"] - tiles["ymin"])
    half = sides.max() / 2 + _ROUNDING_M
    return tiles.assign(
        epsg=tiles["epsg"].astype(int), xmin=x - half, ymin=y - half, xmax=x + half, ymax=y + half
    )


def _describe_blocks(squares: pd.DataFrame, size: float) -> pd.DataFrame:
    """List the occupied blocks with their centres: ``block_id, epsg, x, y, lon, lat``."""
    x = (squares["xmin"] + squares["xmax"]) / 2
    y = (squares["ymin"] + squares["ymax"]) / 2
    blocks = squares[["block_id", "epsg"]].assign(
        x=(x // size + 0.5) * size, y=(y // size + 0.5) * size
    )
    blocks = blocks.drop_duplicates("block_id").reset_index(drop=True)
    for epsg, rows in blocks.groupby("epsg"):
        to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
        lon, lat = to_degrees.transform(rows["x"].to_numpy(), rows["y"].to_numpy())
        blocks.loc[rows.index, "lon"], blocks.loc[rows.index, "lat"] = lon, lat
    return blocks
