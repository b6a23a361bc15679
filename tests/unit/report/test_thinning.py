"""Maps and imagery on a page: few enough pixels, in the right place."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aerial_kedro.report.figures import figure_svg
from aerial_kedro.report.maps import imagery_and_map_figure
from aerial_kedro.report.pictures import NO_DATA, ImageryPicture, MapImage
from aerial_kedro.report.thinning import thin_imagery, thin_map
from aerial_kedro.scenes.raster import Raster

NAMES = ["Forest", "Shrub", "Water"]


def map_of(index: np.ndarray, confidence: np.ndarray | None = None) -> MapImage:
    rows, cols = index.shape
    extent = (500_000.0, 4_000_000.0, 500_000.0 + 32 * cols, 4_000_000.0 + 32 * rows)
    return MapImage(
        class_index=index.astype(np.uint8), classes=NAMES, extent=extent, crs="EPSG:26918",
        confidence=confidence,
    )  # fmt: skip


@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 20), st.integers(1, 20)),
        elements=st.sampled_from([0, 1, 2, NO_DATA]),
    ),
    st.integers(2, 9),
)
def test_a_pixel_shows_the_commonest_class_of_its_square(index: np.ndarray, longest: int) -> None:
    found = thin_map(map_of(index), longest)
    thin = found.class_index
    assert max(thin.shape) <= longest
    factor = max(-(-max(index.shape) // longest), 1)
    for row, col in np.ndindex(thin.shape):
        square = index[row * factor : (row + 1) * factor, col * factor : (col + 1) * factor]
        votes = Counter(square.ravel().tolist())
        votes[NO_DATA] += factor**2 - square.size
        assert votes[int(thin[row, col])] == max(votes.values())
    xmin, _, _, ymax = map_of(index).extent
    rows, cols = thin.shape
    expected = (xmin, ymax - 32 * factor * rows, xmin + 32 * factor * cols, ymax)
    assert found.extent == expected


def test_a_small_map_stays() -> None:
    made = map_of(np.zeros((10, 12)))
    assert thin_map(made, 12) is made


def test_the_confidence_is_a_cells() -> None:
    confidence = np.arange(24, dtype=float).reshape(4, 6) / 24
    found = thin_map(map_of(np.zeros((4, 6)), confidence), 2).confidence
    assert found is not None
    assert found.shape == (2, 2)
    assert found[0].tolist() == [confidence[1, 1], confidence[1, 4]]
    assert np.isnan(found[1]).all()  # most of these squares lies beyond the map


def raster_of(pixels: np.ndarray) -> Raster:
    return Raster(pixels, Affine(16, 0, 500_000, 0, -16, 4_000_000), "EPSG:26918", nodata=0)


def test_imagery_is_averaged_and_white_where_there_is_none() -> None:
    pixels = np.full((3, 5, 4), 100, dtype=np.uint8)
    pixels[:, :2, :2] = [[[40, 60], [40, 60]]] * 3
    pixels[:, :, 2:] = 0
    found = thin_imagery(raster_of(pixels), 3)
    assert found.pixels.shape == (3, 2, 3)
    assert found.pixels[0, 0].tolist() == [50, 50, 50]
    assert found.pixels[0, 1].tolist() == [255, 255, 255]
    assert found.extent == (500_000, 4_000_000 - 6 * 16, 500_000 + 4 * 16, 4_000_000)


def test_small_imagery_keeps_its_pixels() -> None:
    pixels = np.random.default_rng(0).integers(1, 255, (3, 6, 9), dtype=np.uint8)
    found = thin_imagery(raster_of(pixels), 9)
    assert np.array_equal(found.pixels, np.moveaxis(pixels, 0, -1))
    assert found.extent == (500_000, 4_000_000 - 6 * 16, 500_000 + 9 * 16, 4_000_000)


def test_imagery_and_map_lie_side_by_side_on_the_same_ground() -> None:
    made = map_of(np.array([[0, NO_DATA], [2, 1]]))
    picture = ImageryPicture(
        pixels=np.full((9, 9, 3), 90, dtype=np.uint8),
        extent=(499_000, 3_999_000, 501_000, 4_001_000),
    )
    figure = imagery_and_map_figure(made, picture)
    left, right = figure.axes
    assert [axes.get_title(loc="left") for axes in (left, right)] == ["Imagery", "Map"]
    for axes in (left, right):
        assert axes.get_xlim() == (500_000, 500_064)
        assert axes.get_ylim() == (4_000_000, 4_000_064)
        assert axes.images[0].origin == "upper"
        assert axes.get_aspect() == 1
    assert left.images[0].get_extent() == [499_000, 501_000, 3_999_000, 4_001_000]
    assert np.asarray(right.images[0].get_array())[0, 1, 3] == 0
    assert len(left.patches) == 2  # the scale bar
    assert figure_svg(figure) == figure_svg(imagery_and_map_figure(made, picture))


@pytest.mark.parametrize(
    ("pixels", "extent", "message"),
    [
        (np.zeros((2, 2), np.uint8), (0, 0, 1, 1), "rows, cols, 3"),
        (np.zeros((2, 2, 4), np.uint8), (0, 0, 1, 1), "rows, cols, 3"),
        (np.zeros((2, 2, 3), np.uint8), (0, 1, 1, 1), "not .xmin, ymin, xmax, ymax"),
    ],
)
def test_imagery_that_does_not_fit_is_refused(
    pixels: np.ndarray, extent: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ImageryPicture(pixels=pixels, extent=extent)
