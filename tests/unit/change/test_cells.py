"""Change of cells: what is drawn, what is estimated, and what comes out for each cell and tile."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aerial_kedro.cells.grid import COUNT, pack, unpack
from aerial_kedro.change import cells
from aerial_kedro.change.cells import (
    CELL_CHANGE_COLUMNS,
    DRAWN_COLUMNS,
    PAIR_COLUMNS,
    CellTransitions,
    Transitions,
    compare_cells,
    draw_pairs,
    estimate_shares,
    shares_of_tiles,
)
from aerial_kedro.change.comparison import weigh_pairs
from tests.builders import grid_tiles

NAMES = ["Forest", "Field", "Town", "Water"]
KNOWN = 3  # classes of the classifier


EVEN = (1 / 3, 1 / 3, 1 / 3)


def seen(
    before: np.ndarray, after: np.ndarray, *, doubt: float, prior: tuple[float, ...], seed: int
) -> np.ndarray:
    """Probabilities of both years ``(n, 2, classes)``; a share ``doubt`` of the view is common.

    By Bayes' rule on a noisy view of the class, so that each year for itself is an ideal
    classifier's, which has learned how common each class is.
    """
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 1, (len(before), KNOWN))
    views = []
    for classes in (before, after):
        own = rng.normal(0, 1, common.shape)
        noise = np.sqrt(doubt) * common + np.sqrt(1 - doubt) * own
        likelihood = prior * np.exp(2.0 * (noise + 2.0 * np.eye(KNOWN)[classes]))
        views.append(likelihood / likelihood.sum(axis=1, keepdims=True))
    return np.stack(views, axis=1)


def drawn_county(
    tiles: int, doubt: float = 0.0, prior: tuple[float, ...] = EVEN
) -> tuple[pd.DataFrame, np.ndarray]:
    """Pairs of tiles of which 6 % of the cells change, and which cells do."""
    rng = np.random.default_rng(7)
    before = rng.choice(KNOWN, tiles * COUNT, p=prior)
    changed = rng.random(before.size) < 0.06
    after = np.where(changed, (before + 1) % KNOWN, before)
    views = seen(before, after, doubt=doubt, prior=prior, seed=8)
    stored = np.rint(255 * views).astype(np.uint8)
    grid = stored.reshape(tiles, 7, 7, 2, KNOWN)
    side = int(np.ceil(np.sqrt(tiles)))
    places = [(2000 + at % side, 18_000 + at // side) for at in range(tiles)]
    table = grid_tiles(places).assign(
        chances_before=pack(grid[..., 0, :]), chances_after=pack(grid[..., 1, :])
    )
    return table[list(PAIR_COLUMNS)], changed.reshape(tiles, 7, 7)


def estimate(pairs: pd.DataFrame, share: float = 1.0) -> Transitions:
    drawn = pd.concat(draw_pairs(iter([pairs]), share, seed=1))
    count = COUNT * len(pairs)
    return estimate_shares(drawn, KNOWN, before=2012, after=2018, cells=count, seed=1)


def test_the_same_cells_are_drawn_whatever_the_frames() -> None:
    pairs, _ = drawn_county(40)
    whole = pd.concat(draw_pairs(iter([pairs]), 0.1, seed=3), ignore_index=True)
    parts = [pairs.iloc[25:], pairs.iloc[:0], pairs.iloc[:25]]
    apart = pd.concat(draw_pairs(iter(parts), 0.1, seed=3), ignore_index=True)
    assert whole.columns.tolist() == list(DRAWN_COLUMNS)
    assert apart.sort_values("tile_id")["drawn"].tolist() == (
        whole.sort_values("tile_id")["drawn"].tolist()
    )
    count = whole["drawn"].map(len).sum() / (2 * KNOWN)
    assert count == pytest.approx(0.1 * 40 * COUNT, rel=0.2)
    other = pd.concat(draw_pairs(iter([pairs]), 0.1, seed=4), ignore_index=True)
    assert other["drawn"].tolist() != whole["drawn"].tolist()


def test_both_years_of_a_drawn_cell_stay_together() -> None:
    pairs, _ = drawn_county(5)
    drawn = pd.concat(draw_pairs(iter([pairs]), 1.0, seed=3))
    first = np.frombuffer(drawn["drawn"].iloc[2], np.uint8).reshape(COUNT, 2, KNOWN)
    for year, name in enumerate(("chances_before", "chances_after")):
        expected = unpack([pairs[name].iloc[2]]).reshape(COUNT, KNOWN)
        assert (first[:, year] == expected).all()


def test_the_rate_is_found_and_the_order_of_tiles_does_not_matter() -> None:
    pairs, changed = drawn_county(400)
    found = estimate(pairs)
    assert found.rate == pytest.approx(changed.mean(), abs=0.008)
    assert found.sampled == found.cells == 400 * COUNT
    assert estimate(pairs.sample(frac=1, random_state=1)) == found
    part = estimate(pairs, share=0.5)
    assert part.sampled < 0.6 * part.cells
    assert part.rate == pytest.approx(changed.mean(), abs=0.015)


def test_independent_years_are_not_sharpened() -> None:
    assert estimate(drawn_county(400)[0]).sharpness == 1.0


def test_what_the_classifier_learned_of_common_classes_is_not_counted_twice() -> None:
    prior = (0.85, 0.1, 0.05)
    pairs, _ = drawn_county(400, prior=prior)
    found = estimate(pairs)
    shares = np.array(found.shares)
    assert shares[0, 1] == pytest.approx(0.06 * 0.85, abs=0.01)
    assert shares.sum(axis=1) == pytest.approx(prior, abs=0.01)


def test_doubts_that_both_years_share_hide_less_change(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, changed = drawn_county(400, doubt=0.8)
    found = estimate(pairs)
    assert found.sharpness > 1
    assert 0.4 < found.rate / changed.mean() < 1.1
    monkeypatch.setattr(cells, "_POWERS", (1.0,))
    assert estimate(pairs).rate < 0.1 * changed.mean()


def test_the_power_is_chosen_by_cells_of_every_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of seven columns six share their doubts; every 7th cell is of the one that does not."""
    pairs, _ = drawn_county(200, doubt=0.8)
    single, _ = drawn_county(200)
    mixed = pairs.copy()
    for name in ("chances_before", "chances_after"):
        stored = unpack(pairs[name].tolist()).copy()
        stored[:, :, 0] = unpack(single[name].tolist())[:, :, 0]
        mixed[name] = pack(stored)
    monkeypatch.setattr(cells, "_CHOOSING", 200 * COUNT // 7)
    assert estimate(mixed).sharpness > 1


def test_the_log_says_where_the_best_power_is_the_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pairs, _ = drawn_county(200, doubt=0.8)
    best = estimate(pairs).sharpness
    assert not caplog.messages
    monkeypatch.setattr(cells, "_POWERS", (1.0, best))
    estimate(pairs)
    assert f"raised to the power {best:g}, the last that is tried" in caplog.text


def test_each_cell_is_weighed_against_the_shares() -> None:
    pairs, changed = drawn_county(300)
    found = estimate(pairs)
    values = [3, 1, 2]  # of the classifier's classes on the map
    frames = list(compare_cells(iter([pairs]), found, values))
    assert [len(each) for each in frames] == [256, 44]
    table = pd.concat(frames, ignore_index=True)
    assert table.columns.tolist() == list(CELL_CHANGE_COLUMNS)
    assert set(table["year_before"]) == {2012}
    assert set(table["year_after"]) == {2018}
    first, second = (
        found.likelihoods(unpack(pairs[f"chances_{when}"].tolist()).reshape(-1, KNOWN))
        for when in ("before", "after")
    )
    expected = weigh_pairs(first, second, np.array(found.shares))
    probability = expected["probability"].to_numpy()
    for name in ("before", "after"):
        shown = unpack(table[f"class_{name}"].tolist()).ravel()
        assert (shown == np.array(values)[expected[name]]).all()
    percent = unpack(table["change_probability"].tolist())
    assert (percent.ravel() == np.rint(100 * probability)).all()
    assert table["expected_share"].to_numpy() == pytest.approx(
        probability.reshape(-1, COUNT).mean(axis=1)
    )
    high = percent >= 80
    assert changed[high].mean() == pytest.approx(percent[high].mean() / 100, abs=0.04)


def test_what_is_stored_as_nothing_is_not_impossible() -> None:
    """A stored 0 is a probability below 0.002: with certain frames nothing divides by zero."""
    sure = np.zeros((1, 7, 7, KNOWN), np.uint8)
    sure[..., 0] = 255
    other = np.roll(sure, 1, axis=-1)
    pairs, _ = drawn_county(60)
    found = estimate(pairs)
    certain = pairs.iloc[:1].assign(chances_before=pack(sure), chances_after=pack(other))
    table = next(iter(compare_cells(iter([certain]), found, [1, 2, 3])))
    assert 0.9 < table["expected_share"].iloc[0] < 1


def test_a_tile_has_the_shares_of_its_cells() -> None:
    before, after = np.ones((2, 7, 7), np.uint8), np.ones((2, 7, 7), np.uint8)
    after[0, :2] = 3
    table = grid_tiles([(1, 1), (2, 1)]).assign(
        year_before=2012, year_after=2018, class_before=pack(before), class_after=pack(after)
    )
    found = shares_of_tiles(table.iloc[[1, 0]], NAMES)
    assert found["tile_id"].tolist() == table["tile_id"].tolist()[::-1]
    assert found["changed_share"].tolist() == pytest.approx([0, 2 / 7])
    assert found["shares_before"].tolist() == [{"Forest": 1.0}] * 2
    assert found["shares_after"][1] == pytest.approx({"Forest": 5 / 7, "Town": 2 / 7})


def test_known_classes_are_named_by_their_values() -> None:
    assert CellTransitions(classes=NAMES, values=[3, 1]).known_classes == ["Town", "Forest"]
