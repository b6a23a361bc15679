"""Folds: whole blocks, balanced, and no training tile within the buffer of a test tile."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerial_kedro.errors import AerialError
from aerial_kedro.splits.folds import assign_folds, training_tiles
from tests.builders import TILE, cell_of_origin, grid_tiles

COL, ROW = cell_of_origin()


def counts_of(blocks: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 9, size=(blocks, 3))
    return pd.DataFrame(counts, index=[f"b{i}" for i in range(blocks)], columns=list("xyz"))


@given(blocks=st.integers(2, 40), folds=st.integers(2, 12), seed=st.integers(0, 99))
def test_every_block_is_in_one_fold_and_no_fold_is_empty(
    blocks: int, folds: int, seed: int
) -> None:
    counts = counts_of(blocks, seed)
    if blocks < folds:
        with pytest.raises(AerialError, match=r"validation\.folds"):
            assign_folds(counts, folds, seed)
        return
    assigned = assign_folds(counts, folds, seed)
    assert set(assigned) == set(counts.index)
    assert len(set(assigned.values())) == folds
    assert assigned == assign_folds(counts.sample(frac=1, random_state=seed), folds, seed)


def test_folds_hold_about_as_much_of_every_class() -> None:
    counts = counts_of(60, seed=1)
    assigned = pd.Series(assign_folds(counts, 5, seed=1))
    held = counts.groupby(assigned).sum() / counts.sum()
    assert held.to_numpy() == pytest.approx(0.2, abs=0.05)


def test_another_seed_deals_otherwise() -> None:
    counts = counts_of(30, seed=1)
    assert assign_folds(counts, 5, seed=1) != assign_folds(counts, 5, seed=2)


@settings(max_examples=25, deadline=None)
@given(
    side=st.integers(4, 12),
    block=st.integers(1, 4),
    folds=st.integers(2, 4),
    buffer_m=st.sampled_from([0.0, 100.0, TILE, 300.0, 500.0, 2 * TILE]),
)
def test_training_tiles_are_all_those_that_keep_the_buffer(
    side: int, block: int, folds: int, buffer_m: float
) -> None:
    cells = np.array([(c, r) for c in range(side) for r in range(side)])
    tiles = grid_tiles([(COL + c, ROW - r) for c, r in cells.tolist()])
    fold = (cells // block) @ [1, 2] % folds
    tiles = tiles.assign(size_m=TILE, fold=[f"fold_{f}" for f in fold])
    tiles = pd.concat([tiles, tiles.assign(year=2020)], ignore_index=True)
    for name in sorted(set(tiles["fold"])):
        tested = (tiles["fold"] == name).to_numpy()
        corners = tiles[["xmin", "ymin"]].to_numpy()
        gaps = (np.abs(corners[:, None] - corners[None, tested]) - TILE).clip(min=0)
        nearest = np.hypot(gaps[..., 0], gaps[..., 1]).min(axis=1)
        expected = ~tested & (nearest >= buffer_m - 0.01)
        assert training_tiles(tiles, name, buffer_m).tolist() == expected.tolist()


def test_the_buffer_holds_across_a_zone_border() -> None:
    """Tiles of two zones a few metres apart, and far apart."""
    west = grid_tiles([(3435, 18035)], 26917)
    near = pd.DataFrame({"lon": west["lon"] + 0.003, "lat": west["lat"]})
    far = pd.DataFrame({"lon": west["lon"] + 0.02, "lat": west["lat"]})
    tiles = pd.concat([west[["lon", "lat"]], near, far], ignore_index=True)
    tiles = tiles.assign(size_m=TILE, fold=["a", "b", "b"])
    assert training_tiles(tiles, "a", 100.0).tolist() == [False, False, True]
