import math
import re

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.tiles.grid import (
    TileGrid,
    belongs_to_grid,
    block_id,
    transformer_between,
    utm_zone,
    zone_epsg,
)

SIZES = st.sampled_from([224.0, 50.0, 100.5]) | st.floats(1, 5000)
EASTINGS = st.floats(-200_000, 1_200_000)
NORTHINGS = st.floats(-1_000_000, 9_500_000)


@given(EASTINGS, NORTHINGS, SIZES)
def test_a_point_lies_in_the_square_of_its_cell(x: float, y: float, size: float) -> None:
    grid = TileGrid(26918, size)
    (col,), (row,) = grid.cell_of(np.array([x]), np.array([y]))
    xmin, ymin, xmax, ymax = grid.bounds(int(col), int(row))
    slack = 1e-6
    assert xmin - slack <= x <= xmax + slack
    assert ymin - slack <= y <= ymax + slack


@given(EASTINGS, NORTHINGS, st.sampled_from([224.0, 50.0, 100.5, 1120.0]))
def test_squares_are_anchored_at_the_origin(x: float, y: float, size: float) -> None:
    grid = TileGrid(26917, size)
    (col,), (row,) = grid.cell_of(np.array([x]), np.array([y]))
    to_metres = Affine.scale(size)
    corners = (*(to_metres @ (int(col), int(row))), *(to_metres @ (int(col) + 1, int(row) + 1)))
    assert grid.bounds(int(col), int(row)) == pytest.approx(corners)
    assert (int(col), int(row)) == (math.floor(x / size), math.floor(y / size))


@given(st.integers(-50_000, 50_000), st.integers(-50_000, 50_000), SIZES)
def test_ids_hold_plain_characters_only(col: int, row: int, size: float) -> None:
    grid = TileGrid(32733, size)
    assert re.fullmatch(r"[a-z0-9_-]+", grid.tile_id(col, row))
    assert re.fullmatch(r"[a-z0-9_-]+", block_id(32733, col * size, row * size, size))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([26917, 26918]),
            st.sampled_from([22.0, 224.0, 22.4, 2.24]),
            st.integers(-3000, 3000),
            st.integers(-3000, 3000),
        ),
        min_size=2,
        unique=True,
    )
)
def test_every_square_has_a_name_of_its_own(squares: list[tuple[int, float, int, int]]) -> None:
    ids = {TileGrid(epsg, size).tile_id(col, row) for epsg, size, col, row in squares}
    assert len(ids) == len(squares)


def test_neighbours_have_other_names() -> None:
    names = {
        TileGrid(epsg, size).tile_id(col, row)
        for epsg in (26917, 26918)
        for size in (224.0, 22.4, 2.24, 224.5)
        for col in (2232, 2233, -2232)
        for row in (18035, 18036)
    }
    assert len(names) == 2 * 4 * 3 * 2


@pytest.mark.parametrize(
    ("lon", "zone"),
    [(-180, 1), (-174.0001, 1), (-78.0001, 17), (-78, 18), (-0.1, 30), (0, 31), (179.9, 60)],
)
def test_zones_are_six_degrees_from_the_antimeridian(lon: float, zone: int) -> None:
    assert utm_zone(lon) == zone


def test_the_antimeridian_belongs_to_one_zone() -> None:
    assert utm_zone(180) == utm_zone(-180)


def test_zones_without_nad83_are_wgs84() -> None:
    assert [zone_epsg(zone) for zone in (1, 23, 24, 60)] == [26901, 26923, 32624, 32660]
    assert zone_epsg(18, northern=False) == 32718


@given(EASTINGS, NORTHINGS)
def test_a_block_of_whole_tiles_holds_its_tiles(x: float, y: float) -> None:
    grid = TileGrid(26918, 224.0)
    (col,), (row,) = grid.cell_of(np.array([x]), np.array([y]))
    xmin, ymin, xmax, ymax = grid.bounds(int(col), int(row))
    inside = [(xmin + 1, ymin + 1), (xmax - 1, ymax - 1), ((xmin + xmax) / 2, (ymin + ymax) / 2)]
    assert len({block_id(26918, *point, 1120.0) for point in inside}) == 1


def test_a_scene_more_makes_no_transformer_more() -> None:
    """Each takes milliseconds, and a scene asked for ten."""
    cols, rows = np.arange(740, 760), np.full(20, 19_000)
    belongs_to_grid(cols, rows, TileGrid(26918, 224.0))
    made = transformer_between.cache_info().misses
    belongs_to_grid(cols, rows, TileGrid(26918, 224.0))
    assert transformer_between.cache_info().misses == made
    assert made
