"""Maps: every cell shows the tile that lies there."""

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod, Transformer

from aerial_kedro.errors import AerialError
from aerial_kedro.maps.drawing import map_of_tiles, polygons_of_tiles
from aerial_kedro.scenes.raster import Raster
from tests.builders import TILE, ZONE, cell_of_origin, grid_tiles

NAMES = ["Forest", "Field", "Town", "Water"]
COLOURS = {"Forest": "#006400", "Field": "#ffbb22", "Town": "#fa0000", "Water": "#0064c8"}
COL, ROW = cell_of_origin()


def predicted(tiles: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return tiles.assign(
        mapped_class=rng.choice(NAMES, len(tiles)), probability=rng.uniform(0.3, 1, len(tiles))
    )


def draw(tiles: pd.DataFrame) -> Raster:
    return map_of_tiles(tiles, NAMES, COLOURS)


def values_at(raster: Raster, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Class values at points in the map's CRS; 0 outside the map."""
    cols, rows = (np.floor(each).astype(int) for each in ~raster.transform @ (x, y))
    height, width = raster.pixels.shape[1:]
    inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
    found = raster.pixels[0][rows.clip(0, height - 1), cols.clip(0, width - 1)]
    return np.where(inside, found, 0)


def class_values(tiles: pd.DataFrame) -> np.ndarray:
    return np.array([NAMES.index(name) + 1 for name in tiles["mapped_class"]])


class TestOneZone:
    def test_cells_are_the_tiles(self) -> None:
        cells = [(COL, ROW), (COL + 2, ROW), (COL + 1, ROW - 3), (COL + 4, ROW - 1)]
        tiles = predicted(grid_tiles(cells))
        raster = draw(tiles)
        assert raster.crs == f"EPSG:{ZONE}"
        assert raster.pixels.shape == (2, 4, 5)
        for tile, value in zip(tiles.to_dict("records"), class_values(tiles), strict=True):
            col, row = ~raster.transform @ (tile["xmin"], tile["ymax"])
            assert (col, row) == (round(col), round(row))
            assert raster.transform @ (col + 1, row + 1) == (tile["xmax"], tile["ymin"])
            assert raster.pixels[0, round(row), round(col)] == value

    def test_places_without_a_tile_are_nodata(self) -> None:
        raster = draw(predicted(grid_tiles([(COL, ROW), (COL + 2, ROW - 2)])))
        assert raster.nodata == 0
        assert np.count_nonzero(raster.pixels[0]) == 2
        assert np.count_nonzero(raster.pixels[1]) == 2

    @pytest.mark.parametrize(
        ("probability", "percent"),
        [(1.0, 100), (0.999, 100), (0.29, 29), (0.07, 7), (0.552, 55), (0.001, 1), (0.0, 1)],
    )
    def test_probability_is_in_percent_and_never_nodata(
        self, probability: float, percent: int
    ) -> None:
        tiles = predicted(grid_tiles([(COL, ROW)])).assign(probability=probability)
        assert draw(tiles).pixels[1].tolist() == [[percent]]

    def test_where_the_model_holds_lies_in_bands_of_its_own(self) -> None:
        tiles = predicted(grid_tiles([(COL + each, ROW) for each in range(3)])).assign(
            expected_accuracy=[0.614, None, 0.0], outside_share=[1.0, None, 0.0]
        )
        raster = draw(tiles)
        assert raster.band_names[2:] == ("expected accuracy in percent", "outside")
        assert raster.pixels[2].tolist() == [[61, 0, 1]]
        assert raster.pixels[3].tolist() == [[1, 0, 0]]
        for unknown in (None, np.nan):
            raster = draw(tiles.assign(expected_accuracy=unknown, outside_share=unknown))
            assert raster.band_names == ("land cover", "probability in percent")

    @pytest.mark.parametrize("missing", [None, np.nan])
    def test_classes_that_are_not_the_models_have_no_probability(
        self, missing: float | None
    ) -> None:
        tiles = predicted(grid_tiles([(COL, ROW), (COL + 1, ROW)])).assign(
            mapped_class=["Water", "Town"], probability=[missing, 0.8]
        )
        assert draw(tiles).pixels.tolist() == [[[4, 3]], [[0, 80]]]

    def test_tiles_without_a_prediction_are_nodata(self) -> None:
        tiles = predicted(grid_tiles([(COL, ROW), (COL + 1, ROW)])).assign(
            mapped_class=[None, "Town"]
        )
        assert draw(tiles).pixels[0].tolist() == [[0, 3]]

    def test_colours_and_names_go_with_the_values(self) -> None:
        raster = draw(predicted(grid_tiles([(COL, ROW)])))
        assert raster.colour_table[2] == (255, 187, 34, 255)
        assert raster.tags == {"CLASSES": "1 Forest, 2 Field, 3 Town, 4 Water"}
        assert raster.pixels.dtype == np.uint8

    def test_any_index_will_do(self) -> None:
        tiles = predicted(grid_tiles([(COL + i, ROW) for i in range(4)]))
        shuffled = tiles.sample(frac=1, random_state=3)
        assert (draw(shuffled).pixels == draw(tiles).pixels).all()


class TestTwoZones:
    @pytest.fixture(params=[25.0, 36.5, 48.5])
    def tiles(self, request: pytest.FixtureRequest) -> pd.DataFrame:
        """About 4 km to the west and 6 km to the east of longitude -78."""
        parts = []
        for epsg, side in ((26917, range(-18, 3)), (26918, range(-3, 26))):
            centre = Transformer.from_crs(4326, epsg, always_xy=True).transform(-78, request.param)
            col, row = cell_of_origin(centre)
            part = grid_tiles([(col + c, row + r) for c in side for r in range(-12, 12)], epsg)
            parts.append(part[(part["lon"] < -78) == (epsg == 26917)])
        return predicted(pd.concat(parts, ignore_index=True))

    def test_the_map_is_in_the_zone_with_most_tiles(self, tiles: pd.DataFrame) -> None:
        assert draw(tiles).crs == "EPSG:26918"

    def test_tiles_of_the_main_zone_are_all_there(self, tiles: pd.DataFrame) -> None:
        own = tiles[tiles["epsg"] == 26918]
        x, y = (own["xmin"] + TILE / 2).to_numpy(), (own["ymin"] + TILE / 2).to_numpy()
        assert (values_at(draw(tiles), x, y) == class_values(own)).all()

    def test_neighbours_show_the_tile_under_each_cell(self, tiles: pd.DataFrame) -> None:
        raster = draw(tiles)
        other = tiles[tiles["epsg"] == 26917]
        rows, cols = np.nonzero(raster.pixels[0])
        x, y = raster.transform @ (cols + 0.5, rows + 0.5)
        own = set(zip(*(tiles[tiles["epsg"] == 26918][["xmin", "ymax"]].to_numpy().T), strict=True))
        corner = raster.transform @ (cols, rows)
        drawn = [each not in own for each in zip(*corner, strict=True)]
        to_other = Transformer.from_crs(26918, 26917, always_xy=True)
        other_x, other_y = to_other.transform(x[drawn], y[drawn])
        tree = shapely.STRtree(shapely.box(*other[["xmin", "ymin", "xmax", "ymax"]].to_numpy().T))
        cell, tile = tree.query(shapely.points(other_x, other_y), predicate="within")
        assert np.array_equal(cell, np.arange(len(cell)))
        assert len(cell) == np.count_nonzero(drawn)
        assert (raster.pixels[0][rows[drawn], cols[drawn]] == class_values(other)[tile]).all()

    def test_the_zones_meet_without_a_gap(self, tiles: pd.DataFrame) -> None:
        raster = draw(tiles)
        drawn = raster.pixels[0] != 0
        inner = drawn[3:-3]
        first, last = inner.argmax(axis=1), inner.shape[1] - inner[:, ::-1].argmax(axis=1)
        holes = [np.count_nonzero(~row[a:b]) for row, a, b in zip(inner, first, last, strict=True)]
        # Where two grids meet, one cell of a row may have its centre in no tile.
        assert max(holes) <= 1
        assert np.mean(holes) < 0.6


class TestPolygons:
    def test_corners_are_those_of_the_tiles(self) -> None:
        tiles = pd.concat(
            [grid_tiles([(COL, ROW)]), grid_tiles([(COL, ROW)], 26917), grid_tiles([(COL, 0)])],
            ignore_index=True,
        )
        polygons = polygons_of_tiles(tiles)
        assert polygons.crs.to_string() == "OGC:CRS84"
        for row in polygons.itertuples():
            to_degrees = Transformer.from_crs(row.epsg, 4326, always_xy=True)
            corners = {(x, y) for x in (row.xmin, row.xmax) for y in (row.ymin, row.ymax)}
            expected = sorted(to_degrees.transform(x, y) for x, y in corners)
            found = sorted(set(row.geometry.exterior.coords))
            assert np.array(found) == pytest.approx(np.array(expected), abs=1e-9)
            area, _ = Geod(ellps="GRS80").geometry_area_perimeter(row.geometry)
            assert abs(area) == pytest.approx(TILE**2, rel=0.002)
            assert row.geometry.contains(shapely.Point(row.lon, row.lat))

    def test_columns_and_order_are_kept(self) -> None:
        tiles = predicted(grid_tiles([(COL + 1, ROW), (COL, ROW)]))
        polygons = polygons_of_tiles(tiles)
        assert polygons["tile_id"].tolist() == tiles["tile_id"].tolist()
        assert set(tiles.columns) <= set(polygons.columns)


def test_tiles_on_two_ends_of_a_continent_make_no_map() -> None:
    tiles = predicted(grid_tiles([(COL, ROW), (COL + 20_000, ROW - 20_001)]))
    with pytest.raises(AerialError, match=r"2 tiles lie so far apart.*20,002 by 20,001 cells"):
        draw(tiles)
