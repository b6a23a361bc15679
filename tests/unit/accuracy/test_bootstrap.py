import time

import numpy as np
import pytest

from aerial_kedro.accuracy.bootstrap import _macro_f1_of_each, block_bootstrap
from aerial_kedro.accuracy.confusion import macro_f1

CLASSES = ["A", "B", "C"]


def draw(n: int, blocks: int, seed: int = 0) -> tuple[list[str], list[str], list[str]]:
    """Tiles whose chance of being right is the same within a block and differs between them."""
    rng = np.random.default_rng(seed)
    block = rng.integers(blocks, size=n)
    chance = rng.choice([0.5, 0.95], size=blocks)[block]
    truth = rng.integers(3, size=n)
    guess = np.where(rng.random(n) < chance, truth, (truth + 1) % 3)
    return [CLASSES[i] for i in truth], [CLASSES[i] for i in guess], [f"b{i}" for i in block]


def test_the_interval_holds_the_accuracy_and_is_repeatable() -> None:
    truth, guess, blocks = draw(1_000, 30)
    found = block_bootstrap(truth, guess, CLASSES, blocks, seed=1)
    accuracy = np.mean(np.array(truth) == np.array(guess))
    assert found.accuracy is not None
    assert found.accuracy.lower < accuracy < found.accuracy.upper
    assert found == block_bootstrap(truth, guess, CLASSES, blocks, seed=1)
    assert found != block_bootstrap(truth, guess, CLASSES, blocks, seed=2)
    assert found.blocks == 30


def test_whole_blocks_give_a_wider_interval_than_single_tiles() -> None:
    truth, guess, blocks = draw(2_000, 20)
    by_block = block_bootstrap(truth, guess, CLASSES, blocks).accuracy
    by_tile = block_bootstrap(truth, guess, CLASSES, [str(i) for i in range(2_000)]).accuracy
    assert by_block is not None
    assert by_tile is not None
    assert by_block.upper - by_block.lower > 2 * (by_tile.upper - by_tile.lower)


def test_single_tiles_give_the_binomial_interval() -> None:
    truth = ["A"] * 400
    guess = ["A"] * 320 + ["B"] * 80
    found = block_bootstrap(truth, guess, CLASSES, [str(i) for i in range(400)], resamples=4_000)
    assert found.accuracy is not None
    half = 1.96 * (0.8 * 0.2 / 400) ** 0.5
    assert found.accuracy.lower == pytest.approx(0.8 - half, abs=0.006)
    assert found.accuracy.upper == pytest.approx(0.8 + half, abs=0.006)


def test_a_single_block_gives_no_interval() -> None:
    found = block_bootstrap(["A", "B"], ["A", "A"], CLASSES, ["x", "x"])
    assert found.accuracy is None
    assert found.macro_f1 is None
    assert found.blocks == 1


def test_macro_f1_of_many_tables_is_that_of_each() -> None:
    rng = np.random.default_rng(0)
    tables = rng.integers(0, 9, size=(200, 4, 4))
    tables[:50, 2] = 0  # a class without reference tiles
    tables[25:75, :, 1] = 0  # one that is never predicted
    expected = [macro_f1(table) for table in tables]
    assert _macro_f1_of_each(tables.astype(float)) == pytest.approx(expected)


def test_a_hundred_thousand_tiles_take_seconds_at_most() -> None:
    truth, guess, blocks = draw(100_000, 2_000)
    start = time.perf_counter()
    block_bootstrap(truth, guess, CLASSES, blocks)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("blocks", "message"), [(["x"], "1 blocks for 2 tiles"), (["x", None], "1 tiles have no block")]
)
def test_refuses_missing_blocks(blocks: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        block_bootstrap(["A", "B"], ["A", "A"], CLASSES, blocks)
