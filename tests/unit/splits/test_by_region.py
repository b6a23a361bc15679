"""Splits by region: whole regions, fixed ones first, and the buffer along every border."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerial_kedro.errors import AerialError
from aerial_kedro.splits.blocks import check_distance
from aerial_kedro.splits.by_region import assign_regions, giving_way, split_by_region
from aerial_kedro.splits.rules import SPLITS, SplitRules
from tests.builders import CLASSES, TILE, cell_of_origin, grid_tiles

COL, ROW = cell_of_origin()
COUNTS = pd.DataFrame(
    {"Forest": range(10, 18), "Developed": range(18, 10, -1)}, index=list("abcdefgh")
)


def rules_of(buffer_m: float = TILE, **given: object) -> SplitRules:
    common = {"validation": 0.2, "test": 0.3, "block_size_m": 1, "buffer_m": buffer_m}
    return SplitRules.model_validate({**common, "unit": "region", "region_column": "NAME", **given})


def of_split(splits: dict[str, str], name: str) -> set[str]:
    return {region for region in splits if splits[region] == name}


class TestAssigning:
    def test_every_split_has_about_its_share(self) -> None:
        splits = assign_regions(COUNTS, rules_of(), seed=3)
        assert set(splits) == set(COUNTS.index)
        for name, share in rules_of().shares.items():
            held = COUNTS.loc[sorted(of_split(splits, name))].sum() / COUNTS.sum()
            assert np.allclose(held, share, atol=0.1), name

    def test_the_seed_decides(self) -> None:
        alike = COUNTS.assign(Forest=5, Developed=5)
        drawn = [assign_regions(alike, rules_of(), seed=seed) for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2]

    def test_fixed_regions_and_the_others_by_shares(self) -> None:
        splits = assign_regions(COUNTS, rules_of(test_regions=["A", "b"]), seed=1)
        assert of_split(splits, "test") == {"a", "b"}
        assert of_split(splits, "validation")

    def test_with_both_fixed_the_rest_is_training(self) -> None:
        rules = rules_of(test_regions="a/b", validation_regions="c")
        splits = assign_regions(COUNTS, rules, seed=1)
        assert of_split(splits, "validation") == {"c"}
        assert of_split(splits, "train") == set("defgh")

    def test_an_unknown_region_is_named(self) -> None:
        with pytest.raises(AerialError, match=r"region\(s\) nowhere of .* some in: a, b"):
            assign_regions(COUNTS, rules_of(test_regions=["Nowhere"]), seed=1)

    def test_too_few_regions(self) -> None:
        with pytest.raises(AerialError, match="2 region"):
            assign_regions(COUNTS.head(2), rules_of(), seed=1)


def striped(side: int, regions: int, seed: int) -> pd.DataFrame:
    """A square of tiles cut into slanting strips, two years of each place."""
    cells = [(c, r) for c in range(side) for r in range(side)]
    tiles = grid_tiles([(COL + c, ROW - r) for c, r in cells])
    strip = [(2 * c + r) * regions // (3 * side) for c, r in cells]
    labels = np.random.default_rng(seed).choice([*CLASSES.trained, "Water", None], len(tiles))
    tiles = tiles.assign(block_id=[f"r{s}" for s in strip], label=labels, size_m=TILE)
    return pd.concat([tiles, tiles.assign(year=2020)], ignore_index=True)


@settings(max_examples=25, deadline=None)
@given(
    side=st.integers(6, 16),
    buffer_m=st.sampled_from([0.0, 100.0, TILE, 300.0, 2 * TILE]),
    seed=st.integers(0, 99),
)
def test_no_two_splits_come_nearer_than_the_buffer(side: int, buffer_m: float, seed: int) -> None:
    tiles = striped(side, regions=5, seed=seed)
    rules = rules_of(buffer_m)
    splits = dict(zip(sorted(set(tiles["block_id"])), np.resize(SPLITS, 5), strict=True))
    places = tiles.drop_duplicates("tile_id")
    gives_way = giving_way(places, splits, rules)
    (found,) = split_by_region(iter([tiles]), splits, gives_way, CLASSES.trained)
    divided = found[found["split"].notna()]
    assert (divided["split"] == divided["block_id"].map(splits)).all()
    # The law is for all ground, mixed and water tiles too; labelled tiles are as their ground.
    learned = found["label"].isin(CLASSES.trained)
    assert found["split"].isna().equals(found["cell_split"].isna() | ~learned)
    assert (divided["split"] == divided["cell_split"]).all()
    ground = found.assign(split=found["cell_split"])
    kept = ground[ground["split"].notna()].drop_duplicates(["tile_id", "split"])
    # Every pair measured: the grid's squares are parallel.
    for first, second in [("train", "test"), ("train", "validation"), ("validation", "test")]:
        a, b = (kept.loc[kept["split"] == s, ["xmin", "ymin"]].to_numpy() for s in (first, second))
        gaps = (np.abs(a[:, None] - b[None]) - TILE).clip(min=0)
        if gaps.size:
            assert np.hypot(*np.moveaxis(gaps, -1, 0)).min() >= buffer_m - 0.01
    # Test tiles never give way, so a border costs one strip.
    tested = tiles["block_id"].map(splits).eq("test")
    assert (found.loc[tested & learned, "split"] == "test").all()
    assert (found.loc[tested, "cell_split"] == "test").all()


def test_the_pipelines_check_agrees() -> None:
    tiles = striped(14, regions=5, seed=1)
    splits = dict(zip(sorted(set(tiles["block_id"])), np.resize(SPLITS, 5), strict=True))
    gives_way = giving_way(tiles.drop_duplicates("tile_id"), splits, rules_of())
    (found,) = split_by_region(iter([tiles]), splits, gives_way, CLASSES.trained)
    places = found[found["split"].notna()].drop_duplicates("tile_id")
    check = check_distance(places, rules_of())
    assert check.smallest_distance_m == pytest.approx(TILE, abs=0.01)
    assert "regions (column 'NAME')" in check.description


def test_training_keeps_away_from_mixed_tiles_of_a_test_region() -> None:
    """They are evaluated apart, so they must be as unseen as the pure ones."""
    tiles = grid_tiles([(COL + c, ROW) for c in range(4)])
    tiles = tiles.assign(block_id=["a", "a", "b", "b"], size_m=TILE, label="Forest")
    tiles.loc[2, "label"] = None
    assert giving_way(tiles, {"a": "train", "b": "test"}, rules_of()) == {tiles["tile_id"][1]}


def test_tiles_outside_all_regions_are_in_no_split() -> None:
    tiles = grid_tiles([(COL, ROW)]).assign(block_id=None, label="Forest")
    (found,) = split_by_region(iter([tiles]), {"a": "train"}, set(), CLASSES.trained)
    assert found["split"].tolist() == found["cell_split"].tolist() == [None]
