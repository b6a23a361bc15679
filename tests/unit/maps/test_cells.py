"""Maps of tiles that lie on no grid of ours: each is drawn once, and no gap opens between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from aerial_kedro.maps.cells import is_on_global_grid
from aerial_kedro.maps.drawing import map_of_tiles
from aerial_kedro.scenes.raster import Raster
from aerial_kedro.tiles.places import read_places
from tests.builders import ZONE, cell_of_origin, grid_tiles

NAMES = [f"class {number}" for number in range(200)]
COLOURS = dict.fromkeys(NAMES, "#102030")
X, Y, SIZE = 500_077.7, 4_040_031.3, 224.0


def contiguous(
    cols: int, rows: int, *, x: float = X, y: float = Y, step: float = SIZE, noise: float = 0.0
) -> pd.DataFrame:
    """Squares side by side from an origin, their edges off by up to ``noise`` metres."""
    rng = np.random.default_rng(3)
    col, row = (each.ravel() for each in np.meshgrid(np.arange(cols), np.arange(rows)))
    edges = {
        "xmin": x + col * step, "ymin": y + row * step,
        "xmax": x + (col + 1) * step, "ymax": y + (row + 1) * step,
    }  # fmt: skip
    tiles = pd.DataFrame(edges) + rng.uniform(-noise, noise, (cols * rows, 4))
    return numbered(tiles.assign(epsg=ZONE, col=col, row=row))


def numbered(tiles: pd.DataFrame) -> pd.DataFrame:
    """A class of its own for each of 200 tiles in turn, so that neighbours differ."""
    labels = [NAMES[number % len(NAMES)] for number in range(len(tiles))]
    return tiles.assign(mapped_class=labels, probability=0.5)


def draw(tiles: pd.DataFrame) -> Raster:
    return map_of_tiles(tiles, NAMES, COLOURS)


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(300_000, 700_000),
    y=st.floats(100_000, 6_000_000),
    step=st.floats(50, 400),
    cols=st.integers(1, 14),
    rows=st.integers(1, 14),
)
def test_contiguous_tiles_are_drawn_once_each_without_gaps(
    x: float, y: float, step: float, cols: int, rows: int
) -> None:
    tiles = contiguous(cols, rows, x=x, y=y, step=step, noise=0.05)
    raster = draw(tiles)
    values = np.array([NAMES.index(name) + 1 for name in tiles["mapped_class"]])
    assert np.array_equal(raster.pixels[0], values.reshape(rows, cols)[::-1])


def test_the_grid_lies_on_the_tiles() -> None:
    raster = draw(contiguous(30, 20, noise=0.05))
    assert raster.transform.a == pytest.approx(SIZE, abs=0.01)
    assert raster.transform.e == pytest.approx(-SIZE, abs=0.01)
    assert (raster.transform.c, raster.transform.f) == pytest.approx((X, Y + 20 * SIZE), abs=0.15)


def test_sizes_that_are_stated_a_little_too_large_do_not_add_up() -> None:
    """Two hundred tiles that overlap by 2 m each: after 56 a grid of their size would skip one."""
    tiles = contiguous(200, 1)
    tiles["xmax"] += 2
    raster = draw(tiles)
    assert raster.pixels[0].tolist() == [list(range(1, 201))]


def test_tiles_apart_are_drawn_in_one_cell_each() -> None:
    rng = np.random.default_rng(5)
    x = X + np.arange(50) * 1000 + rng.uniform(0, 300, 50)
    y = Y + rng.uniform(0, 20_000, 50)
    tiles = pd.DataFrame({"xmin": x, "ymin": y, "xmax": x + SIZE, "ymax": y + SIZE, "epsg": ZONE})
    raster = draw(numbered(tiles))
    assert np.bincount(raster.pixels[0].ravel(), minlength=51)[1:51].tolist() == [1] * 50


def test_a_hole_stays_a_hole() -> None:
    tiles = contiguous(5, 5).drop(index=12)
    assert np.argwhere(draw(tiles).pixels[0] == 0).tolist() == [[2, 2]]


def test_a_cell_shows_the_tile_that_covers_its_centre() -> None:
    """A tile twice as wide and high among small ones fills four cells."""
    tiles = contiguous(6, 6)
    inside = tiles["col"].isin([2, 3]) & tiles["row"].isin([2, 3])
    large = tiles[inside].iloc[[0]].assign(xmax=X + 4 * SIZE, ymax=Y + 4 * SIZE)
    drawn = draw(pd.concat([tiles[~inside], large])).pixels[0]
    value = NAMES.index(large["mapped_class"].iloc[0]) + 1
    assert np.argwhere(drawn == value).tolist() == [[2, 2], [2, 3], [3, 2], [3, 3]]
    assert (drawn > 0).all()


def test_of_two_tiles_on_one_place_one_is_drawn() -> None:
    tiles = pd.concat([contiguous(3, 1), contiguous(1, 1)], ignore_index=True)
    assert (draw(tiles).pixels[0] > 0).tolist() == [[True, True, True]]


def test_tiles_cut_across_a_zone_border_meet() -> None:
    """Cut in one zone, placed by their corners in degrees: half of them belong to the other."""
    to_degrees = Transformer.from_crs(ZONE, 4326, always_xy=True)
    x, y = to_degrees.transform(-78, 36.5, direction="INVERSE")
    tiles = contiguous(14, 14, x=x - 5.3 * SIZE, y=y)
    west, south = to_degrees.transform(tiles["xmin"].to_numpy(), tiles["ymin"].to_numpy())
    east, north = to_degrees.transform(tiles["xmax"].to_numpy(), tiles["ymax"].to_numpy())
    rows = [
        f"{name}.png,{a:.7f},{b:.7f},{c:.7f},{d:.7f}"
        for name, a, b, c, d in zip(range(196), south, west, north, east, strict=True)
    ]
    table = "\n".join(["filename,llcrnrlat,llcrnrlon,urcrnrlat,urcrnrlon", *rows]).encode()
    paths = [f"{name}.png" for name in range(196)]
    places = read_places(table, "tile_summaries.csv", paths).squares
    found = numbered(places.loc[paths])
    assert set(found["epsg"]) == {26917, 26918}
    drawn = draw(found).pixels[0]
    assert np.array_equal(drawn, np.arange(1, 197).reshape(14, 14)[::-1])


def test_tiles_of_the_global_grid_are_known() -> None:
    col, row = cell_of_origin()
    tiles = grid_tiles([(col, row), (col + 3, row - 2)])
    assert is_on_global_grid(tiles)
    assert not is_on_global_grid(tiles.assign(xmin=tiles["xmin"] + 0.01))
    assert not is_on_global_grid(contiguous(2, 2))
