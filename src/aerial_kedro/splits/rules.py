"""The rules by which labelled tiles are divided, and how they assign whole blocks.

The parameter group `split` gives the rules.
"""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from aerial_kedro.parameters import CheckedModel, Names

SPLITS = ("train", "validation", "test")


class SplitRules(CheckedModel):
    """How labelled tiles are divided.

    Parameters
    ----------
    validation, test
        Shares of the tiles of each class; the rest is for training.
    block_size_m
        Side of a spatial block in metres.
    buffer_m
        Least distance in metres between the edges of two tiles of different splits.
    unit
        What is assigned to a split as a whole: a square ``block``, or a ``region`` of the polygon
        layer `regions_path`.
    region_column
        Column of that layer with the regions' names.
    test_regions, validation_regions
        Regions that are to be in those splits, whatever the shares; ``A/B`` is read as a list.
        Empty: regions are assigned by the shares.
    """

    validation: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)
    block_size_m: float = Field(gt=0)
    buffer_m: float = Field(ge=0)
    unit: Literal["block", "region"] = "block"
    region_column: str | None = None
    test_regions: Names = ()
    validation_regions: Names = ()

    @model_validator(mode="after")
    def _leaves_training_tiles(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation ({self.validation:g}) and test ({self.test:g}) leave nothing to train"
            )
        return self

    @model_validator(mode="after")
    def _names_regions_where_there_are_some(self) -> Self:
        if self.unit == "region" and not self.region_column:
            raise ValueError(
                "unit=region needs region_column: the column of the layer that names the regions"
            )
        named = [*self.test_regions, *self.validation_regions]
        if self.unit == "block" and named:
            raise ValueError("test_regions and validation_regions need unit=region")
        both = sorted({name for name in named if named.count(name) > 1})
        if both:
            raise ValueError(f"the regions {both} are named twice")
        return self

    @property
    def shares(self) -> dict[str, float]:
        """The share of each split."""
        return {
            "train": 1 - self.validation - self.test,
            "validation": self.validation,
            "test": self.test,
        }

    @property
    def description(self) -> str:
        """The rules in words."""
        units = (
            f"whole regions (column {self.region_column!r})"
            if self.unit == "region"
            else f"spatial blocks of {self.block_size_m:g} m"
        )
        return f"{units} with a buffer of {self.buffer_m:g} m"

    @property
    def remedy(self) -> str:
        """What to do where they leave a split empty."""
        if self.unit == "region":
            return "Give a larger area, more regions, or a smaller `split.buffer_m`."
        return "Give a larger area, or smaller `split.block_size_m` and `split.buffer_m`."


def balance_blocks(counts: pd.DataFrame, shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Assign blocks to sets, each class in about the shares wanted.

    Blocks are taken in random order, those with the rarest classes first; each is assigned to the
    set that lacks most of the classes in it.

    Parameters
    ----------
    counts
        Number of labelled tiles for each block (index) and class (columns); no block is empty.
    shares
        Share of the tiles of each class that each set is to have, above 0.
    seed
        Seed of the order of the blocks; their order in ``counts`` does not matter.

    Returns
    -------
    dict
        Block to set.

    Examples
    --------
    >>> counts = pd.DataFrame({"Forest": [8, 4, 4], "Barren": [0, 2, 2]}, index=list("abc"))
    >>> sorted(balance_blocks(counts, {"left": 0.5, "right": 0.5}, seed=1).items())
    [('a', 'left'), ('b', 'right'), ('c', 'left')]
    """
    names, wanted_shares = list(shares), np.array(list(shares.values()))
    counts = counts.sort_index()
    counts = counts.loc[:, counts.sum(axis=0) > 0]
    weights = counts / counts.sum(axis=0)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(counts))
    order = order[np.argsort(-weights.max(axis=1).to_numpy()[order], kind="stable")]
    wanted = np.tile(wanted_shares[:, None], (1, weights.shape[1]))
    assigned: dict[str, str] = {}
    for index in order:
        block = weights.iloc[index].to_numpy()
        # What is still wanted of the classes in this block, relative to the set's share.
        need = (wanted * block).sum(axis=1) / block.sum() / wanted_shares
        choice = int(np.argmax(need))
        wanted[choice] -= block
        assigned[str(counts.index[index])] = names[choice]
    return assigned


def with_splits(
    frame: pd.DataFrame, own: pd.Series, gives_way: np.ndarray, trained: list[str]
) -> pd.DataFrame:
    """Add the split of the ground that tiles lie in, and that of those which teach a tile's class.

    Parameters
    ----------
    frame
        Tiles with ``label``.
    own
        Split of each tile's block or region, missing where that has none; indexed as ``frame``.
    gives_way
        Bool, ``(tiles,)``: too near to another split.
    trained
        Classes that are learned.

    Returns
    -------
    pandas.DataFrame
        The tiles with ``split`` and ``cell_split``.
    """
    ground = own.astype(object).where(own.notna() & ~gives_way, None)
    learned = ground.where(frame["label"].isin(trained), None)
    return frame.assign(split=learned, cell_split=ground)
