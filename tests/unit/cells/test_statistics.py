"""Statistics of cells against plain numpy, and what a byte makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from aerial_kedro.cells.statistics import (
    INFRARED_BANDS,
    cell_statistics,
    decode_statistics,
    keep_visible,
    thin_pixels,
)


def tiles(size: int, bands: int) -> np.ndarray:
    """Noise on a ramp, of another strength in each band; the second tile is as bright as can be."""
    rng = np.random.default_rng(size)
    ramp = np.linspace(20, 150, size)[:, None, None] + np.linspace(0, 60, size)[None, :, None]
    noise = rng.normal(0, [5, 15, 25, 40][:bands], (size, size, bands))
    one = (ramp + noise).clip(0, 255).astype(np.uint8)
    return np.stack([one, rng.integers(0, 256, one.shape, dtype=np.uint8) | np.uint8(128)])


def cells_of(pixels: np.ndarray) -> list[list[np.ndarray]]:
    """Every fourth row and second column of a tile, cut into 7 by 7 pieces."""
    thinned = pixels[::4, ::2].astype(np.float64)
    rows, columns = (np.linspace(0, length, 8).round().astype(int) for length in thinned.shape[:2])
    return [
        [thinned[rows[y] : rows[y + 1], columns[x] : columns[x + 1]] for x in range(7)]
        for y in range(7)
    ]


def by_hand(pixels: np.ndarray) -> np.ndarray:
    """Means and deviations of the bands, and of NDVI where there is a fourth."""
    found = np.empty((7, 7, 6 if pixels.shape[-1] == 3 else 10))
    for y, row in enumerate(cells_of(pixels)):
        for x, cell in enumerate(row):
            bands = [cell[..., band] for band in range(cell.shape[-1])]
            if len(bands) > 3:
                red, infrared = bands[0], bands[3]
                bands.append((infrared - red) / (infrared + red + 1))
            found[y, x] = [each.mean() for each in bands] + [each.std() for each in bands]
    return found


@pytest.mark.parametrize("size", [224, 240, 153])
@pytest.mark.parametrize("bands", [3, 4])
def test_stored_statistics_are_within_half_a_step(size: int, bands: int) -> None:
    pixels = tiles(size, bands)
    stored = cell_statistics(thin_pixels(pixels))
    numbers = 6 if bands == 3 else 10
    assert (stored.shape, stored.dtype) == ((2, 7, 7, numbers), np.uint8)
    steps = [1.0] * 3 + [0.5] * 3
    if bands == 4:
        steps = [1.0] * 4 + [2 / 255] + [0.5] * 4 + [1 / 255]
    found = decode_statistics(stored)
    assert found.dtype == np.float32
    for tile, own in zip(pixels, found, strict=True):
        assert (np.abs(own - by_hand(tile)) <= np.array(steps) * 0.5 + 2e-3).all()


def test_the_first_cell_is_the_north_western() -> None:
    pixels = np.zeros((1, 224, 224, 3), dtype=np.uint8)
    pixels[0, :32, 192:, 1] = 200
    found = decode_statistics(cell_statistics(thin_pixels(pixels)))
    assert found[0, 0, 6].tolist() == [0, 200, 0, 0, 0, 0]
    assert found.sum() == 200


def test_flat_ground_has_no_deviation_however_bright() -> None:
    pixels = np.full((1, 240, 240, 4), 253, dtype=np.uint8)
    found = decode_statistics(cell_statistics(thin_pixels(pixels)))[0]
    assert (found[..., :4] == 253).all()
    assert (found[..., 5:] == 0).all()


def test_the_index_is_between_bare_and_green() -> None:
    """(NIR - R) / (NIR + R + 1); black pixels are 0, and the ends of the scale fit in a byte."""
    values = {(0, 0): 0.0, (0, 255): 255 / 256, (255, 0): -255 / 256, (60, 180): 120 / 241}
    for (red, infrared), expected in values.items():
        pixels = np.full((1, 224, 224, 4), 7, dtype=np.uint8)
        pixels[..., 0], pixels[..., 3] = red, infrared
        found = decode_statistics(cell_statistics(thin_pixels(pixels)))[
            ..., INFRARED_BANDS.index("NDVI")
        ]
        assert found == pytest.approx(np.full((1, 7, 7), expected), abs=1 / 255 + 1e-6)


def test_the_greatest_deviation_fits() -> None:
    pixels = np.zeros((1, 224, 224, 4), dtype=np.uint8)
    pixels[:, :, ::4] = 255  # every second of the columns that count
    pixels[:, :, ::4, 0], pixels[:, :, 2::4, 0] = 0, 255  # red where infrared is not
    found = decode_statistics(cell_statistics(thin_pixels(pixels)))[0]
    assert found[..., 5:9] == pytest.approx(np.full((7, 7, 4), 127.5), abs=0.01)
    assert found[..., 9] == pytest.approx(np.full((7, 7), 255 / 256), abs=0.5 / 255)


def test_of_statistics_with_infrared_the_visible_are_those_without() -> None:
    pixels = tiles(224, 4)
    assert np.array_equal(
        keep_visible(cell_statistics(thin_pixels(pixels))),
        cell_statistics(thin_pixels(pixels[..., :3])),
    )
