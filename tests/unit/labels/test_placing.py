"""Labels of one's own on cells: each point in one, polygons where they cover enough."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from pyspark.sql import SparkSession

from aerial_kedro.cells.grid import COUNT, SIDE, unpack
from aerial_kedro.cells.places import squares_of_cells
from aerial_kedro.labels.layer import LabelLayer, LabelTable, read_labels
from aerial_kedro.labels.packing import lay_over, pack_labels
from aerial_kedro.labels.placing import (
    CONTRADICTORY,
    LABELLED,
    MIXED,
    OTHER_YEAR,
    PARTLY,
    PLACED_COLUMNS,
    _points_in_cells,
    find_labelled_cells,
)
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.labels.teaching import TeachingLabels
from aerial_kedro.tiles.catalog import ddl
from aerial_kedro.tiles.grid import TileGrid, belongs_to_grid
from tests.builders import ORIGIN, TILE, ZONE, cell_of_origin, grid_tiles

X, Y = ORIGIN
COL, ROW = cell_of_origin()
CELL = TILE / SIDE
ENOUGH = 0.75
TWO_BY_TWO = grid_tiles([(COL + c, ROW - r) for c in range(2) for r in range(2)])
NAMES = ["A", "B", "C"]

_INSIDE = st.floats(0.001, 2 * TILE - 0.001)


def layer(
    shapes: list[Any], classes: str, years: list[int | None] | None = None, crs: int = ZONE
) -> LabelLayer:
    frame = gpd.GeoDataFrame(
        {"class": list(classes), "year": pd.array(years or [None] * len(shapes), dtype="Int32")},
        geometry=shapes, crs=crs,
    )  # fmt: skip
    return read_labels(LabelTable("labels.gpkg", frame), LabelRules(min_purity=0.7))


def place(labels: LabelLayer, tiles: pd.DataFrame = TWO_BY_TWO) -> pd.DataFrame:
    teaching = TeachingLabels.of(labels, NAMES)
    half = len(tiles) // 2
    frames = iter([tiles.iloc[:half], tiles.iloc[half:]])
    return pd.concat(find_labelled_cells(frames, teaching, ENOUGH), ignore_index=True)


def box(column: float, row: float, wide: float = 1, high: float = 1) -> shapely.Polygon:
    """A rectangle in cells, from the north-western corner of the tiles."""
    return shapely.box(
        X + column * CELL, Y - (row + high) * CELL, X + (column + wide) * CELL, Y - row * CELL
    )


def cells_of(found: pd.DataFrame, kind: str = LABELLED) -> set[tuple[int, int]]:
    """Columns and rows of cells, counted from the north-western corner of all tiles."""
    chosen = found[found["found"] == kind]
    squares = TWO_BY_TWO.drop_duplicates("tile_id").set_index("tile_id").loc[chosen["tile_id"]]
    row, column = np.divmod(chosen["cell"].to_numpy(int), SIDE)
    columns = np.rint((squares["xmin"].to_numpy() - X) / CELL).astype(int) + column
    rows = np.rint((Y - squares["ymax"].to_numpy()) / CELL).astype(int) + row
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


class TestPoints:
    @settings(max_examples=15)
    @given(st.lists(st.tuples(_INSIDE, _INSIDE), min_size=1, max_size=40))
    def test_each_lies_in_one_cell_whose_square_contains_it(
        self, places: list[tuple[float, float]]
    ) -> None:
        points = [shapely.Point(X + east, Y - south) for east, south in places]
        found = place(layer(points, "A" * len(points))).explode("rows")
        assert sorted(found["rows"]) == list(range(1, len(points) + 1))
        tiles = TWO_BY_TWO.set_index("tile_id").loc[found["tile_id"]]
        squares = shapely.box(*squares_of_cells(tiles, found["cell"].to_numpy(int)).T)
        chosen = np.array(points, dtype=object)[found["rows"].to_numpy(int) - 1]
        assert shapely.distance(squares, chosen).max() < 1e-6

    @pytest.mark.parametrize("column", range(1, 14))
    @pytest.mark.parametrize("row", [1, 7, 13])
    def test_one_on_a_border_is_in_one_cell_of_one_tile(self, column: int, row: int) -> None:
        """Where a point's degrees round to, by a nanometre, is not ours to say."""
        found = place(layer([shapely.Point(X + column * CELL, Y - row * CELL)], "A"))
        assert len(found) == 1
        [(at_column, at_row)] = cells_of(found)
        assert at_column in (column - 1, column)
        assert at_row in (row - 1, row)

    def test_a_tile_has_its_western_and_southern_border(self) -> None:
        """Neighbours share a border to the last bit: a point on it is in one of the two."""
        tile = TWO_BY_TWO.iloc[[0]]
        west, south, east, north = tile[["xmin", "ymin", "xmax", "ymax"]].to_numpy()[0]
        x, y = np.array([west, west, east, east]), np.array([south, north, south, north])
        exact = SimpleNamespace(transform=lambda _lon, _lat: (x, y))
        degrees = np.full((4, 2), (-75.5, 40.0))
        at = np.arange(4)
        found = _points_in_cells(tile, at * 0, at, degrees, exact)  # type: ignore[arg-type]
        assert found.label.tolist() == [0]
        assert found.cell.tolist() == [42]  # the south-western cell

    def test_a_point_is_pure(self) -> None:
        found = place(layer([shapely.Point(X + 1, Y - 1), shapely.Point(X + 2, Y - 2)], "BB"))
        assert found[["cell", "label", "purity", "labels"]].to_numpy().tolist() == [[0, 2, 100, 2]]
        assert found["rows"].tolist() == [[1, 2]]

    def test_where_zones_overlap_it_is_in_one_tile(self) -> None:
        """Tiles of two zones overlap at the border by parts: what lies there is not doubled."""
        to_degrees = Transformer.from_crs(ZONE, 4326, always_xy=True)
        x, y = Transformer.from_crs(4326, ZONE, always_xy=True).transform(-78.0, 40.0)
        rng = np.random.default_rng(5)
        lon, lat = to_degrees.transform(
            x + rng.uniform(-150, 150, 900), y + rng.uniform(0, 9000, 900)
        )
        tiles = pd.concat([tiles_around(-78.0, 40.0, epsg) for epsg in (26917, 26918)])
        found = place(layer(list(shapely.points(lon, lat)), "A" * 900, crs=4326), tiles)
        rows = np.concatenate(found["rows"].to_numpy())
        squares = {
            epsg: shapely.union_all(
                shapely.box(*some[["xmin", "ymin", "xmax", "ymax"]].to_numpy().T)
            )
            for epsg, some in tiles.groupby("epsg")
        }
        inside = [
            shapely.intersects_xy(
                square, *Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
            )
            for epsg, square in squares.items()
        ]
        assert (inside[0] & inside[1]).sum() > 10
        assert sorted(rows) == (np.flatnonzero(inside[0] | inside[1]) + 1).tolist()


def tiles_around(lon: float, lat: float, epsg: int) -> pd.DataFrame:
    """Tiles of a zone's grid near its border, those that belong to it."""
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
    grid = TileGrid(epsg, TILE)
    cols, rows = np.meshgrid(np.arange(-4, 5) + int(x // TILE), np.arange(-2, 43) + int(y // TILE))
    own = belongs_to_grid(cols.ravel(), rows.ravel(), grid)
    return grid_tiles(
        [(int(c), int(r)) for c, r in zip(cols.ravel()[own], rows.ravel()[own], strict=True)], epsg
    )


class TestPolygons:
    @settings(max_examples=25)
    @given(st.integers(0, 13), st.integers(0, 13), st.integers(1, 14), st.integers(1, 14))
    def test_one_of_whole_cells_labels_exactly_these(
        self, column: int, row: int, wide: int, high: int
    ) -> None:
        wide, high = min(wide, 14 - column), min(high, 14 - row)
        found = place(layer([box(column, row, wide, high)], "A"))
        expected = {(column + c, row + r) for c in range(wide) for r in range(high)}
        assert cells_of(found) == expected
        assert len(found) == len(expected)  # and touches no other
        assert set(found["purity"]) == {100}

    @pytest.mark.parametrize(("share", "kind"), [(0.75, LABELLED), (0.74, PARTLY), (1.0, LABELLED)])
    def test_it_must_cover_enough(self, share: float, kind: str) -> None:
        found = place(layer([box(3, 3, wide=share)], "A"))
        assert found["found"].tolist() == [kind]
        assert found["purity"].tolist() == [round(100 * share) if kind == LABELLED else 0]

    def test_those_of_a_class_cover_together(self) -> None:
        found = place(layer([box(3, 3, wide=0.5), box(3.5, 3, wide=0.4)], "AA"))
        assert found[["found", "purity", "labels"]].to_numpy().tolist() == [[LABELLED, 90, 2]]

    def test_what_is_covered_twice_counts_once(self) -> None:
        """Two halves that overlap by half cover three quarters less a strip."""
        found = place(layer([box(3, 3, wide=0.5), box(3.24, 3, wide=0.5)], "AA"))
        assert found["found"].tolist() == [PARTLY]
        found = place(layer([box(3, 3, wide=0.5), box(3.26, 3, wide=0.5)], "AA"))
        assert found[["found", "purity"]].to_numpy().tolist() == [[LABELLED, 76]]

    def test_three_classes_over_one_cell_leave_it_mixed(self) -> None:
        thirds = [box(3 + i / 3, 3, wide=1 / 3) for i in range(3)]
        found = place(layer(thirds, "ABC"))
        assert found[["found", "label", "labels"]].to_numpy().tolist() == [[MIXED, 0, 3]]

    def test_a_sliver_of_another_class_takes_nothing_away(self) -> None:
        found = place(layer([box(3, 3), box(3, 3, wide=0.1)], "AB"))
        assert found[["found", "label"]].to_numpy().tolist() == [[LABELLED, 1]]

    def test_two_that_cover_enough_contradict_each_other(self) -> None:
        found = place(layer([box(3, 3), box(3, 3, wide=0.8)], "AB"))
        assert found[["found", "label"]].to_numpy().tolist() == [[CONTRADICTORY, 0]]

    def test_so_do_a_point_and_a_polygon_or_two_points(self) -> None:
        inside = box(3, 3).centroid
        assert place(layer([box(3, 3), inside], "AB"))["found"].tolist() == [CONTRADICTORY]
        assert place(layer([inside, inside], "AB"))["found"].tolist() == [CONTRADICTORY]
        assert place(layer([box(3, 3), inside], "AA"))["found"].tolist() == [LABELLED]
        # A polygon that does not label the cell has no say.
        found = place(layer([box(3, 3, wide=0.5), inside], "AB"))
        assert found[["found", "label"]].to_numpy().tolist() == [[LABELLED, 2]]

    def test_it_touches_no_cell_that_only_its_bounds_meet(self) -> None:
        thin = shapely.LineString([(X + 9, Y - 9), (X + 55, Y - 40)]).buffer(0.1)
        assert cells_of(place(layer([thin], "A")), PARTLY) == {(0, 0), (1, 0), (1, 1)}

    def test_holes_are_no_part(self) -> None:
        ring = shapely.difference(box(0, 0, 3, 3), box(1, 1))
        assert cells_of(place(layer([ring], "A"))) == {
            (c, r) for c in range(3) for r in range(3)
        } - {(1, 1)}

    @settings(max_examples=15)
    @given(st.integers(0, 2**32 - 1))
    def test_shares_are_those_of_the_outlines(self, seed: int) -> None:
        """Whatever the shapes: the cells labelled are those that shapely says are covered."""
        rng = np.random.default_rng(seed)
        shapes = [
            shapely.Point(X + e, Y - s).buffer(r, quad_segs=4)
            for e, s, r in rng.uniform((0, 0, 5), (2 * TILE, 2 * TILE, 90), (6, 3))
        ]
        covered = shapely.union_all(shapes)
        share = {
            (c, r): covered.intersection(box(c, r)).area / CELL**2
            for c in range(14)
            for r in range(14)
        }
        found = cells_of(place(layer(shapes, "AAAAAA")))
        sure = {cell for cell, value in share.items() if value > ENOUGH + 1e-6}
        perhaps = {cell for cell, value in share.items() if value > ENOUGH - 1e-6}
        assert sure <= found <= perhaps


class TestYears:
    BOTH = pd.concat([TWO_BY_TWO, grid_tiles([(COL, ROW)], year=2020)], ignore_index=True)

    def test_a_label_of_a_year_teaches_that_year(self) -> None:
        found = place(layer([box(1, 1)], "A", [2020]), self.BOTH)
        assert found[["year", "found", "cell", "label"]].to_numpy().tolist() == [
            [2018, OTHER_YEAR, -1, 0],
            [2020, LABELLED, 8, 1],
        ]
        assert found["image_id"].str[-4:].tolist() == ["2018", "2020"]

    def test_one_without_teaches_every_year(self) -> None:
        found = place(layer([box(1, 1)], "A"), self.BOTH)
        assert found[["year", "found"]].to_numpy().tolist() == [[2018, LABELLED], [2020, LABELLED]]

    def test_labels_of_two_years_do_not_contradict_each_other(self) -> None:
        inside = box(1, 1).centroid
        found = place(layer([inside, inside], "AB", [2018, 2020]), self.BOTH)
        labelled = found[found["found"] == LABELLED]
        assert labelled[["year", "label"]].to_numpy().tolist() == [[2018, 1], [2020, 2]]


class TestTheTable:
    @settings(max_examples=10)
    @given(st.permutations(range(8)))
    def test_the_order_of_the_file_changes_nothing(self, order: list[int]) -> None:
        shapes = [
            box(0, 0, 3.3, 2.8), box(2, 1, 4.2, 4), box(5, 5, 0.4, 0.9), box(5.3, 5, 0.6, 1),
            box(9.5, 3, 4, 4), box(2, 2).centroid, box(5, 5).centroid, box(12, 12).centroid,
        ]  # fmt: skip
        classes = "AABBCABC"
        first = place(layer(shapes, classes))
        second = place(layer([shapes[i] for i in order], "".join(classes[i] for i in order)))
        second["rows"] = [sorted(order[row - 1] + 1 for row in rows) for rows in second["rows"]]
        pd.testing.assert_frame_equal(first, second)

    def test_tiles_without_a_place_are_passed_over(self) -> None:
        tiles = TWO_BY_TWO.assign(epsg=[None] * 4)
        labels = TeachingLabels.of(layer([box(1, 1)], "A"), NAMES)
        assert list(find_labelled_cells(iter([tiles]), labels, ENOUGH)) == []

    def test_labels_travel_as_numbers(self) -> None:
        labels = layer([box(1, 1), shapely.Point(X, Y), box(2, 2)], "ABA", [2018, None, None])
        teaching = pickle.loads(pickle.dumps(TeachingLabels.of(labels, NAMES)))
        assert teaching.classes.tolist() == [2, 1, 1]
        assert teaching.years.tolist() == [0, 2018, 0]
        assert teaching.rows.tolist() == [2, 1, 3]
        assert shapely.equals(teaching.shapes(), labels.frame.geometry.to_numpy()[[1, 0, 2]]).all()

    def test_spark_takes_it(self, spark_session: SparkSession) -> None:
        teaching = TeachingLabels.of(layer([box(0, 0, 2, 1), box(0, 0).centroid], "AB"), NAMES)
        tiles = spark_session.createDataFrame(TWO_BY_TWO.astype({"year": int}))
        found = tiles.mapInPandas(
            lambda frames: find_labelled_cells(frames, teaching, ENOUGH), ddl(PLACED_COLUMNS)
        ).collect()
        assert sorted((row["cell"], row["found"], row["label"], row["rows"]) for row in found) == [
            (0, CONTRADICTORY, 0, [1, 2]),
            (1, LABELLED, 1, [1]),
        ]


def test_labels_are_packed_as_those_of_a_land_cover() -> None:
    found = place(layer([box(0, 0), box(8, 1, wide=0.8), box(3, 3, 0.2)], "ABC"))
    packed = pack_labels(found)
    assert len(packed) == 2
    labels = unpack(packed["cell_labels"].tolist()).reshape(2, COUNT)
    purity = unpack(packed["cell_purity"].tolist()).reshape(2, COUNT)
    assert [np.flatnonzero(each).tolist() for each in labels] == [[0], [8]]
    assert labels[[0, 1], [0, 8]].tolist() == [1, 2]
    assert purity[[0, 1], [0, 8]].tolist() == [100, 80]
    assert pack_labels(found.iloc[:0]).empty


def test_labels_win_over_a_land_cover_where_they_are() -> None:
    cover = np.full(COUNT, 3, np.uint8).tobytes()
    own = np.zeros(COUNT, np.uint8)
    own[5] = 1
    tiles = pd.DataFrame(
        {
            "image_id": ["both", "cover", "own", "none"],
            "cell_labels": [cover, cover, None, None],
            "cell_purity": [cover, cover, None, None],
            "own_labels": [own.tobytes(), None, own.tobytes(), None],
            "own_purity": [(own * 90).tobytes(), None, (own * 90).tobytes(), None],
        }
    )
    [found] = lay_over(iter([tiles]))
    assert list(found.columns) == ["image_id", "cell_labels", "cell_purity"]
    both = np.full(COUNT, 3)
    both[5] = 1
    assert list(found["cell_labels"][0]) == both.tolist()
    both[5] = 90
    assert list(found["cell_purity"][0]) == both.tolist()
    assert found["cell_labels"].tolist()[1:] == [cover, own.tobytes(), None]
