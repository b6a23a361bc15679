"""Drawing of cells: even, the same wherever they lie, never more than the rules allow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from aerial_kedro.cells.drawing import (
    CellRules,
    Quotas,
    candidate_cells,
    draw_cells,
    numbers_of_cells,
    set_quotas,
)
from aerial_kedro.cells.grid import pack

IDS = [f"t-{number}_2018" for number in range(400)]
RULES = CellRules(min_purity=0.8, max_per_class=150, max_evaluated=90)
SPLITS = np.array(["train", "train", "validation", "test"], dtype=object)


class TestNumbers:
    def test_are_even_over_0_to_1_for_each_cell_and_for_all(self) -> None:
        found = numbers_of_cells(IDS, seed=1)
        assert (found.shape, found.dtype) == ((400, 49), np.float64)
        assert 0 <= found.min() < found.max() < 1
        assert len(np.unique(found)) == found.size
        for values in (found.ravel(), found[:, 0], found[:, 48]):
            assert chisquare(np.histogram(values, 20, (0, 1))[0]).pvalue > 1e-4

    def test_of_neighbouring_cells_and_seeds_have_nothing_in_common(self) -> None:
        one, other = numbers_of_cells(IDS, seed=1), numbers_of_cells(IDS, seed=2)
        assert not np.isin(one, other).any()
        for first, second in ((one, other), (one[:, :-1], one[:, 1:]), (one[:-1], one[1:])):
            assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.03

    def test_are_a_tiles_own_in_any_batch(self) -> None:
        expected = numbers_of_cells(IDS, seed=5)
        assert np.array_equal(numbers_of_cells(IDS[::-1], seed=5)[::-1], expected)
        assert np.array_equal(numbers_of_cells(IDS[7:8], seed=5)[0], expected[7])


def ground(tiles: int = 200, seed: int = 0) -> pd.DataFrame:
    """Tiles of four classes and none, the last class rare, and of every split."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(5, (tiles, 7, 7), p=[0.1, 0.5, 0.3, 0.09, 0.01]).astype(np.uint8)
    purity = rng.integers(50, 101, labels.shape).astype(np.uint8) * (labels > 0)
    return pd.DataFrame(
        {
            "image_id": [f"t-{number}_2018" for number in range(tiles)],
            "cell_split": SPLITS[np.arange(tiles) % 4],
            "cell_labels": pack(labels),
            "cell_purity": pack(purity.astype(np.uint8)),
        }
    )


def quotas_of(parts: list[pd.DataFrame], rules: CellRules = RULES, seed: int = 1) -> Quotas:
    return set_quotas(pd.concat(candidate_cells(iter(parts), rules, seed)), rules)


def unpacked(tiles: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, purity = (
        np.stack([np.frombuffer(each, np.uint8) for each in tiles[name]])
        for name in ("cell_labels", "cell_purity")
    )
    return labels, purity, tiles["cell_split"].to_numpy()


def test_as_many_are_drawn_as_the_rules_allow_and_each_stands_for_its_share() -> None:
    tiles = ground()
    labels, purity, split = unpacked(tiles)
    quotas = quotas_of([tiles])
    teaches, evaluated = draw_cells(tiles, RULES, quotas, seed=1)
    pure = (labels > 0) & (purity >= 80)
    assert not (teaches & ~pure).any()
    assert not teaches[split == "test"].any()
    training = split == "train"
    for code in range(1, 5):
        there = (pure & (labels == code))[training].sum()
        drawn = (teaches & (labels == code))[training].sum()
        assert drawn == min(there, RULES.max_per_class)
        assert quotas.weights[code] * drawn == pytest.approx(there)
    assert (pure & (labels == 4))[training].sum() < RULES.max_per_class  # one class is rare
    assert not (evaluated & (labels == 0)).any()
    for name in ("train", "validation", "test"):
        assert evaluated[split == name].sum() == RULES.max_evaluated
    assert (evaluated & ~pure).any()  # mixed ground as well


def test_a_validation_cell_teaches_out_of_fold_with_a_training_cells_chance() -> None:
    tiles = ground()
    labels, purity, split = unpacked(tiles)
    quotas = quotas_of([tiles])
    teaches, _ = draw_cells(tiles, RULES, quotas, seed=1)
    numbers = numbers_of_cells(tiles["image_id"].tolist(), 1)
    limits = np.array([quotas.teaching.get(code, 0) for code in range(5)])[labels]
    expected = (labels > 0) & (purity >= 80) & (numbers < limits)
    validation = split == "validation"
    assert np.array_equal(teaches[validation], expected[validation])
    assert teaches[validation].any()


def test_cells_are_drawn_over_all_the_ground() -> None:
    """In each fifth of the tiles about a fifth of the cells, not the first that come."""
    tiles = ground(400)
    teaches, evaluated = draw_cells(tiles, RULES, quotas_of([tiles]), seed=1)
    training = (tiles["cell_split"] == "train").to_numpy()
    for drawn in (teaches[training], evaluated):
        parts = np.array_split(drawn.sum(axis=1), 5)
        assert chisquare([part.sum() for part in parts]).pvalue > 1e-3


@given(cuts=st.lists(st.integers(1, 59), max_size=6, unique=True), seed=st.integers(0, 3))
def test_partitions_make_no_difference(cuts: list[int], seed: int) -> None:
    tiles = ground(60)
    edges = [0, *sorted(cuts), 60]
    parts = [tiles.iloc[one:other] for one, other in pairwise(edges)]
    quotas = quotas_of([tiles], seed=seed)
    assert quotas_of(parts[::-1], seed=seed) == quotas
    whole = draw_cells(tiles, RULES, quotas, seed)
    pieces = [draw_cells(each, RULES, quotas, seed) for each in parts]
    for number in range(2):
        assert np.array_equal(whole[number], np.concatenate([each[number] for each in pieces]))


def test_another_seed_draws_others() -> None:
    tiles = ground()
    one, other = (draw_cells(tiles, RULES, quotas_of([tiles], seed=seed), seed) for seed in (1, 2))
    assert 0 < (one[1] & other[1]).sum() < 0.3 * one[1].sum()


def test_where_there_are_few_all_are_drawn() -> None:
    tiles = ground(8)
    rules = CellRules(min_purity=0.8, max_per_class=10_000, max_evaluated=10_000)
    labels, purity, split = unpacked(tiles)
    quotas = quotas_of([tiles], rules)
    teaches, evaluated = draw_cells(tiles, rules, quotas, seed=1)
    assert set(quotas.weights.values()) == {1.0}
    taught = np.unique(labels[split == "train"][(purity >= 80)[split == "train"]])
    may = np.isin(labels, taught[taught > 0]) & (purity >= 80) & (split != "test")[:, None]
    assert np.array_equal(teaches, may)
    assert np.array_equal(evaluated, labels > 0)


def test_purity_is_counted_in_percent_and_its_limit_counts() -> None:
    tiles = ground(1)
    purity = np.array([79, 80, 81] + [0] * 46, dtype=np.uint8).tobytes()
    tiles = tiles.assign(cell_labels=[b"\1" * 49], cell_purity=[purity])
    teaches, _ = draw_cells(tiles, RULES, quotas_of([tiles]), seed=1)
    assert teaches[0, :4].tolist() == [False, True, True, False]
