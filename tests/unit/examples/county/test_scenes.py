from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest
from rasterio.warp import Resampling, reproject

from aerial_kedro.examples.county import world
from aerial_kedro.examples.county.kinds import ROTATION
from aerial_kedro.examples.county.scenes import draw_scenes, quarter_quadrangle
from aerial_kedro.examples.county.settings import CountySettings
from aerial_kedro.examples.county.world import photographs
from aerial_kedro.scenes.raster import Raster

NAIP_NAME = re.compile(r"^m_(\d{7})_(ne|nw|se|sw)_(17|18)_1_(\d{8})$")


@pytest.fixture(scope="session")
def corner(tiny: CountySettings) -> CountySettings:
    """A county of a third of the size, for what is drawn again and again."""
    return tiny.model_copy(update={"width_m": 800, "height_m": 620})


def test_names_are_naips_and_tell_the_zone(scenes: dict[str, Raster]) -> None:
    zones = set()
    for stem, scene in scenes.items():
        match = NAIP_NAME.match(stem)
        assert match, stem
        assert scene.crs == f"EPSG:269{match[3]}"
        assert scene.tags["TIFFTAG_DATETIME"].replace(":", "").startswith(match[4])
        zones.add(match[3])
    assert zones == {"17", "18"}
    assert {stem[-8:] for stem in scenes} == {"20120610", "20180904"}


def test_scenes_are_said_to_be_made_up(scenes: dict[str, Raster]) -> None:
    for scene in scenes.values():
        assert "made-up" in scene.tags["TIFFTAG_IMAGEDESCRIPTION"]


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [
        (-77.99, 36.51, "3607725_sw"),
        (-78.01, 36.51, "3607832_se"),
        (-78.01, 36.49, "3607840_ne"),
        (-78.99, 36.99, "3607801_nw"),
    ],
)
def test_quarter_quadrangles(lon: float, lat: float, name: str) -> None:
    assert quarter_quadrangle(lon, lat) == name


def test_scenes_have_four_bands_with_some_fill(scenes: dict[str, Raster]) -> None:
    for stem, scene in scenes.items():
        assert scene.pixels.dtype == np.uint8
        assert scene.pixels.shape[0] == 4
        assert scene.nodata == 0
        empty = (scene.pixels == 0).all(axis=0)
        assert 0.005 < empty.mean() < 0.35, stem
        # A pixel is empty in every band or in none.
        np.testing.assert_array_equal(empty, (scene.pixels == 0).any(axis=0))


def _warped(scene: Raster, like: Raster) -> np.ndarray:
    result = np.zeros(like.pixels.shape, np.uint8)
    reproject(
        scene.pixels,
        result,
        src_transform=scene.transform,
        src_crs=scene.crs,
        dst_transform=like.transform,
        dst_crs=like.crs,
        src_nodata=0,
        dst_nodata=0,
        resampling=Resampling.bilinear,
    )
    return result


def test_both_zones_show_the_same_ground(scenes: dict[str, Raster]) -> None:
    for year in ("2012", "2018"):
        west, east = (
            next(scene for stem, scene in scenes.items() if f"_{zone}_1_{year}" in stem)
            for zone in (17, 18)
        )
        moved = _warped(west, east)
        both = (moved > 0).all(axis=0) & (east.pixels > 0).all(axis=0)
        assert both.sum() > 0.8 * 240 * 1120 * 0.8
        for band in range(4):
            first = moved[band][both].astype(float)
            second = east.pixels[band][both].astype(float)
            assert np.corrcoef(first, second)[0, 1] > 0.97
            # Shifted by five metres the pictures no longer match.
            askew = np.roll(moved[band], 5, axis=1)[both].astype(float)
            assert np.corrcoef(askew, second)[0, 1] < 0.93


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_county(
    corner: CountySettings, seed: int
) -> None:
    scenes = draw_scenes(corner, seed)
    stem = next(stem for stem in scenes if "_18_" in stem)
    once = scenes[stem]()
    photographs.cache_clear()
    again = draw_scenes(corner, seed)[stem]()
    other = draw_scenes(corner, seed + 1)[stem]()
    assert again.pixels.tobytes() == once.pixels.tobytes()
    assert other.pixels.shape == again.pixels.shape
    assert (other.pixels != again.pixels).mean() > 0.5


def test_a_county_drawn_by_one_thread_or_many_is_the_same(
    corner: CountySettings, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = [photographs(corner, seed)[flight].tobytes() for flight in corner.flights]
    photographs.cache_clear()
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert [photographs(corner, seed)[flight].tobytes() for flight in corner.flights] == together


def test_a_county_drawn_in_small_tiles_or_large_ones_is_the_same(
    corner: CountySettings, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = [photographs(corner, seed)[flight].tobytes() for flight in corner.flights]
    photographs.cache_clear()
    monkeypatch.setattr(world, "_TILE", (5000, 5000))
    assert [photographs(corner, seed)[flight].tobytes() for flight in corner.flights] == together


def test_a_flight_sees_the_same_alone(corner: CountySettings, seed: int) -> None:
    # What changes depends on the years of the first flight and the last.
    lasting = corner.model_copy(update={"change_share": 0.0})
    together = photographs(lasting, seed)
    for flight in corner.flights:
        alone = photographs(lasting.model_copy(update={"flights": (flight,)}), seed)
        assert alone[flight].tobytes() == together[flight].tobytes()


def test_fields_bear_the_crop_of_the_year(
    corner: CountySettings, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flight = corner.flights[0]
    seen = []
    for crop in ROTATION:
        monkeypatch.setattr(world, "ROTATION", dict.fromkeys(ROTATION, 0.0) | {crop: 1.0})
        photographs.cache_clear()
        seen.append(photographs(corner, seed)[flight])
    photographs.cache_clear()
    for first, second in combinations(seen, 2):
        assert 0.01 < (first != second).any(axis=0).mean() < 0.4


def test_imagery_differs_between_the_years_even_where_the_land_does_not(
    tiny: CountySettings, seed: int
) -> None:
    # Means over 40 m squares: shadows alone would leave them alike (correlation 0.96).
    seen = photographs(tiny, seed)
    first, last = (
        seen[flight][:3, :1120, :1320].reshape(3, 28, 40, 33, 40).mean((2, 4))
        for flight in tiny.flights
    )
    assert 0.3 < np.corrcoef(first.ravel(), last.ravel())[0, 1] < 0.85


def test_nothing_is_drawn_before_it_is_asked_for(tiny: CountySettings, seed: int) -> None:
    photographs.cache_clear()
    draw_scenes(tiny, seed)
    assert photographs.cache_info().currsize == 0
