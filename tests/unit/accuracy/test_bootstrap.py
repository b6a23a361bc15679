import time

import numpy as np
import pytest

from aerial_kedro.accuracy import interval
from aerial_kedro.accuracy.bootstrap import _macro_f1_of_each, block_bootstrap
from aerial_kedro.accuracy.confusion import macro_f1
from aerial_kedro.accuracy.evaluation import evaluate

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
    assert found is not None
    assert found[0].lower < accuracy < found[0].upper
    assert found == block_bootstrap(truth, guess, CLASSES, blocks, seed=1)
    assert found != block_bootstrap(truth, guess, CLASSES, blocks, seed=2)
    assert evaluate(truth, guess, CLASSES, blocks=blocks).blocks == 30


def test_whole_blocks_give_a_wider_interval_than_single_tiles() -> None:
    truth, guess, blocks = draw(2_000, 20)
    by_block = block_bootstrap(truth, guess, CLASSES, blocks)
    by_tile = block_bootstrap(truth, guess, CLASSES, [str(i) for i in range(2_000)])
    assert by_block is not None
    assert by_tile is not None
    assert by_block[0].upper - by_block[0].lower > 2 * (by_tile[0].upper - by_tile[0].lower)


def test_single_tiles_give_the_binomial_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interval, "RESAMPLES", 4_000)
    truth = ["A"] * 400
    guess = ["A"] * 320 + ["B"] * 80
    found = block_bootstrap(truth, guess, CLASSES, [str(i) for i in range(400)])
    assert found is not None
    half = 1.96 * (0.8 * 0.2 / 400) ** 0.5
    assert found[0].lower == pytest.approx(0.8 - half, abs=0.006)
    assert found[0].upper == pytest.approx(0.8 + half, abs=0.006)


def test_a_single_block_gives_no_interval() -> None:
    assert block_bootstrap(["A", "B"], ["A", "A"], CLASSES, ["x", "x"]) is None
    found = evaluate(["A", "B"], ["A", "A"], CLASSES, blocks=["x", "x"])
    assert found.accuracy_interval is None
    assert found.macro_f1_interval is None
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
