"""Tiles of scenes: which there are, where they lie, and what they show."""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer
from rasterio.errors import NodataShadowWarning

from aerial_kedro.scenes.headers import SceneHeader
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import TILE_COLUMNS, ddl, tiles_of_scene, tiles_of_scenes
from aerial_kedro.tiles.grid import utm_zone
from aerial_kedro.tiles.reading import SOURCE_COLUMNS, read_tile
from tests.builders import (
    ORIGIN,
    TILE,
    ZONE,
    north_up,
    paint,
    paint_ground,
    pixel_centres,
    read_scene_header,
    write_scene,
)

WEB_MERCATOR = "EPSG:3857"
BORDER_LON = -78.0


def tiles_of(path: Path, size: float = TILE) -> pd.DataFrame:
    with SceneReader() as reader:
        return tiles_of_scene(read_scene_header(path), size, reader)


def read(tiles: pd.DataFrame, row: int, size: int) -> np.ndarray:
    """Pixels of one tile, as a Spark worker reads them."""
    record = tiles.astype(object).where(tiles.notna(), None).iloc[row].to_dict()
    with SceneReader() as reader:
        return read_tile(record, size, reader)


def expected_pixels(tile: pd.Series, size: int) -> np.ndarray:
    x, y = pixel_centres((tile["xmin"], tile["ymax"]), TILE / size, (size, size))
    return paint(x, y).transpose(1, 2, 0)


def origin_in(crs: str, lon: float, lat: float) -> tuple[float, float]:
    return Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat)


def empty_header(left: float, top: float, width: int, height: int, gsd: float) -> SceneHeader:
    """Header of a scene that has no file: enough to lay the grid, not to count nodata."""
    lon, lat = Transformer.from_crs(ZONE, 4326, always_xy=True).transform(
        left + width * gsd / 2, top - height * gsd / 2
    )
    return SceneHeader(
        href="/nowhere/scene.tif",
        source_version="v1",
        crs=CRS.from_epsg(ZONE).to_wkt(),
        epsg=ZONE,
        transform=tuple(north_up((left, top), gsd))[:6],
        width=width,
        height=height,
        gsd_m=gsd,
        year=2018,
        lon=lon,
        lat=lat,
        description="",
        infrared=False,
    )


def squares(tiles: pd.DataFrame) -> np.ndarray:
    return shapely.box(tiles["xmin"], tiles["ymin"], tiles["xmax"], tiles["ymax"])


def test_columns_are_those_of_the_catalog(tmp_path: Path) -> None:
    tiles = tiles_of(write_scene(tmp_path / "a.tif"))
    assert list(tiles.columns) == list(TILE_COLUMNS)
    assert set(SOURCE_COLUMNS) <= set(TILE_COLUMNS)
    assert ddl({"a": "string", "b": "int"}) == "a string, b int"


def test_a_scene_on_the_grid_gives_all_its_tiles(tmp_path: Path) -> None:
    tiles = tiles_of(write_scene(tmp_path / "a.tif", gsd=2.0))  # 680 m
    assert len(tiles) == 9
    assert tiles["tile_id"].iloc[0] == "e26918_s224_x2232_y18035"
    assert tiles["image_id"].iloc[0] == "e26918_s224_x2232_y18035_2018"
    assert tiles[["xmin", "ymax"]].iloc[0].tolist() == list(ORIGIN)
    assert (tiles["width"] == 112).all()
    assert (tiles["kind"] == "window").all()


@given(
    left=st.floats(400_000, 401_000),
    top=st.floats(4_000_000, 4_001_000),
    width=st.integers(100, 2500),
    height=st.integers(100, 2500),
    gsd=st.sampled_from([0.3, 0.6, 1.0, 0.99973]),
)
def test_only_tiles_whole_inside_and_none_left_out(
    left: float, top: float, width: int, height: int, gsd: float
) -> None:
    header = empty_header(left, top, width, height, gsd)
    with SceneReader() as reader:
        tiles = tiles_of_scene(header, TILE, reader)
    footprint = shapely.box(left, top - height * gsd, left + width * gsd, top)
    cols, rows = np.meshgrid(
        np.arange(left // TILE - 1, (left + width * gsd) // TILE + 2),
        np.arange((top - height * gsd) // TILE - 1, top // TILE + 2),
    )
    candidates = shapely.box(cols * TILE, rows * TILE, (cols + 1) * TILE, (rows + 1) * TILE)
    assert len(tiles) == np.count_nonzero(shapely.covers(footprint, candidates))
    if len(tiles):
        assert shapely.covers(footprint.buffer(1e-3), squares(tiles)).all()
        assert tiles["tile_id"].is_unique


def test_the_same_place_has_the_same_name_in_every_scene_and_year(tmp_path: Path) -> None:
    shifted = (ORIGIN[0] - 100.3, ORIGIN[1] + 77.7)
    first = tiles_of(write_scene(tmp_path / "m_2012.tif", gsd=2.0))
    second = tiles_of(write_scene(tmp_path / "m_2018.tif", origin=shifted, gsd=2.2))
    both = first.merge(second, on="tile_id")
    assert len(both) >= 4
    for side in ("xmin", "ymin", "xmax", "ymax", "lon", "lat"):
        assert (both[f"{side}_x"] == both[f"{side}_y"]).all()
    assert not set(first["image_id"]) & set(second["image_id"])


def test_half_metre_scenes_show_the_right_ground(tmp_path: Path) -> None:
    gsd = 0.6
    origin = (ORIGIN[0] - 33.17, ORIGIN[1] + 21.4)  # windows begin and end inside pixels
    pixels = paint_ground(origin, gsd, (460, 460))
    tiles = tiles_of(write_scene(tmp_path / "a.tif", origin=origin, gsd=gsd, pixels=pixels))
    assert len(tiles) == 1
    assert tiles["width"].iloc[0] == pytest.approx(TILE / gsd)
    for size in (224, 96):
        difference = read(tiles, 0, size) - expected_pixels(tiles.iloc[0], size)
        assert np.abs(difference).max() < 2.5
        assert np.abs(difference.mean()) < 0.2


def test_web_mercator_tiles_are_224_metres_on_the_ground(tmp_path: Path) -> None:
    origin = origin_in(WEB_MERCATOR, -74.9, 39.0)  # a metre there is 1.29 map units
    pixels = paint_ground(origin, 1.0, (700, 700), WEB_MERCATOR)
    path = write_scene(tmp_path / "a.tif", crs=WEB_MERCATOR, origin=origin, pixels=pixels, gsd=1.0)
    header = read_scene_header(path)
    tiles = tiles_of(path)
    assert header.gsd_m == pytest.approx(np.cos(np.radians(39)), rel=0.01)
    assert len(tiles) == 4
    assert tiles[["row_off", "col_off", "height", "width"]].isna().all(axis=None)
    to_degrees = Transformer.from_crs(ZONE, 4326, always_xy=True)
    for position, tile in tiles.iterrows():
        lons, lats = to_degrees.transform(
            tile[["xmin", "xmax", "xmin"]].tolist(), tile[["ymin", "ymin", "ymax"]].tolist()
        )
        for corner in (1, 2):
            side = Geod(ellps="GRS80").inv(lons[0], lats[0], lons[corner], lats[corner])[2]
            assert side == pytest.approx(TILE, rel=0.001)
        for size in (224, 96):
            difference = read(tiles, position, size) - expected_pixels(tile, size)
            assert np.abs(difference).max() < 2.5
            assert np.abs(difference.mean()) < 0.2


def test_a_warped_scene_has_only_tiles_whole_inside(tmp_path: Path) -> None:
    origin = origin_in(WEB_MERCATOR, -74.2, 39.0)
    path = write_scene(tmp_path / "a.tif", crs=WEB_MERCATOR, origin=origin, gsd=4.0)
    tiles = tiles_of(path)
    corners = shapely.get_coordinates(squares(tiles))
    x, y = Transformer.from_crs(ZONE, WEB_MERCATOR, always_xy=True).transform(*corners.T)
    assert len(tiles) == 13
    assert (x >= origin[0]).all()
    assert (x <= origin[0] + 1360).all()
    assert (y <= origin[1]).all()
    assert (y >= origin[1] - 1360).all()
    assert (tiles["nodata_fraction"] == 0).all()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, pd.DataFrame]:
    """A kilometre and a half across longitude -78, photographed in either zone's CRS."""
    folder = tmp_path_factory.mktemp("border")
    found = {}
    for epsg in (26917, 26918):
        x, y = origin_in(f"EPSG:{epsg}", BORDER_LON, 36.5)
        path = write_scene(
            folder / f"{epsg}.tif", crs=f"EPSG:{epsg}", origin=(x - 700, y + 700), gsd=4.2
        )
        found[epsg] = tiles_of(path)
    return found


class TestZoneBorder:
    def test_every_tile_belongs_to_the_zone_of_its_centre(
        self, scenes: dict[int, pd.DataFrame]
    ) -> None:
        for tiles in scenes.values():
            assert set(tiles["epsg"]) == {26917, 26918}
            zones = [utm_zone(lon) for lon in tiles["lon"]]
            assert zones == (tiles["epsg"] - 26900).tolist()

    def test_the_zone_of_the_scene_is_read_by_windows_the_other_through_a_warp(
        self, scenes: dict[int, pd.DataFrame]
    ) -> None:
        for epsg, tiles in scenes.items():
            assert (tiles["row_off"].notna() == (tiles["epsg"] == epsg)).all()

    def test_no_place_is_doubled(self, scenes: dict[int, pd.DataFrame]) -> None:
        for tiles in scenes.values():
            assert tiles["tile_id"].is_unique
        both = scenes[26917].merge(scenes[26918], on="tile_id")
        assert len(both) > 20
        sides = ["epsg", "xmin", "ymin", "xmax", "ymax"]
        assert both[[f"{side}_x" for side in sides]].to_numpy() == pytest.approx(
            both[[f"{side}_y" for side in sides]].to_numpy()
        )
        # Names that only one scene has are at its rim, not second names of a place that both have.
        either = pd.concat(scenes.values()).drop_duplicates("tile_id")
        for epsg, tiles in either.groupby("epsg"):
            overlap = shapely.STRtree(squares(tiles)).query(
                shapely.buffer(squares(tiles), -1), predicate="intersects"
            )
            assert overlap.shape[1] == len(tiles), epsg


def test_a_scene_across_the_equator_has_tiles_of_both_hemispheres(tmp_path: Path) -> None:
    path = write_scene(tmp_path / "a.tif", crs="EPSG:32618", origin=(500_000, 600), gsd=4.0)
    tiles = tiles_of(path)
    assert set(tiles["epsg"]) == {26918, 32718}
    assert ((tiles["lat"] >= 0) == (tiles["epsg"] == 26918)).all()


def test_a_scene_across_the_antimeridian_has_tiles_of_both_zones(tmp_path: Path) -> None:
    x, y = origin_in("EPSG:32660", 180, 52)
    path = write_scene(tmp_path / "a.tif", crs="EPSG:32660", origin=(x - 600, y), gsd=4.0)
    tiles = tiles_of(path)
    assert set(tiles["epsg"]) == {32660, 26901}
    assert ((tiles["lon"] > 0) == (tiles["epsg"] == 32660)).all()


class TestNodata:
    """The western 300 m of the scene are empty: the first tile, and 76/224 of the second."""

    EXPECTED = (1.0, 76 / 224, 0.0)
    EMPTY = 150  # pixels of 2 m

    def pixels(self, value: int) -> np.ndarray:
        pixels = paint_ground(ORIGIN, 2.0, (120, 340))
        pixels[:, :, : self.EMPTY] = value
        return pixels

    def mask(self) -> np.ndarray:
        mask = np.full((120, 340), 255, dtype=np.uint8)
        mask[:, : self.EMPTY] = 0
        return mask

    def check(self, path: Path) -> None:
        found = tiles_of(path)["nodata_fraction"]
        assert found.to_numpy() == pytest.approx(self.EXPECTED, abs=1 / 32)

    def test_by_tag(self, tmp_path: Path) -> None:
        self.check(write_scene(tmp_path / "a.tif", pixels=self.pixels(255), nodata=255))

    def test_by_mask_band(self, tmp_path: Path) -> None:
        self.check(write_scene(tmp_path / "a.tif", pixels=self.pixels(90), mask=self.mask()))

    def test_by_mask_file(self, tmp_path: Path) -> None:
        path = write_scene(tmp_path / "a.tif", pixels=self.pixels(90))
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False),
            rasterio.open(path, "r+") as dataset,
        ):
            dataset.write_mask(self.mask())
        assert path.with_name("a.tif.msk").is_file()
        self.check(path)

    def test_by_alpha(self, tmp_path: Path) -> None:
        pixels = np.concatenate([self.pixels(90), self.mask()[None]])
        self.check(write_scene(tmp_path / "a.tif", pixels=pixels, photometric="rgb", alpha="yes"))

    def test_by_a_tag_that_comes_before_the_fourth_band(self, tmp_path: Path) -> None:
        """As NAIP is written where infrared passes for alpha: meant so, and not warned about."""
        infrared = np.where(self.mask() == 0, 255, 200).astype(np.uint8)
        pixels = np.concatenate([self.pixels(255), infrared[None]])
        path = write_scene(
            tmp_path / "a.tif", pixels=pixels, photometric="rgb", alpha="yes", nodata=255
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", NodataShadowWarning)
            self.check(path)

    def test_by_black_fill(self, tmp_path: Path) -> None:
        self.check(write_scene(tmp_path / "a.tif", pixels=self.pixels(0)))

    def test_dark_ground_is_not_nodata(self, tmp_path: Path) -> None:
        pixels = np.zeros((3, 340, 340), dtype=np.uint8)
        pixels[2] = 1
        tiles = tiles_of(write_scene(tmp_path / "a.tif", pixels=pixels))
        assert (tiles["nodata_fraction"] == 0).all()

    @pytest.mark.parametrize("marked_by", ["tag", "mask", "alpha", "black"])
    def test_through_a_warp(self, tmp_path: Path, marked_by: str) -> None:
        origin = origin_in(WEB_MERCATOR, -74.9, 39.0)
        pixels = paint_ground(origin, 2.0, (500, 500), WEB_MERCATOR)
        mask = np.full((500, 500), 255, dtype=np.uint8)
        mask[:, :250] = 0
        pixels[:, mask == 0] = {"tag": 255, "black": 0}.get(marked_by, 90)
        profile: dict[str, dict] = {
            "tag": {"nodata": 255},
            "mask": {"mask": mask},
            "alpha": {"photometric": "rgb", "alpha": "yes"},
            "black": {},
        }
        if marked_by == "alpha":
            pixels = np.concatenate([pixels, mask[None]])
        path = write_scene(
            tmp_path / "a.tif",
            crs=WEB_MERCATOR,
            origin=origin,
            pixels=pixels,
            **profile[marked_by],
        )
        tiles = tiles_of(path)
        data = shapely.box(origin[0] + 500, origin[1] - 1000, origin[0] + 1000, origin[1])
        to_scene = Transformer.from_crs(ZONE, WEB_MERCATOR, always_xy=True)
        ground = shapely.transform(
            squares(tiles), lambda xy: np.stack(to_scene.transform(*xy.T), axis=1)
        )
        expected = 1 - shapely.area(shapely.intersection(ground, data)) / shapely.area(ground)
        assert 0 < expected.mean() < 1
        assert tiles["nodata_fraction"].to_numpy() == pytest.approx(expected, abs=2 / 32)

    @pytest.mark.parametrize("crs", [f"EPSG:{ZONE}", WEB_MERCATOR])
    def test_a_damaged_scene_keeps_its_tiles_for_the_quarantine(
        self, tmp_path: Path, crs: str
    ) -> None:
        path = write_scene(tmp_path / "a.tif", crs=crs, gsd=2.0)
        whole = tiles_of(path)
        path.write_bytes(path.read_bytes()[:260_000])
        damaged = tiles_of(path)
        assert damaged["tile_id"].tolist() == whole["tile_id"].tolist()
        assert damaged["nodata_fraction"].iloc[0] == 0
        assert damaged["nodata_fraction"].isna().iloc[-1]


def test_frames_of_headers_become_frames_of_tiles(tmp_path: Path) -> None:
    paths = [write_scene(tmp_path / "a_2012.tif"), write_scene(tmp_path / "b_2018.tif")]
    headers = [dataclasses.asdict(read_scene_header(path)) for path in paths]
    frame = pd.DataFrame(headers)
    frame["epsg"] = [float(ZONE), np.nan]  # as pandas holds a column with a missing number
    frame["transform"] = [np.array(each) for each in frame["transform"]]
    tiles = list(tiles_of_scenes(iter([frame]), TILE))
    assert [each["year"].unique().tolist() for each in tiles] == [[2012], [2018]]
    assert [len(each) for each in tiles] == [9, 9]
    assert tiles[0]["row_off"].notna().all()
    assert tiles[1]["row_off"].isna().all()


def test_a_scene_smaller_than_a_tile_has_none(tmp_path: Path) -> None:
    path = write_scene(tmp_path / "a.tif", pixels=paint_ground(ORIGIN, 2.0, (50, 50)))
    tiles = tiles_of(path)
    assert tiles.empty
    assert list(tiles.columns) == list(TILE_COLUMNS)
