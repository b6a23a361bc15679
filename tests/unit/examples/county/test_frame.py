from __future__ import annotations

import numpy as np
import pytest
from rasterio.warp import Resampling, reproject

from aerial_kedro.examples.county.frame import CRS, Frame


@pytest.mark.parametrize("resampling", [Resampling.cubic, Resampling.mode])
def test_warped_pixels_are_those_of_a_warp_that_is_told_of_no_data(resampling: Resampling) -> None:
    frame = Frame(231_840.0, 4_043_200.0, 1.0, 300, 260)
    # Dark and bright side by side, so that a cubic falls below 0.
    pixels = np.random.default_rng(0).choice([1, 255], (4, 300, 260)).astype(np.uint8)
    warped, transform = frame.warp(pixels, "EPSG:26917", 1.0, resampling)
    expected = np.zeros_like(warped)
    reproject(
        pixels,
        expected,
        src_transform=frame.transform,
        src_crs=CRS,
        dst_transform=transform,
        dst_crs="EPSG:26917",
        src_nodata=0,
        dst_nodata=0,
        resampling=resampling,
    )
    assert 0 < (expected == 0).mean() < 0.2
    np.testing.assert_array_equal(warped, expected)
