"""Rasters that claim to be larger than they are, or than anyone can read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from aerial_kedro.datasets.land_cover import LandCoverDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.scenes.reader import SceneReader
from aerial_kedro.tiles.catalog import tiles_of_scene
from tests.builders import ORIGIN, TILE, ZONE, north_up, read_scene_header, write_scene
from tests.unit.datasets.refusals import refused

SMALL_FILE = 2_000_000


def declare(path: Path, side: int, *, bands: int = 3, block: int = 512, **profile: Any) -> Path:
    """Write the header of a GeoTIFF that has no pixels, however large it says that it is."""
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=bands, dtype="uint8",
        crs=f"EPSG:{ZONE}", transform=north_up(ORIGIN, 1.0), sparse_ok=True, tiled=True,
        blockxsize=block, blockysize=block, **{"compress": "deflate", "bigtiff": "yes", **profile},
    ):  # fmt: skip
        pass
    assert path.stat().st_size < SMALL_FILE
    return path


class TestBombs:
    @pytest.mark.parametrize(
        ("match", "given"),
        [
            ("more than are read", {"side": 1_000_000, "block": 8192}),
            ("in a file of", {"side": 60_000, "block": 4096}),
            ("compressed in blocks of", {"side": 40_000, "block": 40_000}),
            ("compressed in blocks of", {"side": 14_000, "block": 14_000, "interleave": "pixel"}),
        ],
    )
    def test_a_scene_is_refused_by_its_header(
        self, tmp_path: Path, match: str, given: dict[str, Any]
    ) -> None:
        path = declare(tmp_path / "bomb.tif", **given)
        with pytest.raises(AerialError, match=match) as refusal:
            read_scene_header(path)
        assert str(path) in str(refusal.value)

    @pytest.mark.parametrize(
        ("match", "given"),
        [
            ("more than are read", {"side": 1_000_000, "block": 8192}),
            ("in a file of", {"side": 60_000, "block": 4096}),
            ("compressed in blocks of", {"side": 40_000, "block": 40_000}),
        ],
    )
    def test_land_cover_is_refused_before_a_cell_is_read(
        self, tmp_path: Path, match: str, given: dict[str, Any]
    ) -> None:
        path = declare(tmp_path / "nlcd_2019.tif", bands=1, **given)
        with refused(match):
            LandCoverDataset(path=str(path)).load()

    def test_a_scene_in_one_piece_without_compression_is_none(self, tmp_path: Path) -> None:
        """Its lines can be read one by one."""
        pixels = np.full((3, 300, 300), 9, dtype=np.uint8)
        assert read_scene_header(write_scene(tmp_path / "a.tif", pixels=pixels, blockysize=300))

    def test_an_empty_scene_of_common_size_is_none(self, tmp_path: Path) -> None:
        """A quarter quad of nothing but nodata: its tiles say so."""
        assert read_scene_header(declare(tmp_path / "a.tif", 7_500)).width == 7_500


@pytest.mark.parametrize("tile_size_m", [0.01, 1e-9])
def test_a_scene_is_not_cut_into_crumbs(tmp_path: Path, tile_size_m: float) -> None:
    path = write_scene(tmp_path / "a.tif")
    header = read_scene_header(path)
    with SceneReader() as reader, pytest.raises(AerialError, match=r"a\.tif would be cut into"):
        tiles_of_scene(header, tile_size_m, reader)


def test_a_scene_of_a_county_is_not_too_large(tmp_path: Path) -> None:
    """A mosaic of 18 by 18 km, without pixels."""
    path = declare(tmp_path / "a.tif", 18_000, block=4096)
    with SceneReader() as reader:
        tiles = tiles_of_scene(read_scene_header(path), 4 * TILE, reader)
    assert len(tiles) == pytest.approx((18_000 / (4 * TILE)) ** 2, rel=0.1)
