from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.warp import Resampling, reproject

from aerial_kedro.examples.county.frame import CRS
from aerial_kedro.examples.county.kinds import CLASS_OF_CODE
from aerial_kedro.examples.county.landcover import NLCD_COLOURS, TRUTH_CODES, mislabel
from aerial_kedro.examples.county.plan import county_frame
from aerial_kedro.examples.county.settings import CountySettings
from aerial_kedro.scenes.raster import Raster


def test_names(land_cover: dict[str, Raster], truth: dict[str, Raster]) -> None:
    assert list(land_cover) == ["nlcd_2011", "nlcd_2019"]
    assert list(truth) == ["truth_2012", "truth_2018"]


def test_land_cover_holds_nlcd_codes_only_with_their_colours(
    land_cover: dict[str, Raster],
) -> None:
    for raster in land_cover.values():
        codes = set(np.unique(raster.pixels).tolist()) - {0}
        assert codes <= set(CLASS_OF_CODE) <= set(NLCD_COLOURS)
        assert raster.crs == "EPSG:5070"
        assert raster.transform.a == 30
        assert raster.colour_table is not None
        assert codes <= set(raster.colour_table)


def test_land_cover_reaches_beyond_the_scenes(
    tiny: CountySettings, land_cover: dict[str, Raster]
) -> None:
    west, south, east, north = county_frame(tiny).bounds
    xs, ys = np.meshgrid(np.linspace(west - 150, east + 150), np.linspace(south - 150, north + 150))
    px, py = Transformer.from_crs(CRS, "EPSG:5070", always_xy=True).transform(xs, ys)
    for raster in land_cover.values():
        columns, rows = ~raster.transform @ (px, py)
        assert raster.pixels[0, rows.astype(int), columns.astype(int)].all()


def test_every_class_is_in_the_truth(truth: dict[str, Raster]) -> None:
    for raster in truth.values():
        values, counts = np.unique(raster.pixels, return_counts=True)
        assert set(values.tolist()) == set(TRUTH_CODES.values())
        assert counts.min() / counts.sum() > 0.01


def _truth_on_land_cover(truth: Raster, cover: Raster) -> np.ndarray:
    result = np.zeros(cover.pixels.shape[1:], np.uint8)
    reproject(
        truth.pixels[0],
        result,
        src_transform=truth.transform,
        src_crs=truth.crs,
        dst_transform=cover.transform,
        dst_crs=cover.crs,
        src_nodata=0,
        dst_nodata=0,
        resampling=Resampling.mode,
    )
    return result


def test_land_cover_is_right_on_most_pixels_but_not_on_all(
    truth: dict[str, Raster], land_cover: dict[str, Raster]
) -> None:
    table = np.zeros(256, np.uint8)
    for code, land_class in CLASS_OF_CODE.items():
        table[code] = TRUTH_CODES[land_class]
    for cover_name, truth_name in (("nlcd_2011", "truth_2012"), ("nlcd_2019", "truth_2018")):
        cover = land_cover[cover_name]
        real = _truth_on_land_cover(truth[truth_name], cover)
        right = (table[cover.pixels[0]] == real)[real > 0].mean()
        assert 0.7 < right < 0.98


def test_change_is_in_the_range_that_was_set(
    tiny: CountySettings, truth: dict[str, Raster]
) -> None:
    changed = (truth["truth_2012"].pixels != truth["truth_2018"].pixels).mean()
    assert 0.4 * tiny.change_share < changed < 1.3 * tiny.change_share


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.floats(0.01, 0.2))
def test_errors_keep_the_codes_and_the_fill(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    codes = np.full((60, 50), 42, np.uint8)
    codes[:, :10] = 0
    noisy = mislabel(rng, codes, share)
    np.testing.assert_array_equal(noisy == 0, codes == 0)
    assert set(np.unique(noisy).tolist()) - {0} <= set(CLASS_OF_CODE)
    wrong = (noisy != codes)[:, 12:].mean()
    assert 0 < wrong < 2.5 * share


def test_no_errors_without_label_noise() -> None:
    codes = np.random.default_rng(0).choice([11, 41, 82], (40, 40)).astype(np.uint8)
    np.testing.assert_array_equal(mislabel(np.random.default_rng(1), codes, 0.0), codes)
