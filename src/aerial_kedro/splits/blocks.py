"""Training, validation and test: by spatial block with a buffer, or stratified at random."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aerial_kedro.errors import AerialError
from aerial_kedro.parameters import CheckedModel
from aerial_kedro.splits.rules import SPLITS, SplitRules, balance_blocks, with_splits
from aerial_kedro.tiles.grid import block_id, transform_zones
from aerial_kedro.tiles.squares import (
    DISTORTION,
    ROUNDING_M,
    centres,
    on_sphere,
    smallest_distance_m,
)
from aerial_kedro.tiles.workers import for_spark, kept_between_tasks

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

# Corners in degrees are rounded: tiles are taken to be a little larger than they are, so that
# centimetres never bring a test tile into the buffer.
_CORNER_ROUNDING_M = 0.1


class SplitCheck(CheckedModel):
    """What the integrity check of the splits found.

    Parameters
    ----------
    is_spatial
        Whether the split is by place; a folder of tiles without coordinates cannot be.
    description
        The division in words, for the report.
    required_distance_m
        Least distance in metres required between the edges of a test and a training tile.
    smallest_distance_m
        Least distance in metres found between the edges of the two; None without coordinates.
    places
        Number of places checked.
    """

    is_spatial: bool
    description: str
    required_distance_m: float | None = None
    smallest_distance_m: float | None = None
    places: int | None = None


def plan_blocks(counted: pd.DataFrame, rules: SplitRules, seed: int) -> pd.DataFrame:
    """Assign the blocks that hold labelled tiles to splits, and locate them for `split_tiles`.

    Each class is divided in about the shares wanted, see `splits.rules.balance_blocks`.

    Parameters
    ----------
    counted
        ``block_id, epsg, x, y, label, count``: number of labelled tiles for each block and class;
        ``x, y`` is the block's centre in CRS units.
    rules
        The shares wanted.
    seed
        Seed of the order in which blocks are assigned; their order in ``counted`` does not matter.

    Returns
    -------
    pandas.DataFrame
        ``block_id, epsg, x, y, split``, and ``lon, lat`` of the centre in degrees.

    Raises
    ------
    AerialError
        If there are fewer blocks than splits.
    """
    counts = counted.pivot_table(
        index="block_id", columns="label", values="count", aggfunc="sum", fill_value=0
    )
    if len(counts) < len(SPLITS):
        raise AerialError(
            f"The labelled tiles lie in {len(counts)} spatial block(s); at least {len(SPLITS)} "
            f"are needed for training, validation and test. Give a larger area, or a smaller "
            f"`split.block_size_m` (now {rules.block_size_m:g} m)."
        )
    blocks = counted.drop_duplicates("block_id")[["block_id", "epsg", "x", "y"]]
    blocks = blocks.reset_index(drop=True)
    blocks["split"] = blocks["block_id"].map(balance_blocks(counts, rules.shares, seed))
    epsgs, x, y = (blocks[name].to_numpy() for name in ("epsg", "x", "y"))
    lon, lat = transform_zones(epsgs, x, y, 4326)
    return blocks.assign(lon=lon, lat=lat)


def split_tiles(
    frames: Iterator[pd.DataFrame], blocks: pd.DataFrame, trained: list[str], rules: SplitRules
) -> Iterator[pd.DataFrame]:
    """Assign each tile its block's split, unless it is too near to another split's block.

    Parameters
    ----------
    frames
        Tiles with ``block_id, label, epsg, xmin, ymin, xmax, ymax, lon, lat`` (``mapInPandas``).
    blocks
        The occupied blocks, as `plan_blocks` returns them.
    trained
        Classes that are learned; tiles of others are in no split.
    rules
        Block size and buffer.

    Yields
    ------
    pandas.DataFrame
        The tiles with ``cell_split``, the split of the ground that they lie in: null inside the
        buffer and in blocks without a split; and ``split``, the same where a tile has a label that
        is learned, else null.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(on_sphere(blocks))
    own_splits = blocks.set_index("block_id")["split"]
    # Only splits of lower rank give way (train before validation before test), so that a border
    # costs one strip of tiles and not two.
    rank = {name: position for position, name in enumerate(SPLITS)}
    ranks = blocks["split"].map(rank).to_numpy()
    for frame in frames:
        own = frame["block_id"].map(own_splits)
        tile, block = _near_blocks(frame, blocks, tree, rules)
        outranked = ranks[block] > own.map(rank).to_numpy(dtype=float)[tile]
        gives_way = np.zeros(len(frame), dtype=bool)
        gives_way[tile[outranked]] = True
        yield for_spark(with_splits(frame, own, gives_way, trained))


def _near_blocks(
    frame: pd.DataFrame, blocks: pd.DataFrame, tree: cKDTree, rules: SplitRules
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of a tile and a block nearer to it than the buffer, as positions in the two frames."""
    size = float((frame["xmax"] - frame["xmin"]).max()) if len(frame) else 0.0
    # A tile belongs to the block of its centre; unless blocks are whole tiles it may stick out.
    fits = size and math.isclose(math.remainder(rules.block_size_m, size), 0.0, abs_tol=1e-6)
    side = rules.block_size_m + (0.0 if fits else size)
    reach = (rules.buffer_m + (side + size) * math.sqrt(0.5)) * DISTORTION
    near = tree.query_ball_point(on_sphere(frame), reach)
    tile = np.repeat(np.arange(len(frame)), [len(each) for each in near])
    block = np.array([each for some in near for each in some], dtype=int)
    xmin, ymin, xmax, ymax = frame[["xmin", "ymin", "xmax", "ymax"]].to_numpy()[tile].T
    x, y = blocks[["x", "y"]].to_numpy()[block].T
    dx = np.maximum(x - side / 2 - xmax, xmin - (x + side / 2)).clip(min=0)
    dy = np.maximum(y - side / 2 - ymax, ymin - (y + side / 2)).clip(min=0)
    # Across a UTM border the reach itself decides: on the safe side.
    across = frame["epsg"].to_numpy()[tile] != blocks["epsg"].to_numpy()[block]
    too_near = across | (np.hypot(dx, dy) < rules.buffer_m)
    return tile[too_near], block[too_near]


def block_of_tiles(frames: Iterator[pd.DataFrame], block_size_m: float) -> Iterator[pd.DataFrame]:
    """Add the ``block_id`` of each tile's centre (``mapInPandas``)."""
    with kept_between_tasks():
        for frame in frames:
            places = zip(frame["epsg"], *centres(frame), strict=True)
            blocks = [
                block_id(int(epsg), each_x, each_y, block_size_m) for epsg, each_x, each_y in places
            ]
            yield for_spark(frame.assign(block_id=blocks))


def check_distance(places: pd.DataFrame, rules: SplitRules) -> SplitCheck:
    """Check that test and validation tiles keep their distance from what was learned on.

    Parameters
    ----------
    places
        ``tile_id, split, lon, lat, size_m`` of the places in a split.
    rules
        The rules with the buffer required.

    Raises
    ------
    AerialError
        If a place is in two splits, or two splits come nearer to each other than the buffer.
    """
    twice = places.loc[places.duplicated("tile_id"), "tile_id"]
    if len(twice):
        raise AerialError(
            f"The place {twice.iloc[0]} (and {len(twice) - 1} more) is in two splits, so a test "
            "would be on places that were learned. This is a fault in the split: please report it."
        )
    found = []
    for first, second in (("train", "test"), ("train", "validation"), ("validation", "test")):
        distance = smallest_distance_m(
            places[places["split"] == first], places[places["split"] == second]
        )
        if distance is None:
            empty = second if (places["split"] == first).any() else first
            raise AerialError(
                f"No tile is left in the {empty} split behind {rules.description}. {rules.remedy}"
            )
        found.append(distance)
        if distance < rules.buffer_m - ROUNDING_M:
            raise AerialError(
                f"A {second} tile lies {distance:.0f} m from a {first} tile; the buffer is "
                f"{rules.buffer_m:g} m. This is a fault in the split: please report it."
            )
    return SplitCheck(
        is_spatial=True,
        description=rules.description,
        required_distance_m=rules.buffer_m,
        smallest_distance_m=found[0],
        places=len(places),
    )


def split_by_place(tiles: pd.DataFrame, rules: SplitRules, seed: int) -> pd.DataFrame:
    """Divide labelled tiles of a folder by spatial block with a buffer, as scenes' tiles are.

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
    x, y = centres(tiles)
    sides = np.maximum(tiles["xmax"] - tiles["xmin"], tiles["ymax"] - tiles["ymin"])
    half = sides.max() / 2 + _CORNER_ROUNDING_M
    squares = tiles.assign(
        epsg=tiles["epsg"].astype(int), xmin=x - half, ymin=y - half, xmax=x + half, ymax=y + half
    )
    size = rules.block_size_m
    squares = next(block_of_tiles(iter([squares]), size))
    x, y = ((each // size + 0.5) * size for each in centres(squares))
    keys = ["block_id", "epsg", "x", "y", "label"]
    counted = squares.assign(x=x, y=y).groupby(keys).size().rename("count").reset_index()
    blocks = plan_blocks(counted, rules, seed)
    classes = sorted(set(tiles["label"]))
    divided = next(split_tiles(iter([squares]), blocks, classes, rules))
    return tiles.assign(block_id=squares["block_id"], split=divided["split"])


def stratified_split(labels: pd.Series, rules: SplitRules, seed: int) -> pd.Series:
    """Divide tiles without coordinates at random, each class in the same shares.

    Parameters
    ----------
    labels
        Class of each tile, indexed by ``image_id``.
    rules
        The rules with the shares wanted.
    seed
        Seed of the random order; the order of the tiles in ``labels`` does not matter.

    Returns
    -------
    pandas.Series
        The split of each tile.

    Raises
    ------
    AerialError
        If a class has fewer tiles than there are splits.
    """
    splits = pd.Series("train", index=labels.index, name="split")
    rng = np.random.default_rng(seed)
    for name, members in labels.groupby(labels, sort=True):
        if len(members) < len(SPLITS):
            raise AerialError(
                f"The class {name!r} has {len(members)} tile(s); at least {len(SPLITS)} are "
                "needed, one each for training, validation and test. Add tiles, or remove "
                "the class folder."
            )
        ids = rng.permutation(np.sort(members.index.to_numpy()))
        # At least one tile for each split, training included, however few there are.
        n_test = min(max(1, round(rules.test * len(ids))), len(ids) - 2)
        n_validation = min(max(1, round(rules.validation * len(ids))), len(ids) - n_test - 1)
        splits.loc[ids[:n_test]] = "test"
        splits.loc[ids[n_test : n_test + n_validation]] = "validation"
    return splits
