from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from aerial_kedro.examples.county.noise import Field, scatter_domes, smooth_noise


@given(st.lists(st.floats(0, 6.9), min_size=1, max_size=20))
def test_spline_weights_sum_to_one(positions: list[float]) -> None:
    level = Field(np.ones((10, 10), np.float32), west=0, south=0, spacing=1)
    along = np.array(positions)
    np.testing.assert_allclose(level.at(along, along), 1, atol=1e-5)


@given(
    st.lists(st.floats(-5, 900), min_size=1, max_size=40),
    st.sampled_from([2.0, 2.4, 9.0, 22.0, 130.0]),
)
def test_weights_are_those_of_scipys_splines_to_the_last_bit(
    places: list[float], spacing: float
) -> None:
    along, size = np.array(places), int(np.ceil(900 / spacing)) + 5
    coefficients = np.eye(size, dtype=np.float32)
    field = Field(coefficients, west=-5.0, south=-5.0, spacing=spacing)
    knots = np.arange(size + 4) - 3.0
    positions = np.clip((along + 5) / spacing, 0, size - 3.001)
    expected = BSpline.design_matrix(positions, knots, 3).toarray().astype(np.float32)
    # Along the rows of the identity the weights of the columns come out as they are.
    middle = np.array([-5.0 + spacing])
    down = BSpline.design_matrix(np.array([1.0]), knots, 3).toarray()[0].astype(np.float32)
    np.testing.assert_array_equal(field.at(along, middle), _product(down, expected))


def _product(down: np.ndarray, across: np.ndarray) -> np.ndarray:
    total = np.zeros((1, len(across)), np.float32)
    for row in np.flatnonzero(down):
        total += down[row] * across[:, row]
    return total


def test_smooth_noise_has_about_unit_variance_at_every_scale() -> None:
    for scale in (2.0, 9.0, 30.0):
        noise = smooth_noise(np.random.default_rng(3), (600, 600), scale)
        assert 0.75 < noise.std() < 1.25
        assert abs(noise.mean()) < 0.2


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 30), st.integers(0, 30))
def test_field_is_the_same_in_a_window_as_in_the_whole(row: int, column: int) -> None:
    field = Field.draw(np.random.default_rng(1), (0, 0, 400, 400), 37.0)
    xs, ys = np.arange(5.0, 300, 8), np.arange(300.0, 5, -8)
    whole = field.at(xs, ys)
    window = field.at(xs[column:], ys[row:])
    np.testing.assert_allclose(window, whole[row:, column:], atol=1e-4)


def test_domes_stand_only_where_the_density_allows() -> None:
    v, u = np.mgrid[0:120, 0:120].astype(np.float32)
    density = np.where(u < 60, 0, 1).astype(np.float32)
    height, _ = scatter_domes(np.random.default_rng(0), (u, v), (8, 8), (2, 4), density)
    assert not height[:, :60].any()
    assert (height[:, 60:] > 0).mean() > 0.2
    assert height.max() <= 1
