import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from aerial_kedro.tiles.squares import (
    DISTORTION,
    lie_nearer,
    on_sphere,
    project_squares,
    smallest_distance_m,
)
from tests.builders import TILE, ZONE, cell_of_origin, grid_tiles

COL, ROW = cell_of_origin()
CELLS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=8)


def places(cells: list[tuple[int, int]], size: float = TILE) -> pd.DataFrame:
    return grid_tiles([(COL + c, ROW - r) for c, r in cells], size=size).assign(size_m=size)


@given(CELLS, CELLS)
@settings(max_examples=40)
def test_distance_is_that_of_the_nearest_edges(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    gaps = np.abs(np.array(first)[:, None] - np.array(second)[None, :]) - 1
    expected = np.hypot(*gaps.clip(min=0).T).min() * TILE
    assert smallest_distance_m(places(first), places(second)) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("offset", [(0, 0), (1, 0), (1, 1)])
def test_tiles_that_touch_or_overlap_are_at_no_distance(offset: tuple[int, int]) -> None:
    assert smallest_distance_m(places([(0, 0)]), places([offset])) == pytest.approx(0, abs=0.01)


@given(CELLS, CELLS, st.sampled_from([0.0, 100.0, TILE, 300.0, 2 * TILE, 900.0]))
@settings(max_examples=40)
def test_nearer_is_by_the_nearest_edges_and_not_just_as_far(
    first: list[tuple[int, int]], second: list[tuple[int, int]], distance_m: float
) -> None:
    gaps = (np.abs(np.array(first)[:, None] - np.array(second)[None, :]) - 1).clip(min=0)
    nearest = np.hypot(gaps[..., 0], gaps[..., 1]).min(axis=1) * TILE
    expected = nearest < distance_m - 0.01
    assert lie_nearer(places(first), places(second), distance_m).tolist() == expected.tolist()


def test_without_tiles_nothing_is_near() -> None:
    none = places([(0, 0)]).iloc[:0]
    assert lie_nearer(places([(0, 0)]), none, 100).tolist() == [False]
    assert lie_nearer(none, places([(0, 0)]), 100).tolist() == []


def test_without_tiles_there_is_no_distance() -> None:
    none = places([(0, 0)]).iloc[:0]
    assert smallest_distance_m(places([(0, 0)]), none) is None
    assert smallest_distance_m(none, places([(0, 0)])) is None


def test_distance_is_measured_across_a_zone_border() -> None:
    found = {}
    for epsg in (26917, 26918):
        centre = Transformer.from_crs(4326, epsg, always_xy=True).transform(-78, 36.5)
        col, row = cell_of_origin(centre)
        cells = [(col + c, row) for c in range(-6, 6)]
        tiles = grid_tiles(cells, epsg).assign(size_m=TILE)
        found[epsg] = tiles[(tiles["lon"] < -78) == (epsg == 26917)]
    west, east = found[26917].iloc[:3], found[26918].iloc[3:]
    corners = []
    for tiles in (west, east):
        to_degrees = Transformer.from_crs(int(tiles["epsg"].iloc[0]), 4326, always_xy=True)
        edges = shapely.segmentize(
            shapely.box(tiles["xmin"], tiles["ymin"], tiles["xmax"], tiles["ymax"]), 14
        )
        corners.append(np.stack(to_degrees.transform(*shapely.get_coordinates(edges).T), axis=1))
    expected = min(
        Geod(ellps="GRS80").inv(*a, *b)[2] for a in corners[0][:, :2] for b in corners[1][:, :2]
    )
    assert expected > 500
    assert smallest_distance_m(west, east) == pytest.approx(expected, rel=0.003)


@given(
    lon=st.floats(-125, -66), lat=st.floats(0, 80), north=st.floats(-2000, 2000),
    east=st.floats(-2000, 2000),
)  # fmt: skip
def test_the_sphere_keeps_distances_within_the_distortion(
    lon: float, lat: float, north: float, east: float
) -> None:
    geod = Geod(ellps="GRS80")
    azimuth, distance = np.degrees(np.arctan2(east, north)), np.hypot(north, east)
    lon2, lat2, _ = geod.fwd(lon, lat, azimuth, distance)
    a, b = on_sphere(pd.DataFrame({"lon": [lon, lon2], "lat": [lat, lat2]}))
    assert np.linalg.norm(a - b) == pytest.approx(distance, rel=DISTORTION - 1, abs=1e-6)


def test_projected_squares_keep_their_area_and_place() -> None:
    tiles = grid_tiles([(COL, ROW), (COL + 3, ROW)])
    polygons = project_squares(tiles, "EPSG:5070")  # equal area; UTM's scale here is 0.9996
    assert shapely.area(polygons) == pytest.approx(TILE**2 / 0.9996**2, rel=1e-4)
    to_albers = Transformer.from_crs(ZONE, 5070, always_xy=True)
    corners = np.stack(to_albers.transform(tiles["xmin"], tiles["ymin"]), axis=1)
    assert shapely.distance(polygons, shapely.points(corners)) == pytest.approx(0, abs=1e-6)


def test_projected_squares_are_in_the_order_of_the_tiles() -> None:
    mixed = pd.concat(
        [grid_tiles([(COL, ROW)]), grid_tiles([(COL, ROW)], 26917), grid_tiles([(COL + 1, ROW)])]
    )
    centres = shapely.get_coordinates(shapely.centroid(project_squares(mixed, "EPSG:4326")))
    assert centres == pytest.approx(mixed[["lon", "lat"]].to_numpy(), abs=1e-5)
