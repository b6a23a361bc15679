"""Splits: their law is that no two tiles of different splits are nearer than the buffer."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pyproj import Transformer

from aerial_kedro.errors import AerialError
from aerial_kedro.splits.blocks import (
    block_of_tiles,
    check_distance,
    plan_blocks,
    split_tiles,
    stratified_split,
)
from aerial_kedro.splits.rules import SPLITS, SplitRules
from tests.builders import CLASSES, TILE, ZONE, cell_of_origin, grid_tiles

RULES = SplitRules(validation=0.15, test=0.25, block_size_m=1120, buffer_m=224)
COL, ROW = cell_of_origin()


def rules_of(block_size_m: float, buffer_m: float) -> SplitRules:
    return SplitRules(validation=0.2, test=0.3, block_size_m=block_size_m, buffer_m=buffer_m)


def labelled_square(side: int, seed: int) -> pd.DataFrame:
    """A square of tiles with labels at random; some have none, some are water."""
    tiles = grid_tiles([(COL + c, ROW - r) for c in range(side) for r in range(side)])
    rng = np.random.default_rng(seed)
    choices = np.array([*CLASSES.trained, "Water", None], dtype=object)
    return tiles.assign(label=rng.choice(choices, len(tiles), p=[0.4, 0.3, 0.1, 0.1, 0.1]))


def occupied_blocks(tiles: pd.DataFrame, rules: SplitRules, seed: int) -> pd.DataFrame:
    """Blocks with labelled tiles, their centres and splits, as the pipeline lists them."""
    trained = tiles[tiles["label"].isin(CLASSES.trained)]
    size, half = rules.block_size_m, TILE / 2
    placed = trained.assign(
        x=(np.floor((trained["xmin"] + half) / size) + 0.5) * size,
        y=(np.floor((trained["ymin"] + half) / size) + 0.5) * size,
    )
    counted = placed.groupby(["block_id", "epsg", "x", "y", "label"]).size()
    return plan_blocks(counted.rename("count").reset_index(), rules, seed)


def split(tiles: pd.DataFrame, rules: SplitRules, seed: int = 0) -> pd.DataFrame:
    (tiles,) = block_of_tiles(iter([tiles]), rules.block_size_m)
    blocks = occupied_blocks(tiles, rules, seed)
    half = len(tiles) // 2
    frames = iter([tiles.iloc[:half], tiles.iloc[half:]])
    return pd.concat(split_tiles(frames, blocks, CLASSES.trained, rules))


def places_of(tiles: pd.DataFrame) -> pd.DataFrame:
    """What the pipeline's check looks at."""
    found = tiles[tiles["split"].notna()].assign(size_m=TILE)
    return found[["tile_id", "split", "lon", "lat", "size_m"]].drop_duplicates()


def ground_of(tiles: pd.DataFrame) -> pd.DataFrame:
    """The same with the split of the ground, mixed and water tiles among them."""
    return tiles.assign(split=tiles["cell_split"])


def pairs_of_splits(tiles: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    sets = [(tiles["split"] == name).to_numpy() for name in SPLITS]
    return [(a, b) for a, b in itertools.combinations(sets, 2) if a.any() and b.any()]


def smallest_distance(tiles: pd.DataFrame) -> float:
    """Smallest distance between tiles of different splits in one zone, every pair measured."""
    corner, size = tiles[["xmin", "ymin"]].to_numpy(), TILE
    distances = [math.inf]
    for first, second in pairs_of_splits(tiles):
        between = np.abs(corner[first][:, None] - corner[second][None, :]) - size
        distances.append(np.hypot(*between.clip(min=0).T).min())
    return min(distances)


def smallest_distance_in(tiles: pd.DataFrame, crs: str) -> float:
    """The same for tiles of any zones, drawn in a CRS of their own."""
    squares = shapely.box(*tiles[["xmin", "ymin", "xmax", "ymax"]].to_numpy().T)
    for epsg in set(tiles["epsg"]):
        own = (tiles["epsg"] == epsg).to_numpy()
        to_crs = Transformer.from_crs(epsg, crs, always_xy=True)
        squares[own] = shapely.transform(
            squares[own], lambda xy, to=to_crs: np.stack(to.transform(*xy.T), axis=1)
        )
    distances = [
        shapely.distance(squares[first][:, None], squares[second][None, :]).min()
        for first, second in pairs_of_splits(tiles)
    ]
    return min(distances, default=math.inf)


class TestBuffer:
    @given(
        side=st.integers(6, 18),
        block_size_m=st.sampled_from([448.0, 1120.0, 300.0, 500.0, 777.0, 100.0]),
        buffer_m=st.sampled_from([0.0, 50.0, 224.0, 300.0, 500.0]),
        seed=st.integers(0, 1000),
    )
    def test_holds_between_all_splits(
        self, side: int, block_size_m: float, buffer_m: float, seed: int
    ) -> None:
        rules = rules_of(block_size_m, buffer_m)
        tiles = labelled_square(side, seed)
        (blocked,) = block_of_tiles(iter([tiles]), block_size_m)
        assume(blocked["block_id"].nunique() > 4)
        divided = split(tiles, rules, seed)
        assert smallest_distance(divided) >= buffer_m - 1e-6
        assert smallest_distance(ground_of(divided)) >= buffer_m - 1e-6

    @given(
        block_size_m=st.sampled_from([448.0, 1120.0, 777.0]),
        buffer_m=st.sampled_from([0.0, 224.0, 400.0]),
        lat=st.sampled_from([25.0, 36.5, 49.0]),
        seed=st.integers(0, 1000),
    )
    @settings(max_examples=15)
    def test_holds_across_a_zone_border(
        self, block_size_m: float, buffer_m: float, lat: float, seed: int
    ) -> None:
        parts = []
        for epsg, sides in ((26917, range(-8, 2)), (26918, range(-2, 8))):
            centre = Transformer.from_crs(4326, epsg, always_xy=True).transform(-78, lat)
            col, row = cell_of_origin(centre)
            part = grid_tiles([(col + c, row + r) for c in sides for r in range(-6, 6)], epsg)
            parts.append(part[(part["lon"] < -78) == (epsg == 26917)])
        tiles = pd.concat(parts, ignore_index=True)
        rng = np.random.default_rng(seed)
        tiles["label"] = rng.choice(np.array(CLASSES.trained, dtype=object), len(tiles))
        divided = split(tiles, rules_of(block_size_m, buffer_m), seed)
        around = f"+proj=aeqd +lon_0=-78 +lat_0={lat} +ellps=GRS80"
        assert smallest_distance_in(divided, around) >= buffer_m * 0.995
        assert smallest_distance_in(ground_of(divided), around) >= buffer_m * 0.995

    def test_costs_one_strip_of_the_lower_split_only(self) -> None:
        tiles = grid_tiles([(COL + c, ROW) for c in range(10)]).assign(label="Forest")
        rules = rules_of(1120, 224)
        (blocked,) = block_of_tiles(iter([tiles]), 1120)
        blocks = occupied_blocks(blocked.iloc[[0, 3, 9]], rules, 0)
        names = dict(zip(sorted(blocks["block_id"]), ["train", "test", "train"], strict=True))
        blocks["split"] = blocks["block_id"].map(names)
        (divided,) = split_tiles(iter([blocked]), blocks, CLASSES.trained, rules)
        # COL is the third column of its block: three tiles, then five, then two.
        given_way = divided["split"].isna().tolist()
        assert given_way == [False, False, True, *[False] * 5, True, False]
        assert divided["split"].tolist()[3:8] == ["test"] * 5

    def test_excluded_and_unlabelled_tiles_are_in_no_split(self) -> None:
        divided = split(labelled_square(15, 1), RULES)
        outside = ~divided["label"].isin(CLASSES.trained)
        assert outside.any()
        assert divided.loc[outside, "split"].isna().all()
        assert set(divided.loc[~outside, "split"].dropna()) == set(SPLITS)

    def test_the_ground_of_such_tiles_is_in_their_blocks_split(self) -> None:
        tiles = labelled_square(15, 1)
        divided = split(tiles, RULES)
        outside = ~divided["label"].isin(CLASSES.trained)
        assert divided.loc[outside, "cell_split"].notna().mean() > 0.5
        assert divided.loc[~outside, "split"].equals(divided.loc[~outside, "cell_split"])
        # Only the buffer and blocks without a label that is learned have none.
        blocks = divided.groupby("block_id")["cell_split"]
        assert (blocks.nunique() <= 1).all()
        (blocked,) = block_of_tiles(iter([tiles]), RULES.block_size_m)
        tested = occupied_blocks(blocked, RULES, 0).query("split == 'test'")["block_id"]
        assert (divided.loc[divided["block_id"].isin(tested), "cell_split"] == "test").all()

    def test_years_of_one_place_share_its_split(self) -> None:
        tiles = labelled_square(12, 2).assign(label="Forest")
        both = pd.concat([tiles, tiles.assign(year=2012)], ignore_index=True)
        divided = split(both, RULES)
        assert (divided.groupby("tile_id")["split"].nunique(dropna=False) == 1).all()

    def test_labelled_tiles_of_blocks_nobody_listed_are_in_no_split(self) -> None:
        tiles = labelled_square(15, 1)
        (blocked,) = block_of_tiles(iter([tiles]), RULES.block_size_m)
        blocks = occupied_blocks(blocked, RULES, 0).iloc[1:]
        (divided,) = split_tiles(iter([blocked]), blocks, CLASSES.trained, RULES)
        lost = ~blocked["block_id"].isin(blocks["block_id"])
        assert lost.any()
        assert divided.loc[lost, ["split", "cell_split"]].isna().all(axis=None)


def counts_of_blocks(number: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(1.0, [12, 6, 2], size=(number, 3)))
    counts[:, 0] += counts.sum(axis=1) == 0  # only blocks with tiles are listed
    return pd.DataFrame(counts, columns=CLASSES.trained, index=[f"b{i}" for i in range(number)])


def assign_blocks(counts: pd.DataFrame, rules: SplitRules, seed: int) -> dict[str, str]:
    """Plan blocks, wherever they lie, by their numbers of tiles (block by class)."""
    counted = counts.rename_axis("block_id").reset_index()
    counted = counted.melt("block_id", var_name="label", value_name="count")
    blocks = plan_blocks(counted.assign(epsg=ZONE, x=500_000.0, y=4_040_000.0), rules, seed)
    return dict(zip(blocks["block_id"], blocks["split"], strict=True))


class TestBlocks:
    def test_a_seed_gives_the_same_splits_in_any_order(self) -> None:
        counts = counts_of_blocks(40, 1)
        first = assign_blocks(counts, RULES, seed=5)
        assert assign_blocks(counts.iloc[::-1], RULES, seed=5) == first
        assert any(assign_blocks(counts, RULES, seed=seed) != first for seed in range(5))

    @given(number=st.integers(40, 120), seed=st.integers(0, 10_000))
    def test_every_class_is_divided_about_as_the_rules_say(self, number: int, seed: int) -> None:
        counts = counts_of_blocks(number, seed)
        splits = pd.Series(assign_blocks(counts, RULES, seed))
        assert set(splits.index) == set(counts.index)
        for name, wanted in RULES.shares.items():
            got = counts.loc[splits.index[splits == name]].sum() / counts.sum()
            assert (got - wanted).abs().max() < 0.12

    def test_three_blocks_are_enough_for_three_splits(self) -> None:
        counts = pd.DataFrame({"Forest": [5, 5, 5]}, index=list("abc"))
        assert sorted(assign_blocks(counts, RULES, 0).values()) == sorted(SPLITS)

    def test_two_blocks_are_too_few(self) -> None:
        with pytest.raises(AerialError, match=r"2 spatial block.*`split.block_size_m`.*1120 m"):
            assign_blocks(pd.DataFrame({"Forest": [5, 5]}, index=list("ab")), RULES, 0)

    def test_classes_without_tiles_change_nothing(self) -> None:
        counts = counts_of_blocks(20, 3)
        assert assign_blocks(counts.assign(Ice=0), RULES, 0) == assign_blocks(counts, RULES, 0)


class TestCheck:
    def places(self, tiles: dict[str, list[tuple[int, int]]]) -> pd.DataFrame:
        return places_of(
            pd.concat(
                grid_tiles([(COL + c, ROW - r) for c, r in cells]).assign(split=name)
                for name, cells in tiles.items()
            )
        )

    def test_accepts_what_the_split_gives(self) -> None:
        divided = split(labelled_square(24, 3), RULES, 4)
        check = check_distance(places_of(divided), RULES)
        assert check.is_spatial
        assert check.places == divided["split"].notna().sum()
        assert check.required_distance_m == 224
        pair = divided[divided["split"].isin(["train", "test"])]
        assert check.smallest_distance_m == pytest.approx(smallest_distance(pair), abs=0.01)

    def test_refuses_a_place_in_two_splits(self) -> None:
        places = self.places({"train": [(0, 0), (9, 9)], "test": [(9, 9)], "validation": [(0, 9)]})
        with pytest.raises(
            AerialError, match=r"The place e26918\S+ \(and 0 more\) is in two splits"
        ):
            check_distance(places, RULES)

    @pytest.mark.parametrize(
        ("offset", "distance"), [((1, 0), 0), ((0, 1), 0), ((1, 1), 0), ((2, 2), 317)]
    )
    @pytest.mark.parametrize("near", ["train", "validation"])
    def test_refuses_tiles_too_near_to_a_test_tile(
        self, offset: tuple[int, int], distance: int, near: str
    ) -> None:
        far = "validation" if near == "train" else "train"
        places = self.places({"test": [(0, 0)], near: [offset], far: [(40, 40)]})
        for buffer_m in (50.0, 224.0, 350.0):
            if buffer_m > distance:
                with pytest.raises(AerialError, match=f"test tile lies {distance} m from"):
                    check_distance(places, rules_of(1120, buffer_m))
            else:
                check_distance(places, rules_of(1120, buffer_m))

    def test_a_distance_of_the_buffer_is_enough(self) -> None:
        places = self.places({"train": [(0, 0)], "test": [(2, 0)], "validation": [(0, 2)]})
        check = check_distance(places, RULES)
        assert check.smallest_distance_m == pytest.approx(224, abs=0.01)

    @pytest.mark.parametrize("empty", SPLITS)
    def test_refuses_an_empty_split(self, empty: str) -> None:
        tiles = {"train": [(0, 0)], "test": [(9, 0)], "validation": [(0, 9)]}
        del tiles[empty]
        with pytest.raises(AerialError, match=f"No tile is left in the {empty} split"):
            check_distance(self.places(tiles), RULES)


class TestStratified:
    def labels(self, **counts: int) -> pd.Series:
        ids = [f"{name}-{i:03}" for name, count in counts.items() for i in range(count)]
        return pd.Series([each.split("-")[0] for each in ids], index=ids)

    def test_every_class_has_the_shares(self) -> None:
        labels = self.labels(Forest=100, Field=40, Town=20)
        splits = stratified_split(labels, RULES, 0)
        table = pd.crosstab(labels, splits)
        assert table.loc["Forest"].to_dict() == {"test": 25, "train": 60, "validation": 15}
        assert table.loc["Field"].to_dict() == {"test": 10, "train": 24, "validation": 6}
        assert table.loc["Town"].to_dict() == {"test": 5, "train": 12, "validation": 3}

    def test_the_order_of_the_tiles_does_not_matter_but_the_seed_does(self) -> None:
        labels = self.labels(Forest=30, Field=20)
        splits = stratified_split(labels, RULES, 7)
        shuffled = stratified_split(labels.sample(frac=1, random_state=1), RULES, 7)
        assert shuffled.loc[splits.index].equals(splits)
        assert not stratified_split(labels, RULES, 8).equals(splits)

    @given(
        count=st.integers(3, 12),
        shares=st.tuples(st.floats(0.01, 0.98), st.floats(0.01, 0.98)),
    )
    def test_no_split_goes_without_a_class(self, count: int, shares: tuple[float, float]) -> None:
        assume(sum(shares) < 0.999)
        rules = SplitRules(validation=shares[0], test=shares[1], block_size_m=1, buffer_m=0)
        splits = stratified_split(self.labels(Forest=count), rules, 0)
        assert set(splits) == set(SPLITS)

    def test_a_class_of_two_tiles_is_refused_by_name(self) -> None:
        with pytest.raises(AerialError, match=r"class 'Field' has 2 tile\(s\)"):
            stratified_split(self.labels(Forest=9, Field=2), RULES, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"validation": 0},
        {"test": 1},
        {"validation": 0.5, "test": 0.5},
        {"block_size_m": 0},
        {"buffer_m": -1},
        {"buffer": 1},
    ],
)
def test_rules_out_of_range_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SplitRules.model_validate({**RULES.model_dump(), **changes})
