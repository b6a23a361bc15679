"""Training, validation and test by whole regions, with the buffer along their borders."""

from collections.abc import Iterator

import pandas as pd

from aerial_kedro.errors import AerialError
from aerial_kedro.splits.regions import region_id
from aerial_kedro.splits.rules import SPLITS, SplitRules, balance_blocks, with_splits
from aerial_kedro.tiles.squares import lie_nearer
from aerial_kedro.tiles.workers import for_spark


def assign_regions(counts: pd.DataFrame, rules: SplitRules, seed: int) -> dict[str, str]:
    """Assign every region to a split: those that the rules name, and the others by the shares.

    Parameters
    ----------
    counts
        Number of labelled tiles for each region (index, as `block_id` has it) and class (columns).
    rules
        The shares wanted, and the regions whose split is fixed.
    seed
        Seed of the order of the others.

    Returns
    -------
    dict
        Region to split.

    Raises
    ------
    AerialError
        If a region that the rules name has no labelled tile, or there are too few regions.
    """
    fixed = {
        region_id(name): split
        for split, names in (("test", rules.test_regions), ("validation", rules.validation_regions))
        for name in names
    }
    unknown = sorted(set(fixed) - set(counts.index))
    if unknown:
        raise AerialError(
            f"There is no labelled tile in the region(s) {', '.join(unknown)} of "
            f"`split.test_regions` and `split.validation_regions`. There are some in: "
            f"{', '.join(sorted(counts.index))}."
        )
    free = counts.drop(index=list(fixed))
    open_splits = [name for name in SPLITS if name not in fixed.values()]
    if len(free) < len(open_splits):
        raise AerialError(
            f"The labelled tiles lie in {len(counts)} region(s), {len(fixed)} of them with a fixed "
            f"split; at least {len(open_splits)} more are needed for {', '.join(open_splits)}. "
            "Give a larger area, or a layer of smaller regions."
        )
    total = sum(rules.shares[name] for name in open_splits)
    shares = {name: rules.shares[name] / total for name in open_splits}
    return {**fixed, **balance_blocks(free, shares, seed)}


def giving_way(places: pd.DataFrame, splits: dict[str, str], rules: SplitRules) -> set[str]:
    """List the places that are too near to a region of a split of higher rank.

    Training gives way to validation, and both to test. The distance is from the tiles of those
    regions, labelled or not, so that mixed tiles of a test region are as unseen as pure ones.

    Parameters
    ----------
    places
        ``tile_id, block_id, lon, lat, size_m`` of all tiles in regions.
    splits
        Region to split.
    rules
        The rules with the buffer.

    Returns
    -------
    set of str
        ``tile_id`` of those places.
    """
    own = places["block_id"].map(splits)
    found: set[str] = set()
    for rank, split in enumerate(SPLITS[:-1]):
        lower = places[own == split]
        higher = places[own.isin(SPLITS[rank + 1 :])]
        found |= set(lower.loc[lie_nearer(lower, higher, rules.buffer_m), "tile_id"])
    return found


def split_by_region(
    frames: Iterator[pd.DataFrame],
    splits: dict[str, str],
    gives_way: set[str],
    trained: list[str],
) -> Iterator[pd.DataFrame]:
    """Assign each tile its region's split, unless it gives way (``mapInPandas``).

    Parameters
    ----------
    frames
        Tiles with ``tile_id, block_id, label``.
    splits
        Region to split.
    gives_way
        ``tile_id`` of places that are too near to another split's region.
    trained
        Classes that are learned; tiles of others are in no split.

    Yields
    ------
    pandas.DataFrame
        The tiles with ``cell_split``, the split of the ground that they lie in: null where they
        give way and outside regions with a split; and ``split``, the same where a tile has a label
        that is learned, else null.
    """
    for frame in frames:
        own, given = frame["block_id"].map(splits), frame["tile_id"].isin(gives_way).to_numpy()
        yield for_spark(with_splits(frame, own, given, trained))
