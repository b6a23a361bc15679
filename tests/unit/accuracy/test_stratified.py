"""Estimates from a stratified sample: the published example, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.accuracy.stratified import StratifiedSample, wilson_limits

# Olofsson et al. (2014), table 8: rows are strata and map classes, columns reference classes.
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
PIXELS = np.array([200_000.0, 150_000.0, 3_200_000.0, 6_450_000.0])
NAMES = ["deforestation", "forest gain", "stable forest", "stable non-forest"]


def published() -> tuple[StratifiedSample, np.ndarray, np.ndarray]:
    strata = np.repeat(np.arange(4), COUNTS.sum(axis=1))
    reference = np.concatenate([np.repeat(np.arange(4), row) for row in COUNTS])
    return StratifiedSample(NAMES, PIXELS, strata), strata, reference


def test_the_published_example() -> None:
    sample, mapped, reference = published()
    hectares = PIXELS.sum() * 30 * 30 / 1e4
    area = sample.share(reference == 0).times(hectares)
    assert area.estimate == pytest.approx(21_158, abs=1)
    assert 1.96 * (area.standard_error or 0) == pytest.approx(6_158, abs=1)
    overall = sample.share(mapped == reference)
    assert overall.estimate == pytest.approx(0.95, abs=0.005)
    assert 1.96 * (overall.standard_error or 0) == pytest.approx(0.02, abs=0.002)
    users = sample.ratio((mapped == 0) & (reference == 0), mapped == 0, "")
    assert users.estimate == pytest.approx(0.88)
    assert 1.96 * (users.standard_error or 0) == pytest.approx(0.07, abs=0.005)
    producers = sample.ratio((mapped == 0) & (reference == 0), reference == 0, "", mapped == 0)
    assert producers.estimate == pytest.approx(0.75, abs=0.005)
    assert 1.96 * (producers.standard_error or 0) == pytest.approx(0.21, abs=0.005)


def test_stehmans_form_where_strata_are_not_the_map_classes() -> None:
    """Against the definition, written out: weighted means, and the variance of the residuals."""
    rng = np.random.default_rng(3)
    sizes = np.array([300.0, 120.0, 80.0])
    strata = np.repeat(np.arange(3), [20, 15, 10])
    mapped, reference = rng.integers(0, 3, 45), rng.integers(0, 3, 45)
    hit, kind = (mapped == 1) & (reference == 1), mapped == 1
    found = StratifiedSample(list("abc"), sizes, strata).ratio(hit, kind, "")
    of = [(hit[strata == h].astype(float), kind[strata == h].astype(float)) for h in range(3)]
    whole = sum(size * x.mean() for size, (_, x) in zip(sizes, of, strict=True))
    ratio = sum(size * y.mean() for size, (y, _) in zip(sizes, of, strict=True)) / whole
    variance = sum(
        size**2 * (1 - len(y) / size) * np.var(y - ratio * x, ddof=1) / len(y)
        for size, (y, x) in zip(sizes, of, strict=True)
    )
    assert found.estimate == pytest.approx(ratio)
    assert found.standard_error == pytest.approx(np.sqrt(variance) / whole)


@given(st.integers(0, 2**31), st.integers(1, 4))
def test_a_census_is_exact(seed: int, strata: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 30, strata)
    positions = np.repeat(np.arange(strata), sizes)
    mapped, reference = rng.integers(0, 2, len(positions)), rng.integers(0, 2, len(positions))
    sample = StratifiedSample([str(each) for each in range(strata)], sizes.astype(float), positions)
    assert sample.weights.sum() == pytest.approx(1)
    right = mapped == reference
    found = sample.share(right)
    assert found.estimate == pytest.approx(right.mean())
    assert found.low == pytest.approx(found.high) == pytest.approx(right.mean())
    assert found.standard_error == pytest.approx(0, abs=1e-9)
    if (reference == 1).any():
        hit = right & (reference == 1)
        producers = sample.ratio(hit, reference == 1, "", mapped == 1)
        assert producers.estimate == pytest.approx(hit.sum() / (reference == 1).sum())
        assert producers.low == pytest.approx(producers.high)


def test_the_order_of_rows_does_not_matter() -> None:
    sample, mapped, reference = published()
    order = np.random.default_rng(1).permutation(len(mapped))
    other = StratifiedSample(NAMES, PIXELS, sample.strata[order])
    for a, b in (
        (sample.share(reference == 0), other.share(reference[order] == 0)),
        (
            sample.ratio(mapped == reference, reference >= 0, "", mapped == 0),
            other.ratio(
                (mapped == reference)[order], (reference >= 0)[order], "", (mapped == 0)[order]
            ),
        ),
    ):
        assert a.model_dump(exclude={"reason"}) == pytest.approx(b.model_dump(exclude={"reason"}))


def test_a_stratum_without_errors_is_not_taken_for_one_that_has_none() -> None:
    strata = np.repeat([0, 1], [50, 50])
    sample = StratifiedSample(["rare", "common"], np.array([1_000.0, 99_000.0]), strata)
    found = sample.share(strata == 0)
    assert found.standard_error == pytest.approx(0)
    assert found.low is not None
    assert found.high is not None
    # The rule of three: up to 3 of 50 cells of the common stratum may be of the class.
    assert found.low < 0.01
    assert 0.03 < found.high < 0.09


def test_what_cannot_be_known_is_none_with_a_reason() -> None:
    strata = np.array([0, 0, 1])
    one = StratifiedSample(["wood", "town"], np.array([10.0, 10.0]), strata).share([1, 0, 1])
    assert (one.estimate, one.low, one.high, one.standard_error) == (0.75, None, None, None)
    assert "one cell only of the stratum town" in str(one.reason)
    none = StratifiedSample(["wood", "town"], np.array([10.0, 10.0]), strata[:2]).share([1, 0])
    assert none.estimate is None
    assert "no cell of the stratum town" in str(none.reason)
    absent = StratifiedSample(["wood", "town"], np.array([10.0, 1.0]), strata)
    assert absent.share([1, 0, 1]).low is not None  # all of the town was interpreted
    empty = absent.ratio([0, 0, 0], [0, 0, 0], "of Marsh on the map")
    assert empty.estimate is None
    assert empty.reason == "the sample has no cell of Marsh on the map"


def test_the_difference_of_two_maps_on_the_same_cells() -> None:
    sample, mapped, reference = published()
    right = mapped == reference
    same = sample.difference(right, right, reference >= 0, "")
    assert same.estimate == same.standard_error == 0
    assert same.low is not None
    assert same.high is not None
    assert same.low < 0 < same.high
    worse = right & (np.arange(len(right)) % 3 > 0)
    found = sample.difference(right, worse, reference >= 0, "")
    assert found.low is not None
    assert found.low > 0
    both = (sample.share(right).estimate or 0) - (sample.share(worse).estimate or 0)
    assert found.estimate == pytest.approx(both)


def test_more_cells_narrow_the_interval() -> None:
    sample, mapped, reference = published()
    larger = StratifiedSample(NAMES, PIXELS, sample.strata, growth=4.0)
    now, then = (each.share(mapped == reference) for each in (sample, larger))
    assert now.estimate == then.estimate
    assert (then.half_width or 1) == pytest.approx((now.half_width or 0) / 2, rel=0.05)


def test_a_known_share_has_no_width() -> None:
    assert wilson_limits(0.3, 0.0) == (0.3, 0.3)
