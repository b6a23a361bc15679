"""Land cover of cells against exactextract, which takes each cell as a polygon."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from exactextract import exact_extract
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from aerial_kedro.cells.grid import COUNT, SIDE, unpack
from aerial_kedro.errors import AerialError
from aerial_kedro.labels.cells import largest_class
from aerial_kedro.labels.classes import LandCoverClasses
from aerial_kedro.labels.land_cover import LandCoverRaster, cell_shares, label_tiles
from aerial_kedro.labels.rules import LabelRules
from aerial_kedro.tiles.squares import project_squares
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
FOREST, FIELD, TOWN = 41, 82, 23
POSITION = {name: position for position, name in enumerate(CLASSES.names)}
PARALLEL = f"EPSG:{ZONE}"
# By how much a grid is turned against the tiles at 75° W.
TURNED_BY_13 = "EPSG:5070"
TURNED_BY_30 = "EPSG:3413"
TURNED_BY_45 = "+proj=stere +lat_0=90 +lat_ts=36.5 +lon_0=-30 +datum=NAD83"


def cells_of(tiles: pd.DataFrame) -> pd.DataFrame:
    """The cells as rows, from north to south and in these from west to east."""
    side = TILE / SIDE
    rows = [
        {
            "epsg": tile.epsg,
            "xmin": tile.xmin + col * side,
            "xmax": tile.xmin + (col + 1) * side,
            "ymin": tile.ymax - (row + 1) * side,
            "ymax": tile.ymax - row * side,
        }
        for tile in tiles.itertuples()
        for row in range(SIDE)
        for col in range(SIDE)
    ]
    return pd.DataFrame(rows)


def exact_shares(
    tiles: pd.DataFrame, raster: LandCoverRaster, classes: LandCoverClasses = CLASSES
) -> np.ndarray:
    """What exactextract finds in each cell that has no pixel without land cover."""
    squares = gpd.GeoDataFrame(geometry=project_squares(cells_of(tiles), raster.crs))
    squares = squares.set_crs(raster.crs)
    found = exact_extract(raster.href, squares, ["unique", "frac"], output="pandas")
    shares = np.zeros((len(squares), len(classes.names)))
    for row, (codes, fractions) in enumerate(zip(found["unique"], found["frac"], strict=True)):
        for code, fraction in zip(codes, fractions, strict=True):
            shares[row, classes.names.index(classes.class_of_code[int(code)])] += fraction
    return shares.reshape(len(tiles), SIDE, SIDE, -1)


def land_cover_under(
    folder: Path,
    tiles: pd.DataFrame,
    crs: str,
    gsd: float,
    *,
    shift: tuple[float, float] = (0.4, 1.3),
    seed: int = 5,
) -> LandCoverRaster:
    """Write random codes, pixel by pixel, under some tiles and a bit beyond."""
    left, bottom, right, top = shapely.total_bounds(project_squares(tiles, crs))
    origin = (left - shift[0] * gsd, top + shift[1] * gsd)
    shape = (int((origin[1] - bottom) / gsd) + 3, int((right - origin[0]) / gsd) + 3)
    codes = random_codes(shape, seed)
    return write_land_cover(folder / "nlcd.tif", codes, crs=crs, origin=origin, gsd=gsd)


class TestShares:
    @given(
        crs=st.sampled_from([PARALLEL, TURNED_BY_13, TURNED_BY_30, TURNED_BY_45]),
        gsd=st.sampled_from([1.0, 3.0, 10.0, 30.0, 31.5, 100.0, 300.0]),
        shift=st.tuples(st.floats(0, 2), st.floats(0, 2)),
        seed=st.integers(0, 99),
    )
    @settings(max_examples=40, deadline=None)
    def test_equal_exactextract_for_any_grid(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        crs: str,
        gsd: float,
        shift: tuple[float, float],
        seed: int,
    ) -> None:
        tiles = grid_tiles([(COL, ROW), (COL + 1, ROW - 1)])
        folder = tmp_path_factory.mktemp("cover")
        raster = land_cover_under(folder, tiles, crs, gsd, shift=shift, seed=seed)
        found, wanted = cell_shares(tiles, [raster], CLASSES), exact_shares(tiles, raster)
        assert found.shape == (2, SIDE, SIDE, len(CLASSES.names))
        assert found.dtype == np.float32
        # On a parallel grid boxes are exact, all but their last bits; the most seen on turned ones,
        # of pixels of 10 m that are each of another class than their neighbours, was 0.0202.
        assert np.abs(found - wanted).max() < (1e-5 if crs == PARALLEL else 0.03)
        assert np.allclose(found.sum(axis=-1), 1, atol=1e-5)

    def test_equal_exactextract_for_pixels_in_degrees(self, tmp_path: Path) -> None:
        tiles = grid_tiles([(COL + 300, ROW), (COL + 301, ROW)])
        raster = land_cover_under(tmp_path, tiles, "EPSG:4269", 1 / 3600)
        found, wanted = cell_shares(tiles, [raster], CLASSES), exact_shares(tiles, raster)
        assert np.abs(found - wanted).max() < 0.02

    def test_of_pixels_finer_than_boxes_are_a_fine_sample(self, tmp_path: Path) -> None:
        tiles = grid_tiles([(COL, ROW)])
        raster = land_cover_under(tmp_path, tiles, TURNED_BY_13, 0.3)
        found, wanted = cell_shares(tiles, [raster], CLASSES), exact_shares(tiles, raster)
        assert np.abs(found - wanted).max() < 0.03  # of pixels that are all independent
        assert np.allclose(found.sum(axis=-1), 1, atol=1e-5)

    def test_of_a_tile_are_those_of_its_cells_on_average(self, tmp_path: Path) -> None:
        tiles = grid_tiles([(COL + c, ROW - r) for c in range(4) for r in range(4)])
        raster = land_cover_under(tmp_path, tiles, TURNED_BY_13, 30)
        means = cell_shares(tiles, [raster], CLASSES).mean(axis=(1, 2))
        (labelled,) = label_tiles(iter([tiles]), [raster], CLASSES, LabelRules(min_purity=0.7))
        for mean, whole in zip(means, labelled["fractions"], strict=True):
            assert dict(zip(CLASSES.names, mean, strict=True)) == pytest.approx(whole, abs=0.001)

    def test_rows_begin_in_the_north_and_columns_in_the_west(self, tmp_path: Path) -> None:
        codes = np.full((SIDE, SIDE), FOREST, dtype=np.uint8)
        codes[0, 1], codes[5, 2] = FIELD, TOWN
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, gsd=TILE / SIDE)
        shares = cell_shares(grid_tiles([(COL, ROW)]), [raster], CLASSES)[0]
        assert shares[0, 1, POSITION["Cultivated"]] == pytest.approx(1)
        assert shares[5, 2, POSITION["Developed"]] == pytest.approx(1)
        assert shares[..., POSITION["Forest"]].sum() == pytest.approx(COUNT - 2)

    def test_tiles_of_two_zones_lie_where_they_lie(self, tmp_path: Path) -> None:
        near_border = Transformer.from_crs(4326, ZONE, always_xy=True).transform(-78, 36.5)
        x, y = Transformer.from_crs(4326, 26917, always_xy=True).transform(-78, 36.5)
        tiles = pd.concat(
            [
                grid_tiles([cell_of_origin(near_border)]),
                grid_tiles([cell_of_origin((x, y))], epsg=26917),
            ],
            ignore_index=True,
        )
        raster = land_cover_under(tmp_path, tiles, PARALLEL, 30)
        found, wanted = cell_shares(tiles, [raster], CLASSES), exact_shares(tiles, raster)
        assert np.abs(found - wanted).max() < 0.02

    def test_of_no_tile_are_none(self, tmp_path: Path) -> None:
        raster = write_land_cover(tmp_path / "nlcd.tif", random_codes((9, 9)))
        assert cell_shares(grid_tiles([(COL, ROW)]).iloc[:0], [raster], CLASSES).shape == (
            0, SIDE, SIDE, len(CLASSES.names),
        )  # fmt: skip


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "epsg"),
    [("mhweber_NLCD.tif", 26917), ("winnf_n38w123_nlcd2011_1arcsec.tif", 26910)],
)
def test_cells_of_real_land_cover(name: str, epsg: int, shared_data: Path) -> None:
    path = str(shared_data / "nlcd" / name)
    with rasterio.open(path) as dataset:
        raster = LandCoverRaster(path, 2011, dataset.crs.to_wkt(), tuple(dataset.bounds), ())
        middle = dataset.xy(dataset.height // 2, dataset.width // 2)
    x, y = Transformer.from_crs(raster.crs, epsg, always_xy=True).transform(*middle)
    col, row = cell_of_origin((x, y))
    tiles = grid_tiles([(col + c, row + r) for c in range(-6, 6) for r in range(-6, 6)], epsg)
    classes = LandCoverClasses(
        codes={
            "Developed": [21, 22, 23, 24], "Barren": [31], "Forest": [41, 42, 43, 90],
            "Shrub": [51, 52], "Herbaceous": [71, 72, 73, 74, 95], "Cultivated": [81, 82],
            "Water": [11, 12],
        }
    )  # fmt: skip
    found, wanted = cell_shares(tiles, [raster], classes), exact_shares(tiles, raster, classes)
    assert len(np.unique(found.argmax(axis=-1))) > 2
    covered = np.isclose(found.sum(axis=-1), 1, atol=0.001)
    assert covered.mean() > 0.9
    assert np.abs(found - wanted)[covered].max() < 0.02


class TestLabels:
    def label(self, tiles: pd.DataFrame, *rasters: LandCoverRaster) -> tuple[np.ndarray, ...]:
        """Labels and purity of the cells as the catalog holds them, each (tiles, 7, 7)."""
        (labelled,) = label_tiles(iter([tiles]), rasters, CLASSES, LabelRules(min_purity=0.7))
        assert {len(each) for each in labelled["cell_labels"]} == {COUNT}
        return unpack(list(labelled["cell_labels"])), unpack(list(labelled["cell_purity"]))

    def test_are_of_the_largest_class_with_its_share(self, tmp_path: Path) -> None:
        codes = np.full((224, 224), FOREST, dtype=np.uint8)
        codes[:32, :20] = FIELD  # 20 of the first cell's 32 columns
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, gsd=1)
        labels, purity = self.label(grid_tiles([(COL, ROW)]), raster)
        assert (labels[0, 0, 0], purity[0, 0, 0]) == (1 + POSITION["Cultivated"], 62)
        assert (labels.ravel()[1:] == 1 + POSITION["Forest"]).all()
        assert (purity.ravel()[1:] == 100).all()

    @pytest.mark.parametrize(
        ("dtype", "nodata", "empty"),
        [
            ("uint8", 255, 255),
            ("uint8", None, 127),  # a background code
            ("float32", np.nan, np.nan),
            ("float32", None, -3.4e38),  # the tag was lost
        ],
    )
    def test_cells_that_are_not_covered_have_none(
        self, tmp_path: Path, dtype: str, nodata: float | None, empty: float
    ) -> None:
        codes = np.full((224, 224), FOREST, dtype=dtype)
        codes[:2] = empty  # less than 1 % of the tile, and 6 % of its northernmost cells
        raster = write_land_cover(tmp_path / "nlcd.tif", codes, gsd=1, nodata=nodata)
        labels, purity = self.label(grid_tiles([(COL, ROW)]), raster)
        assert not labels[:, 0].any()
        assert not purity[:, 0].any()
        assert (labels[:, 1:] == 1 + POSITION["Forest"]).all()
        assert (purity[:, 1:] == 100).all()

    def test_a_tile_that_is_not_covered_has_none_at_all(self, tmp_path: Path) -> None:
        """Not even the cells that the land cover does cover: the tile took no year of it."""
        raster = write_land_cover(tmp_path / "nlcd.tif", np.full((12, 20), FOREST, np.uint8))
        labels, purity = self.label(grid_tiles([(COL, ROW - 1), (COL, ROW - 9)]), raster)
        assert not labels.any()
        assert not purity.any()

    def test_are_of_the_year_of_the_tiles_shares(self, tmp_path: Path) -> None:
        rasters = [
            write_land_cover(
                tmp_path / f"nlcd_{year}.tif", np.full((20, cols), code, np.uint8), year=year
            )
            for year, code, cols in [(2019, TOWN, 8), (2015, FIELD, 20), (2001, FOREST, 20)]
        ]
        labels, _ = self.label(grid_tiles([(COL, ROW), (COL + 1, ROW)], year=2019), *rasters)
        assert (labels[0] == 1 + POSITION["Developed"]).all()
        assert (labels[1] == 1 + POSITION["Cultivated"]).all()


class TestPieces:
    """Land cover of one year in several files, with pixels of 30 m."""

    def shares(self, folder: Path, *pieces: tuple[int, int, int]) -> np.ndarray:
        """Shares of forest and field in the northern row's cells, by columns and code of each."""
        rasters = [
            write_land_cover(
                folder / f"{number}.tif",
                np.full((10, stop - start), code, dtype=np.uint8),
                origin=(ORIGIN[0] + start * 30, ORIGIN[1]),
            )
            for number, (start, stop, code) in enumerate(pieces)
        ]
        shares = cell_shares(grid_tiles([(COL, ROW)]), rasters, CLASSES)
        return shares[0, 0][:, [POSITION["Forest"], POSITION["Cultivated"]]]

    def test_a_cell_on_the_seam_adds_up(self, tmp_path: Path) -> None:
        found = self.shares(tmp_path, (0, 4, FOREST), (4, 10, FIELD))  # the seam is at 120 m
        assert found == pytest.approx(
            np.array([[1, 0], [1, 0], [1, 0], [0.75, 0.25], [0, 1], [0, 1], [0, 1]])
        )

    def test_overlapping_pieces_are_scaled_to_the_whole(self, tmp_path: Path) -> None:
        found = self.shares(tmp_path, (0, 5, FOREST), (3, 10, FIELD))  # 90 to 150 m is of both
        assert found[1] == pytest.approx([1, 0])
        assert found[2] == pytest.approx([32 / 38, 6 / 38])
        assert found[3] == pytest.approx([0.5, 0.5])
        assert found.sum(axis=1) == pytest.approx(1)

    @pytest.mark.parametrize("order", [1, -1])
    def test_a_piece_that_covers_the_tile_is_all_of_it(self, tmp_path: Path, order: int) -> None:
        found = self.shares(tmp_path, *[(0, 6, FOREST), (-1, 10, FIELD)][::order])
        assert found[:, 1] == pytest.approx(1)

    def test_what_no_piece_covers_is_of_no_class(self, tmp_path: Path) -> None:
        found = self.shares(tmp_path, (0, 4, FOREST), (5, 10, FIELD))  # nothing in 120 to 150 m
        assert found.sum(axis=1) == pytest.approx([1, 1, 1, 24 / 32, 10 / 32, 1, 1])

    def test_what_lies_beyond_the_raster_is_of_no_class(self, tmp_path: Path) -> None:
        found = self.shares(tmp_path, (2, 6, FOREST))  # 60 to 180 m
        assert found[:, 0] == pytest.approx([0, 4 / 32, 1, 1, 1, 20 / 32, 0])


class TestUnknownCodes:
    def shares(self, folder: Path, row: int, col: int) -> np.ndarray:
        codes = np.full((10, 10), FOREST, dtype=np.uint8)
        codes[row, col] = 7
        raster = write_land_cover(folder / "nlcd.tif", codes)
        return cell_shares(grid_tiles([(COL, ROW)]), [raster], CLASSES)

    def test_stop_the_run_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(AerialError, match=r"nlcd\.tif holds the code 7, which is not in the"):
            self.shares(tmp_path, 3, 4)

    def test_beside_the_tile_do_not_matter(self, tmp_path: Path) -> None:
        assert self.shares(tmp_path, 8, 4).sum() == pytest.approx(COUNT)


def test_between_codes_there_is_no_class(tmp_path: Path) -> None:
    codes = np.full((10, 10), FOREST + 0.5, dtype=np.float32)
    raster = write_land_cover(tmp_path / "nlcd.tif", codes)
    with pytest.raises(AerialError, match=r"the code 41\.5"):
        cell_shares(grid_tiles([(COL, ROW)]), [raster], CLASSES)


class TestLargestClass:
    def test_needs_99_percent_of_the_cell(self) -> None:
        shares = np.zeros((1, SIDE, SIDE, 3))
        shares[0, 0, 0], shares[0, 0, 1] = [0, 0.5, 0.485], [0.3, 0.2, 0.49]
        labels, purity = largest_class(shares)
        assert (labels[0, 0, 0], purity[0, 0, 0]) == (0, 0)
        assert (labels[0, 0, 1], purity[0, 0, 1]) == (3, 49)
        assert labels.sum() == 3

    def test_takes_as_many_classes_as_a_byte_has_numbers(self) -> None:
        shares = np.zeros((1, SIDE, SIDE, 255))
        shares[..., -1] = 1
        assert (largest_class(shares)[0] == 255).all()
        with pytest.raises(ValueError, match="256 classes"):
            largest_class(np.zeros((1, SIDE, SIDE, 256)))
