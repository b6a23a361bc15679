from __future__ import annotations

import datetime as dt

import numpy as np

from aerial_kedro.examples.county.settings import Flight
from aerial_kedro.examples.county.world import light_up


def _lit(azimuth: float, size: int = 80) -> np.ndarray:
    colour = np.full((4, size, size), 150, np.uint8)
    height = np.zeros((size, size), np.uint8)
    height[35:45, 35:45] = 50  # a tower of 10 m
    flight = Flight(date=dt.date(2015, 6, 1), sun_azimuth_deg=azimuth, sun_elevation_deg=45)
    return light_up(colour, height, flight)


def test_shadows_fall_away_from_the_sun() -> None:
    east = _lit(90)[0]
    assert east[40, 28:33].mean() < 100 < east[40, 48:53].mean()
    north = _lit(0)[0]
    assert north[48:53, 40].mean() < 100 < north[28:33, 40].mean()


def test_the_shadow_is_as_long_as_the_tower_is_high_at_45_degrees() -> None:
    dark = _lit(90)[0, 40, :35] < 110
    assert 8 <= dark.sum() <= 11


def test_tiles_leave_no_seam() -> None:
    colour = np.random.default_rng(0).integers(80, 160, (4, 600, 700)).astype(np.uint8)
    height = np.random.default_rng(1).integers(0, 60, (600, 700)).astype(np.uint8)
    flight = Flight(date=dt.date(2015, 6, 1), sun_azimuth_deg=200, sun_elevation_deg=40)
    whole = light_up(colour, height, flight)
    part = light_up(colour[:, 150:500, 400:], height[150:500, 400:], flight)
    np.testing.assert_array_equal(whole[:, 200:450, 450:], part[:, 50:300, 50:])


def test_no_pixel_looks_like_missing_data() -> None:
    dark = light_up(
        np.zeros((4, 20, 20), np.uint8),
        np.zeros((20, 20), np.uint8),
        Flight(date=dt.date(2015, 6, 1), sun_azimuth_deg=10, sun_elevation_deg=30),
    )
    assert dark.min() == 1
