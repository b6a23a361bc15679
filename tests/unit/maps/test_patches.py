"""Patches of change: which cells make one, how large and how likely, and where it lies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyproj import Geod, Transformer

from aerial_kedro.cells.grid import pack
from aerial_kedro.maps import drawing, parts
from aerial_kedro.maps.drawing import TilesFarApartError
from aerial_kedro.maps.mosaic import zone_grid
from aerial_kedro.maps.patches import (
    PATCH_COLUMNS,
    PatchRules,
    patches_of_change,
    patches_on_grid,
)
from tests.builders import ZONE, cell_of_origin, grid_tiles

NAMES = ["Forest", "Field", "Town"]
COL, ROW = cell_of_origin()
GRID = Affine(32, 0, 500_000, 0, -32, 4_000_000)
ANY = PatchRules(min_probability=0.5, min_width=1)
WIDE = PatchRules(min_probability=0.5, min_width=2)
small = st.shared(st.tuples(st.integers(1, 9), st.integers(1, 9)))
classes = hnp.arrays(np.uint8, small, elements=st.integers(0, 3))


def by_hand(
    before: np.ndarray, after: np.ndarray, chance: np.ndarray, least: int, width: int
) -> list[set[tuple[int, int]]]:
    """Keep what lies in a square of one kind of change, and grow each patch from cell to cell."""
    free = {
        place
        for place in np.ndindex(before.shape)
        if before[place] and after[place] and before[place] != after[place]
        and chance[place] >= least
    }  # fmt: skip
    squares = [
        {(row + down, col + right) for down in range(width) for right in range(width)}
        for row, col in np.ndindex(before.shape)
    ]
    whole = [
        each for each in squares
        if each <= free and len({(before[place], after[place]) for place in each}) == 1
    ]  # fmt: skip
    free = set().union(*whole)
    patches = []
    while free:
        patch, edge = set(), {min(free)}
        while edge:
            row, col = edge.pop()
            patch.add((row, col))
            free.discard((row, col))
            for place in ((row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)):
                same = place in free and (
                    before[place] == before[row, col] and after[place] == after[row, col]
                )
                edge |= {place} if same else set()
        patches.append(patch)
    return patches


def outline(patch: set[tuple[int, int]]) -> shapely.Geometry:
    corners = [(*(GRID @ (col, row + 1)), *(GRID @ (col + 1, row))) for row, col in patch]
    return shapely.union_all([shapely.box(*each) for each in corners])


@tries(max_examples=150, deadline=None)
@given(
    classes, classes, hnp.arrays(np.uint8, small, elements=st.integers(0, 100)),
    st.sampled_from([0, 30, 55]), st.sampled_from([1, 1, 2, 3]),
)  # fmt: skip
def test_a_patch_is_what_grows_from_cell_to_cell(
    before: np.ndarray, after: np.ndarray, chance: np.ndarray, least: int, width: int
) -> None:
    rules = PatchRules(min_probability=least / 100, min_width=width)
    found, numbers = patches_on_grid(before, after, chance, GRID, rules)
    expected = by_hand(before, after, chance, least, width)
    assert len(found) == len(expected)
    cells = {number: set(zip(*np.nonzero(numbers == number), strict=True)) for number in
             range(1, len(found) + 1)}  # fmt: skip
    assert sorted(map(sorted, cells.values())) == sorted(map(sorted, expected))
    assert [len(each) for each in cells.values()] == found["cells"].tolist()
    rows = {
        (row.before, row.after, shapely.normalize(row.geometry)): row for row in found.itertuples()
    }
    for patch in expected:
        first = next(iter(patch))
        shape = outline(patch)
        row = next(
            row for (b, a, geometry), row in rows.items()
            if (b, a) == (before[first], after[first]) and geometry.equals(shape)
        )  # fmt: skip
        chances = [chance[place] / 100 for place in patch]
        assert row.cells == len(patch)
        assert row.area_ha == pytest.approx(len(patch) * 0.1024)
        assert row.area_ha == pytest.approx(shape.area / 1e4)
        assert row.mean_probability == pytest.approx(np.mean(chances))
        assert row.expected_area_ha == pytest.approx(sum(chances) * 0.1024)


def changed(letters: list[str], chance: int = 90) -> pd.DataFrame:
    """One tile of forest where letters say what cells become; the rest stays forest."""
    after = np.ones((1, 7, 7), dtype=np.uint8)
    for row, line in enumerate(letters):
        for col, letter in enumerate(line):
            after[0, row, col] = {".": 1, "f": 2, "t": 3, " ": 0}[letter]
    return grid_tiles([(COL, ROW)]).assign(
        class_before=pack(np.ones_like(after)),
        class_after=pack(after),
        change_probability=pack(np.full_like(after, chance)),
    )


def test_cells_that_touch_by_a_corner_are_two_patches() -> None:
    found = patches_of_change(changed(["tt", "..tt"]), NAMES, ANY)[0]
    assert found["cells"].tolist() == [2, 2]


def test_neighbours_that_became_something_else_are_two_patches() -> None:
    found = patches_of_change(changed(["ttf"]), NAMES, ANY)[0]
    assert found[["class_before", "class_after", "cells"]].to_numpy().tolist() == [
        ["Forest", "Town", 2], ["Forest", "Field", 1]
    ]  # fmt: skip


def test_a_patch_crosses_tiles_and_keeps_its_hole() -> None:
    tiles = grid_tiles([(COL, ROW), (COL + 1, ROW)])
    after = np.ones((2, 7, 7), dtype=np.uint8)
    after[0, 2:5, 5:], after[1, 2:5, :1] = 2, 2
    after[0, 3, 6] = 1
    packed = tiles.assign(
        class_before=pack(np.ones_like(after)),
        class_after=pack(after),
        change_probability=pack(np.full_like(after, 80)),
    )
    found = patches_of_change(packed, NAMES, ANY)[0]
    assert found["cells"].tolist() == [8]
    assert len(found.geometry[0].interiors) == 1
    area, _ = Geod(ellps="GRS80").geometry_area_perimeter(found.geometry[0])
    assert abs(area) / 1e4 == pytest.approx(found["area_ha"][0], rel=0.002)


def test_patches_are_ranked_by_the_change_to_expect() -> None:
    tiles = changed(["ttt.f", "....f"], chance=60)
    chance = np.full((1, 7, 7), 60, dtype=np.uint8)
    chance[0, :2, 4] = 95
    found = patches_of_change(tiles.assign(change_probability=pack(chance)), NAMES, ANY)[0]
    assert found["class_after"].tolist() == ["Field", "Town"]
    assert found["rank"].tolist() == [1, 2]
    assert found["expected_area_ha"].tolist() == pytest.approx(
        [2 * 0.95 * 0.1024, 3 * 0.6 * 0.1024]
    )
    assert found["mean_probability"].tolist() == pytest.approx([0.95, 0.6])


def test_places_are_in_degrees() -> None:
    found = patches_of_change(changed(["....ttt"] * 2), NAMES, ANY)[0]
    assert found.columns.tolist() == PATCH_COLUMNS
    assert found.crs.to_string() == "OGC:CRS84"
    patch = found.iloc[0]
    assert patch.geometry.contains(shapely.Point(patch.lon, patch.lat))
    assert patch.geometry.bounds == (patch.west, patch.south, patch.east, patch.north)
    x, y = Transformer.from_crs(4326, ZONE, always_xy=True).transform(patch.lon, patch.lat)
    assert 4 * 32 < x - COL * 224 < 7 * 32
    assert 0 < (ROW + 1) * 224 - y < 2 * 32


def test_what_has_no_class_or_no_values_did_not_change() -> None:
    tiles = changed([" tt"])
    assert patches_of_change(tiles, NAMES, ANY)[0]["cells"].tolist() == [2]
    missing = tiles.assign(change_probability=pd.Series([None], dtype=object))
    assert patches_of_change(missing, NAMES, ANY)[0].empty


def test_no_change_gives_an_empty_table_of_the_same_columns() -> None:
    found = patches_of_change(changed(["ttt"], chance=20), NAMES, ANY)[0]
    assert found.empty
    assert found.columns.tolist() == PATCH_COLUMNS
    assert found.crs.to_string() == "OGC:CRS84"
    nothing = patches_of_change(changed([]).iloc[:0], NAMES, ANY)[0]
    assert nothing.columns.tolist() == PATCH_COLUMNS


def test_zones_have_patches_of_their_own() -> None:
    tiles = pd.concat([changed(["tt"]), changed(["ttt"]).assign(epsg=26917)], ignore_index=True)
    found = patches_of_change(tiles, NAMES, ANY)[0]
    assert found["cells"].tolist() == [3, 2]
    assert found["lon"][1] - found["lon"][0] == pytest.approx(6, abs=0.01)


def test_patches_far_apart_are_found_each_where_it_lies() -> None:
    near = grid_tiles([(COL, ROW), (COL + 1, ROW)])
    edges = ("xmin", "ymin", "xmax", "ymax")
    away = near.assign(**{name: near[name] + 224 * 5_000 for name in edges})
    tiles = pd.concat([near, away]).assign(
        class_before=[b"\1" * 49] * 4,
        class_after=[b"\2" * 49] * 4,
        change_probability=[b"\x50" * 49] * 4,
    )
    found, ranks = patches_of_change(tiles, NAMES, ANY)
    assert found["cells"].tolist() == [98, 98]
    assert [sorted(set(tile.ravel().tolist())) for tile in ranks] in (
        [[1], [1], [2], [2]],
        [[2], [2], [1], [1]],
    )
    assert found["north"].diff().abs().iloc[-1] > 9


def all_changed(places: list[tuple[int, int]]) -> pd.DataFrame:
    return grid_tiles([(COL + right, ROW + up) for right, up in places]).assign(
        class_before=[b"\1" * 49] * len(places),
        class_after=[b"\2" * 49] * len(places),
        change_probability=[b"\x50" * 49] * len(places),
        year_before=2012,
        year_after=2018,
    )


def test_patches_are_found_along_a_diagonal_whose_rectangle_is_huge() -> None:
    """Of 640 km: every column and row of the grid between its ends holds a tile."""
    tiles = all_changed([(each, each) for each in range(2_900) if each % 2 == 0] + [(1, 2)])
    between = all_changed([(each, 2_900 - each) for each in range(2_900) if each % 2])
    with pytest.raises(TilesFarApartError):
        zone_grid(pd.concat([tiles, between]), 7)
    found, ranks = patches_of_change(pd.concat([tiles, between]), NAMES, ANY)
    assert found["cells"].tolist() == [98, *[49] * (len(tiles) + len(between) - 2)]
    assert (ranks > 0).all()


def test_a_line_that_does_not_fit_has_no_patches_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(drawing, "_MOST_CELLS", 20 * 49)
    monkeypatch.setattr(parts, "_SMALL", 4)
    tiles = all_changed([*((each, each) for each in range(5)), (40, 40)])
    found, ranks = patches_of_change(tiles, NAMES, ANY)
    assert found["cells"].tolist() == [49]
    assert (ranks > 0).all(axis=(1, 2)).tolist() == [False] * 5 + [True]
    assert "2012 to 2018: no patches of change are looked for among 5 tiles" in caplog.text


def test_edges_and_single_cells_are_no_patches_where_two_cells_are_asked_for() -> None:
    tiles = changed(["tttt.tf", "tt..", "tt...f", "......."])
    found, ranks = patches_of_change(tiles, NAMES, WIDE)
    assert found["cells"].tolist() == [6]
    assert ranks[0, 0].tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_two_kinds_of_change_make_no_square_together() -> None:
    assert patches_of_change(changed(["tf", "tf"]), NAMES, WIDE)[0].empty


def test_each_cell_has_the_rank_of_its_patch_across_zones() -> None:
    tiles = pd.concat(
        [changed(["tt..f"]), changed(["ttt"]).assign(epsg=26917)], ignore_index=True
    ).iloc[[1, 0]]
    found, ranks = patches_of_change(tiles, NAMES, ANY)
    assert found["epsg"].tolist() == [26917, ZONE, ZONE]
    assert ranks[0, 0].tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert ranks[1, 0].tolist() == [2, 2, 0, 0, 3, 0, 0]
    assert not ranks[:, 1:].any()
