"""Land-cover labels against an overlay by another library, cell by cell."""

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pyproj import Transformer

from aerial_kedro.errors import AerialError
from aerial_kedro.labels.land_cover import LandCoverRaster, label_tiles
from aerial_kedro.labels.rules import LabelRules
from tests.builders import (
    CLASSES,
    ORIGIN,
    TILE,
    ZONE,
    cell_of_origin,
    grid_tiles,
    random_codes,
    write_land_cover,
)

COL, ROW = cell_of_origin()
ALBERS = "EPSG:5070"
RULES = LabelRules(min_purity=0.7)
FOREST, FIELD, TOWN = 41, 82, 23


def label(
    tiles: pd.DataFrame, *rasters: LandCoverRaster, rules: LabelRules = RULES
) -> pd.DataFrame:
    (labelled,) = label_tiles(iter([tiles]), rasters, CLASSES, rules)
    return labelled


def squares_in(tiles: pd.DataFrame, crs: str) -> np.ndarray:
    """The tiles in another CRS, their sides cut into a hundred pieces."""
    squares = shapely.segmentize(
        shapely.box(tiles["xmin"], tiles["ymin"], tiles["xmax"], tiles["ymax"]), TILE / 100
    )
    to_crs = Transformer.from_crs(int(tiles["epsg"].iloc[0]), crs, always_xy=True)
    return shapely.transform(squares, lambda xy: np.stack(to_crs.transform(*xy.T), axis=1))


def overlay(
    tiles: pd.DataFrame, codes: np.ndarray, origin: tuple[float, float], gsd: float, crs: str
) -> list[dict[str, float]]:
    """Share of every class by cutting each tile with each cell's own square."""
    rows, cols = np.indices(codes.shape)
    left, top = origin[0] + cols * gsd, origin[1] - rows * gsd
    cells = shapely.box(left, top - gsd, left + gsd, top).ravel()
    tree = shapely.STRtree(cells)
    found = []
    for square in squares_in(tiles, crs):
        near = tree.query(square)
        areas = shapely.area(shapely.intersection(cells[near], square)) / square.area
        shares: dict[str, float] = {}
        for code, area in zip(codes.ravel()[near], areas, strict=True):
            name = CLASSES.class_of_code.get(int(code))
            if name:
                shares[name] = shares.get(name, 0.0) + float(area)
        found.append(shares)
    return found


def assert_equal_shares(labelled: pd.DataFrame, expected: list[dict[str, float]]) -> None:
    assert len(labelled) == len(expected)
    for found, wanted in zip(labelled["fractions"], expected, strict=True):
        for name in CLASSES.names:
            assert found.get(name, 0) == pytest.approx(wanted.get(name, 0), abs=0.001)
        assert sum(found.values()) == pytest.approx(1, abs=0.001)


class TestShares:
    def test_equal_an_overlay_of_polygons(self, tmp_path: Path) -> None:
        tiles = grid_tiles([(COL + c, ROW - r) for c in range(3) for r in range(3)])
        codes = random_codes((30, 30))
        origin = (ORIGIN[0] - 47, ORIGIN[1] + 61)
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, origin=origin)
        expected = overlay(tiles, codes, origin, 30, f"EPSG:{ZONE}")
        assert_equal_shares(label(tiles, raster), expected)

    @given(
        seed=st.integers(0, 99),
        gsd=st.sampled_from([10.0, 31.5, 90.0, 300.0]),
        shift=st.tuples(st.floats(0, 200), st.floats(0, 200)),
    )
    @settings(max_examples=40)
    def test_equal_the_overlay_for_any_cells(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        seed: int,
        gsd: float,
        shift: tuple[float, float],
    ) -> None:
        tiles = grid_tiles([(COL, ROW), (COL + 1, ROW)])
        codes = random_codes((int(450 // gsd) + 2, int(900 // gsd) + 2), seed)
        origin = (ORIGIN[0] - shift[0], ORIGIN[1] + shift[1])
        raster = write_land_cover(
            tmp_path_factory.mktemp("cover") / "nlcd.tif", codes, origin=origin, gsd=gsd
        )
        expected = overlay(tiles, codes, origin, gsd, f"EPSG:{ZONE}")
        assert_equal_shares(label(tiles, raster), expected)

    @pytest.mark.parametrize(
        ("crs", "gsd"), [(ALBERS, 30.0), ("EPSG:4269", 1 / 3600), ("EPSG:26917", 30.0)]
    )
    def test_equal_the_overlay_in_the_rasters_own_crs(
        self, tmp_path: Path, crs: str, gsd: float
    ) -> None:
        tiles = grid_tiles([(COL + c, ROW - r) for c in range(2) for r in range(2)])
        left, _, _, top = shapely.total_bounds(squares_in(tiles, crs))
        origin = (left - 3.3 * gsd, top + 2.7 * gsd)
        codes = random_codes((40, 40), 3)
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, crs=crs, origin=origin, gsd=gsd)
        assert_equal_shares(label(tiles, raster), overlay(tiles, codes, origin, gsd, crs))

    def test_of_tiles_far_apart_need_no_land_cover_between_them(self, tmp_path: Path) -> None:
        tiles = grid_tiles([(COL + c, ROW - r) for c in (0, 9, 500) for r in (0, 11, 500)])
        codes = np.full((4000, 4000), FOREST, dtype=np.uint8)
        codes[:10] = random_codes((10, 4000))
        codes[3730:3750] = random_codes((20, 4000), 1)
        raster = write_land_cover(tmp_path / "nlcd.tif", codes)
        tracemalloc.start()
        labelled = label(tiles, raster)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10e6  # all of it, as it is held, would be 128 MB
        top = tiles["ymax"] == ORIGIN[1]
        expected = overlay(tiles[top], codes[:10], ORIGIN, 30, f"EPSG:{ZONE}")
        assert_equal_shares(labelled[top], expected)
        south = (ORIGIN[0], ORIGIN[1] - 3730 * 30)
        bottom = tiles["ymax"] == ORIGIN[1] - 500 * TILE
        expected = overlay(tiles[bottom], codes[3730:3750], south, 30, f"EPSG:{ZONE}")
        assert_equal_shares(labelled[bottom], expected)


class TestCoverage:
    def test_a_tile_partly_outside_has_neither_label_nor_shares(self, tmp_path: Path) -> None:
        codes = np.full((8, 20), FOREST, dtype=np.uint8)  # 240 m high
        raster = write_land_cover(tmp_path / "nlcd.tif", codes)
        tiles = grid_tiles([(COL, ROW), (COL, ROW - 1), (COL, ROW - 5), (COL - 1, ROW)])
        labelled = label(tiles, raster)
        assert labelled["label"].iloc[0] == "Forest"
        empty = labelled.iloc[1:][["label", "purity", "fractions", "label_year", "year_gap"]]
        assert empty.isna().all(axis=None)

    @pytest.mark.parametrize(
        ("dtype", "nodata", "empty"),
        [
            ("uint8", 255, 255),
            ("uint8", None, 127),  # a background code
            ("float32", -3.4e38, -3.4e38),
            ("float32", None, -3.4e38),  # the tag was lost
            ("float32", np.nan, np.nan),
            ("float32", None, np.nan),
            ("float32", -3.4e38, 0),  # background beside nodata
            ("int16", -9999, -9999),
        ],
    )
    def test_empty_cells_are_not_land_cover(
        self, tmp_path: Path, dtype: str, nodata: float | None, empty: float
    ) -> None:
        codes = np.full((30, 30), FOREST, dtype=dtype)
        codes[:, 8:16] = empty  # 240 to 480 m: half of the second tile and more
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, nodata=nodata)
        labelled = label(grid_tiles([(COL, ROW), (COL + 1, ROW)]), raster)
        assert labelled["fractions"].iloc[0] == {"Forest": pytest.approx(1)}
        assert labelled["fractions"].isna().iloc[1]

    def test_a_sliver_without_land_cover_is_forgiven(self, tmp_path: Path) -> None:
        codes = np.full((224, 224), FOREST, dtype=np.uint8)
        codes[:2] = 0  # two of 224 rows, less than 1 %
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, gsd=1.0)
        purity = label(grid_tiles([(COL, ROW)]), raster)["purity"].iloc[0]
        assert purity == pytest.approx(222 / 224, abs=1e-6)

    def test_tiles_beside_the_raster_are_never_read(self, tmp_path: Path) -> None:
        gone = LandCoverRaster(str(tmp_path / "gone.tif"), 2019, f"EPSG:{ZONE}", (0, 0, 9, 9), ())
        assert label(grid_tiles([(COL, ROW)]), gone)["label"].isna().all()


def test_an_unknown_code_stops_the_run_by_name(tmp_path: Path) -> None:
    codes = np.full((10, 10), FOREST, dtype=np.uint8)
    codes[3, 4] = 7
    raster = write_land_cover(tmp_path / "nlcd.tif", codes)
    with pytest.raises(AerialError, match=r"nlcd\.tif holds the code 7, which is not in the"):
        label(grid_tiles([(COL, ROW)]), raster)


def test_half_codes_are_not_rounded_to_a_class(tmp_path: Path) -> None:
    codes = np.full((10, 10), FOREST + 0.5, dtype=np.float32)
    raster = write_land_cover(tmp_path / "nlcd.tif", codes)
    with pytest.raises(AerialError, match=r"the code 41\.5"):
        label(grid_tiles([(COL, ROW)]), raster)


def test_a_damaged_raster_stops_the_run_by_name(tmp_path: Path) -> None:
    codes = random_codes((300, 300))
    raster = write_land_cover(tmp_path / "nlcd.tif", codes)
    path = tmp_path / "nlcd.tif"
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(AerialError, match=r"nlcd\.tif cannot be read"):
        label(grid_tiles([(COL, ROW - 30)]), raster)


class TestPurity:
    """Ten by ten cells of 22.4 m to the tile, seventy of them forest."""

    @pytest.mark.parametrize(
        ("min_purity", "expected"), [(0.69, "Forest"), (0.7, "Forest"), (0.71, None)]
    )
    def test_the_boundary_belongs_to_the_label(
        self, tmp_path: Path, min_purity: float, expected: str | None
    ) -> None:
        codes = np.repeat([FOREST] * 7 + [FIELD] * 3, 10).reshape(10, 10).astype(np.uint8)
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, gsd=22.4)
        tiles = grid_tiles([(COL, ROW)])
        labelled = label(tiles, raster, rules=LabelRules(min_purity=min_purity)).iloc[0]
        assert labelled["label"] == expected
        assert labelled["purity"] == pytest.approx(0.7)
        assert labelled["fractions"] == pytest.approx({"Forest": 0.7, "Cultivated": 0.3})

    def test_codes_of_one_class_count_together(self, tmp_path: Path) -> None:
        codes = np.repeat([41, 42, 43, 90, FIELD], 20).reshape(10, 10).astype(np.uint8)
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, gsd=22.4)
        labelled = label(grid_tiles([(COL, ROW)]), raster).iloc[0]
        assert (labelled["label"], labelled["purity"]) == ("Forest", pytest.approx(0.8))

    def test_excluded_classes_are_labels_too(self, tmp_path: Path) -> None:
        raster = write_land_cover(tmp_path / "nlcd.tif", np.full((10, 10), 11, dtype=np.uint8))
        assert label(grid_tiles([(COL, ROW)]), raster)["label"].tolist() == ["Water"]

    @pytest.mark.parametrize("min_purity", [0, 1.1])
    def test_rules_out_of_range_are_refused(self, min_purity: float) -> None:
        with pytest.raises(ValidationError, match="min_purity"):
            LabelRules(min_purity=min_purity)


class TestYears:
    """Forest in 2011, fields in 2015, town in 2019; the town's raster is smaller."""

    @pytest.fixture
    def rasters(self, tmp_path: Path) -> list[LandCoverRaster]:
        return [
            write_land_cover(
                tmp_path / f"nlcd_{year}.tif", np.full(shape, code, dtype=np.uint8), year=year
            )
            for year, code, shape in [
                (2015, FIELD, (20, 20)),
                (2011, FOREST, (20, 20)),
                (2019, TOWN, (20, 8)),
            ]
        ]

    @pytest.mark.parametrize(
        ("year", "expected", "label_year", "gap"),
        [
            (2009, "Forest", 2011, 2),
            (2011, "Forest", 2011, 0),
            (2013, "Forest", 2011, 2),  # a tie goes to the earlier
            (2014, "Cultivated", 2015, 1),
            (2017, "Cultivated", 2015, 2),
            (2018, "Developed", 2019, 1),
            (2022, "Developed", 2019, 3),
        ],
    )
    def test_the_nearest_year_is_taken(
        self,
        rasters: list[LandCoverRaster],
        year: int,
        expected: str,
        label_year: int,
        gap: int,
    ) -> None:
        labelled = label(grid_tiles([(COL, ROW)], year=year), *rasters).iloc[0]
        assert (labelled["label"], labelled["label_year"]) == (expected, label_year)
        assert labelled["year_gap"] == gap

    def test_a_year_that_misses_the_tile_gives_way_to_the_next(
        self, rasters: list[LandCoverRaster]
    ) -> None:
        tiles = grid_tiles([(COL, ROW), (COL + 1, ROW)], year=2019)
        labelled = label(tiles, *rasters)
        assert labelled["label"].tolist() == ["Developed", "Cultivated"]
        assert labelled["year_gap"].tolist() == [0, 4]

    def test_a_frame_may_mix_years_in_any_order(self, rasters: list[LandCoverRaster]) -> None:
        tiles = pd.concat(
            [grid_tiles([(COL, ROW)], year=year) for year in (2019, 2011, 2015, 2010)]
        )
        assert label(tiles, *rasters)["label_year"].tolist() == [2019, 2011, 2015, 2011]


class TestPieces:
    """Land cover of one year in several files."""

    def piece(
        self, folder: Path, name: str, cols: tuple[int, int], code: int = FOREST
    ) -> LandCoverRaster:
        """Columns of 30 m cells from and to, counted from the first tile's left side."""
        codes = np.full((10, cols[1] - cols[0]), code, dtype=np.uint8)
        origin = (ORIGIN[0] + cols[0] * 30, ORIGIN[1])
        return write_land_cover(folder / f"{name}.tif", codes, origin=origin)

    def test_that_meet_inside_a_tile_add_up(self, tmp_path: Path) -> None:
        west = self.piece(tmp_path, "west", (0, 4), FOREST)  # 120 m
        east = self.piece(tmp_path, "east", (4, 10), FIELD)
        labelled = label(grid_tiles([(COL, ROW)]), west, east).iloc[0]
        assert labelled["fractions"] == pytest.approx(
            {"Forest": 120 / 224, "Cultivated": 104 / 224}
        )

    def test_with_a_gap_between_them_cover_nothing(self, tmp_path: Path) -> None:
        west, east = self.piece(tmp_path, "west", (0, 3)), self.piece(tmp_path, "east", (4, 10))
        assert label(grid_tiles([(COL, ROW)]), west, east)["label"].isna().all()

    @pytest.mark.parametrize("order", [1, -1])
    def test_that_overlap_do_not_count_twice(self, tmp_path: Path, order: int) -> None:
        pieces = [
            self.piece(tmp_path, "west", (0, 6), FOREST),
            self.piece(tmp_path, "all", (-1, 10), FIELD),
        ][::order]
        labelled = label(grid_tiles([(COL, ROW)]), *pieces).iloc[0]
        assert labelled["fractions"] == pytest.approx({"Cultivated": 1})

    def test_that_overlap_inside_a_tile_make_one_whole(self, tmp_path: Path) -> None:
        west = self.piece(tmp_path, "west", (0, 5), FOREST)  # 150 of 224 m
        east = self.piece(tmp_path, "east", (3, 10), FIELD)  # 134 of 224 m
        labelled = label(grid_tiles([(COL, ROW)]), west, east).iloc[0]
        assert sum(labelled["fractions"].values()) == pytest.approx(1)
        assert labelled["purity"] == pytest.approx(150 / 284)


def test_tiles_of_two_zones_in_one_frame(tmp_path: Path) -> None:
    near_border = Transformer.from_crs(4326, ZONE, always_xy=True).transform(-78, 36.5)
    origin = (near_border[0] - 3000, near_border[1] + 3000)
    codes = np.full((200, 200), FOREST, dtype=np.uint8)
    raster = write_land_cover(tmp_path / "nlcd.tif", codes, origin=origin)
    x, y = Transformer.from_crs(4326, 26917, always_xy=True).transform(-78, 36.5)
    tiles = pd.concat(
        [
            grid_tiles([cell_of_origin(near_border)]),
            grid_tiles([cell_of_origin((x, y))], epsg=26917),
        ]
    )
    assert label(tiles, raster)["label"].tolist() == ["Forest", "Forest"]


def test_empty_frames_pass(tmp_path: Path) -> None:
    raster = write_land_cover(tmp_path / "nlcd.tif", random_codes((10, 10)))
    labelled = label(grid_tiles([(COL, ROW)]).iloc[:0], raster)
    assert labelled.empty
    assert {"label", "purity", "fractions", "label_year", "year_gap"} <= set(labelled.columns)
