"""Splits of folder tiles by place: the main job's check holds for tiles on any grid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from aerial_kedro.errors import AerialError
from aerial_kedro.splits.blocks import check_distance, split_by_place
from aerial_kedro.splits.rules import SPLITS, SplitRules
from tests.builders import ZONE

RULES = SplitRules(validation=0.2, test=0.25, block_size_m=1120, buffer_m=224)


def squares(
    side: int, *, x: float, y: float, noise: float = 0.0, ratio: float = 1.0
) -> pd.DataFrame:
    """``side`` × ``side`` tiles next to each other, of three classes, off by centimetres."""
    rng = np.random.default_rng(4)
    col, row = (each.ravel() for each in np.meshgrid(np.arange(side), np.arange(side)))
    edges = {
        "xmin": x + col * 224.0, "ymin": y + row * 224.0 * ratio,
        "xmax": x + (col + 1) * 224.0, "ymax": y + (row + 1) * 224.0 * ratio,
    }  # fmt: skip
    tiles = pd.DataFrame(edges) + rng.uniform(-noise, noise, (side * side, 4))
    to_degrees = Transformer.from_crs(ZONE, 4326, always_xy=True)
    tiles["lon"], tiles["lat"] = to_degrees.transform(
        ((tiles["xmin"] + tiles["xmax"]) / 2).to_numpy(),
        ((tiles["ymin"] + tiles["ymax"]) / 2).to_numpy(),
    )
    return tiles.assign(
        epsg=pd.array([ZONE] * len(tiles), dtype="Int64"),
        label=rng.choice(["Forest", "Field", "Town"], len(tiles)),
        tile_id=[f"t{number}" for number in range(len(tiles))],
    )


@settings(max_examples=20, deadline=None)
@given(
    x=st.floats(480_000, 520_000),
    y=st.floats(4_000_000, 4_100_000),
    noise=st.sampled_from([0.0, 0.04]),
    ratio=st.sampled_from([1.0, 1.04]),
    seed=st.integers(0, 99),
)
def test_the_check_holds_wherever_the_tiles_lie(
    x: float, y: float, noise: float, ratio: float, seed: int
) -> None:
    tiles = split_by_place(squares(28, x=x, y=y, noise=noise, ratio=ratio), RULES, seed)
    chosen = tiles[tiles["split"].notna()]
    places = chosen.assign(size_m=chosen["xmax"] - chosen["xmin"])
    found = check_distance(places[["tile_id", "split", "lon", "lat", "size_m"]], RULES)
    assert found.is_spatial
    assert set(chosen["split"]) == set(SPLITS)
    assert chosen["label"].nunique() == 3
    # A buffer costs tiles, not all of them.
    assert 0.4 < len(chosen) / len(tiles) < 1


def test_the_seed_decides() -> None:
    tiles = squares(20, x=500_077.7, y=4_040_031.3)
    first, again, other = (split_by_place(tiles, RULES, seed)["split"] for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_an_area_too_small_for_blocks_is_refused() -> None:
    with pytest.raises(AerialError, match="spatial block"):
        split_by_place(squares(2, x=500_077.7, y=4_040_031.3), RULES, 1)


def test_tiles_that_stick_out_of_their_blocks_keep_the_distance() -> None:
    """Anywhere, and of a size that divides the block's: nothing says that they fit into it."""
    rng = np.random.default_rng(9)
    tiles = squares(28, x=500_000, y=4_040_000)
    shift_x, shift_y = rng.integers(0, 1000, (2, len(tiles)))
    for names, shift in ((["xmin", "xmax"], shift_x), (["ymin", "ymax"], shift_y)):
        tiles[names] = tiles[names].add(shift, axis=0)
    to_degrees = Transformer.from_crs(ZONE, 4326, always_xy=True)
    tiles["lon"], tiles["lat"] = to_degrees.transform(
        (tiles["xmin"] + 112).to_numpy(), (tiles["ymin"] + 112).to_numpy()
    )
    divided = split_by_place(tiles, RULES, 1).dropna(subset=["split"])
    check_distance(divided.assign(size_m=224.0), RULES)
