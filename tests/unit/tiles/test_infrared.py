"""Near infrared tagged as alpha masks nothing: lakes keep their colours, and it can be read."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.shutil
from pyproj import Transformer
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from aerial_kedro.scenes.reader import SceneReader, TileReadError
from aerial_kedro.tiles.catalog import tiles_of_scene
from aerial_kedro.tiles.reading import Tile, read_tile
from tests.builders import ORIGIN, TILE, ZONE, paint_ground, read_scene_header, write_scene

SIZE = 224
# Corners lie inside pixels, as those of real scenes do.
SHIFT = 33.17
TAGS: dict[str, dict[str, Any]] = {
    "alpha": {"photometric": "rgb", "alpha": "yes"},
    "untagged": {"photometric": "rgb", "alpha": "unspecified"},
    "alpha, nodata 0": {"photometric": "rgb", "alpha": "yes", "nodata": 0},
    "untagged, nodata 0": {"photometric": "rgb", "alpha": "unspecified", "nodata": 0},
}
# CRS and ground sample distance: windows whole and resampled, two warps.
PLACES = {
    "1 m": (f"EPSG:{ZONE}", 1.0),
    "0.6 m": (f"EPSG:{ZONE}", 0.6),
    "0.5 m": (f"EPSG:{ZONE}", 0.5),
    "0.3 m": (f"EPSG:{ZONE}", 0.3),
    "web Mercator": ("EPSG:3857", 1.0),
    "other zone": (f"EPSG:{ZONE - 1}", 1.0),
}


@functools.cache
def colours_of(place: str) -> tuple[tuple[float, float], np.ndarray]:
    """Where a scene begins, and its colours, of which none is 0."""
    crs, gsd = PLACES[place]
    origin = ORIGIN[0] - SHIFT, ORIGIN[1] + SHIFT
    if crs != f"EPSG:{ZONE}":
        origin = Transformer.from_crs(ZONE, crs, always_xy=True).transform(*origin)
    metres = 490 if crs == f"EPSG:{ZONE}" else 620
    side = round(metres / gsd) // 2 * 2 + 1  # odd: overviews round its half
    return origin, np.maximum(paint_ground(origin, gsd, (side, side), crs), 1)


class Scene:
    """Ground with a lake in its middle, over which infrared is 0: with it, and with a flat band."""

    def __init__(self, folder: Path, tag: str, place: str, *, cog: bool = False) -> None:
        self.crs, self.gsd = PLACES[place]
        self.origin, colours = colours_of(place)
        side = colours.shape[1]
        noise = np.random.default_rng(0).integers(1, 255, (side, side)).astype(np.uint8)
        self.lake = np.zeros((side, side), dtype=bool)
        self.lake[side // 8 : side // 2, side // 8 : -side // 8] = True
        self.infrared = np.where(self.lake, 0, noise).astype(np.uint8)
        self.cog = cog
        tags = TAGS[tag]
        pixels = np.concatenate([colours, self.infrared[None]])
        self.path = self.write(folder / "a_2018.tif", pixels, tags)
        # GDAL warps three bands in other pieces than some of four.
        flat = np.concatenate([colours, np.full_like(noise, 200)[None]])
        self.colours = self.write(folder / "b_2018.tif", flat, {**tags, "alpha": "unspecified"})
        self.grey = self.write(folder / "c_2018.tif", np.stack([self.infrared] * 3), {})

    def write(self, path: Path, pixels: np.ndarray, profile: dict[str, Any]) -> Path:
        write_scene(path, crs=self.crs, origin=self.origin, gsd=self.gsd, pixels=pixels, **profile)
        if not self.cog:
            return path
        cog = path.with_name(f"cog_{path.name}")
        # Else the overviews of colours would themselves be black where alpha is 0.
        rasterio.shutil.copy(path, cog, driver="COG", blocksize=128, resampling="nearest")
        return cog


Scenes = Callable[[str, str, bool], Scene]


def tiles_of(path: Path) -> pd.DataFrame:
    with SceneReader() as reader:
        return tiles_of_scene(read_scene_header(path), TILE, reader)


def records(tiles: pd.DataFrame) -> list[Tile]:
    return tiles.astype(object).where(tiles.notna(), None).to_dict("records")


def read_all(tiles: list[Tile], path: Path, **options: Any) -> np.ndarray:
    with SceneReader() as reader:
        read = [read_tile({**tile, "href": str(path)}, SIZE, reader, **options) for tile in tiles]
    return np.stack(read)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def scene_of(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    """Write a scene once, for all tests that only read it."""

    @functools.cache
    def write(tag: str, place: str, cog: bool) -> Scene:
        return Scene(tmp_path_factory.mktemp("scene"), tag, place, cog=cog)

    return write


@pytest.mark.parametrize("cog", [False, True], ids=["plain", "cog"])
@pytest.mark.parametrize("tag", TAGS)
def test_a_lake_has_the_colours_of_the_file(
    scene_of: Scenes, place: str, tag: str, cog: bool
) -> None:
    if cog and not place.startswith("0."):
        return  # overviews are not used
    scene = scene_of(tag, place, cog)
    tiles = tiles_of(scene.path)
    assert len(tiles) >= 4
    assert tiles["has_infrared"].all()
    assert (tiles["nodata_fraction"] == 0).all()
    colours = records(tiles_of(scene.colours))
    assert not any(tile["has_infrared"] for tile in colours)
    rows = records(tiles)
    expected = read_all(colours, scene.colours)
    assert expected.any(axis=-1).all()
    np.testing.assert_array_equal(read_all(rows, scene.path), expected)
    both = read_all(rows, scene.path, infrared=True)
    assert both.shape == (len(rows), SIZE, SIZE, 4)
    assert both.flags.c_contiguous
    np.testing.assert_array_equal(both[..., :3], expected)
    # A warp keeps the nodata value for what it finds no image for, and takes the next one.
    assert (both[..., 3] <= ("nodata" in tag)).mean() > 0.1
    if "nodata" not in tag:
        grey = read_all([{**tile, "has_infrared": False} for tile in rows], scene.grey)
        np.testing.assert_array_equal(both[..., 3], grey[..., 0])


def test_scenes_whose_fourth_band_is_untagged_are_read_as_ever(
    scene_of: Scenes, place: str
) -> None:
    scene = scene_of("untagged", place, False)
    rows = records(tiles_of(scene.path))
    before = read_all([{**tile, "has_infrared": None} for tile in rows], scene.path)
    np.testing.assert_array_equal(read_all(rows, scene.path), before)


def test_a_tile_without_infrared_has_three_channels_though_it_be_asked_for(
    scene_of: Scenes, place: str
) -> None:
    """Also one of a catalog that did not know of it."""
    scene = scene_of("untagged", place, False)
    for path in (scene.path, scene.colours):
        [tile, *_] = records(tiles_of(path))
        for older in ({**tile, "has_infrared": None}, dict(tile)):
            if path == scene.path:
                older.pop("has_infrared")
            assert read_all([older], path, infrared=True).shape == (1, SIZE, SIZE, 3)


@pytest.mark.parametrize("crs", [f"EPSG:{ZONE}", "EPSG:3857"])
@pytest.mark.parametrize("by", ["black", "mask", "nodata"])
def test_what_the_colours_or_a_mask_band_call_empty_stays_so(
    scene_of: Scenes, tmp_path: Path, crs: str, by: str
) -> None:
    """Though infrared says something there; and the lake's zeros still do not count."""
    name = "1 m" if crs == f"EPSG:{ZONE}" else "web Mercator"
    scene = scene_of("alpha", name, False)
    with rasterio.open(scene.path) as dataset:
        pixels = dataset.read()
    side = pixels.shape[1]
    empty = np.zeros((side, side), dtype=bool)
    empty[:, side // 2 :] = True
    pixels[:3, empty] = {"black": 0, "mask": 90, "nodata": 255}[by]
    pixels[3, empty & ~scene.lake] = 255 if by == "nodata" else 70
    profile = {
        "black": {}, "mask": {"mask": np.where(empty, 0, 255).astype(np.uint8)},
        "nodata": {"nodata": 255},
    }[by]  # fmt: skip
    pixels[3, empty & scene.lake] = 255 if by == "nodata" else 0
    path = scene.write(tmp_path / "d_2018.tif", pixels, {**TAGS["alpha"], **profile})
    whole = tiles_of(scene.path)
    tiles = tiles_of(path)
    assert (whole["nodata_fraction"] == 0).all()
    with rasterio.open(path) as dataset:
        middle = dataset.transform @ (side / 2, side / 2)
    x, _ = Transformer.from_crs(crs, ZONE, always_xy=True).transform(*middle)
    expected = ((tiles["xmax"] - x) / TILE).clip(0, 1)
    assert tiles["nodata_fraction"].to_numpy() == pytest.approx(expected.to_numpy(), abs=0.05)
    assert 0 < expected.mean() < 1


def test_a_true_alpha_still_masks(scene_of: Scenes, tmp_path: Path, place: str) -> None:
    scene = scene_of("alpha", place, False)
    with rasterio.open(scene.path) as dataset:
        pixels = dataset.read()
    pixels[3] = np.where(scene.lake, 0, 255)
    path = scene.write(tmp_path / "d_2018.tif", pixels, TAGS["alpha"])
    tiles = tiles_of(path)
    assert not tiles["has_infrared"].any()
    assert tiles["nodata_fraction"].max() > 0.5
    assert read_all(records(tiles), path, infrared=True).shape[-1] == 3


ORDERS = {
    "blue first": (3, 2, 1, 4),
    "infrared first": (2, 3, 4, 1),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("tag", ["alpha", "untagged, nodata 0"])
def test_bands_in_another_order_are_read_by_their_tags(
    scene_of: Scenes, tmp_path: Path, place: str, order: str, tag: str
) -> None:
    """Number i of the order is where red, green, blue and infrared lie in the other file."""
    scene = scene_of(tag, place, False)
    with rasterio.open(scene.path) as dataset:
        pixels, profile = dataset.read(), dataset.profile
    numbers = ORDERS[order]
    tags = ["red", "green", "blue", "alpha" if tag == "alpha" else "undefined"]
    path = tmp_path / "other_2018.tif"
    with rasterio.open(path, "w", **{**profile, "photometric": "minisblack"}) as dataset:
        for band, number in zip(pixels, numbers, strict=True):
            dataset.write(band, number)
        found = dict(zip(numbers, tags, strict=True))
        dataset.colorinterp = [rasterio.enums.ColorInterp[found[each]] for each in (1, 2, 3, 4)]
    tiles, others = tiles_of(scene.path), tiles_of(path)
    assert others["has_infrared"].all()
    pd.testing.assert_frame_equal(tiles.drop(columns="href"), others.drop(columns="href"))
    for infrared in (False, True):
        expected, read = (
            read_all(records(frame), each, infrared=infrared)
            for frame, each in ((tiles, scene.path), (others, path))
        )
        np.testing.assert_array_equal(read, expected)


def test_an_alpha_that_comes_first_masks_as_one_that_comes_last(
    scene_of: Scenes, tmp_path: Path, place: str
) -> None:
    scene = scene_of("alpha", place, False)
    with rasterio.open(scene.path) as dataset:
        pixels, profile = dataset.read(), dataset.profile
    pixels[3] = np.where(scene.lake, 0, 255)
    last = scene.write(tmp_path / "d_2018.tif", pixels, TAGS["alpha"])
    first = tmp_path / "first_2018.tif"
    with rasterio.open(first, "w", **{**profile, "photometric": "minisblack"}) as dataset:
        dataset.write(np.roll(pixels, 1, axis=0))
        names = ("alpha", "red", "green", "blue")
        dataset.colorinterp = [rasterio.enums.ColorInterp[each] for each in names]
    expected, tiles = tiles_of(last), tiles_of(first)
    assert not tiles["has_infrared"].any()
    assert expected["nodata_fraction"].max() > 0.5
    np.testing.assert_allclose(tiles["nodata_fraction"], expected["nodata_fraction"], atol=0.02)


def test_a_damaged_block_costs_no_other_tile(tmp_path: Path) -> None:
    """What GDAL says of the one must not be raised again when the next is read."""
    scene = Scene(tmp_path, "alpha", "1 m", cog=True)
    rows = records(tiles_of(scene.path))
    scene.path.write_bytes(scene.path.read_bytes()[: int(0.9 * scene.path.stat().st_size)])
    whole, damaged = [], []
    for tile in rows:
        try:
            read_all([tile], scene.path)
        except TileReadError:
            damaged.append(tile)
        else:
            whole.append(tile)
    assert whole
    assert damaged
    with SceneReader() as reader:
        for tile in whole:
            with pytest.raises(TileReadError):
                read_tile(damaged[0], SIZE, reader)
            assert read_tile(tile, SIZE, reader).any()


@pytest.mark.shared_data
def test_real_naip_is_the_same_without_its_tag(shared_data: Path, tmp_path: Path) -> None:
    """The same pixels written without the tag, window by window and through a warp."""
    names = ("naip/california/riverside_2018_62.tif", "paired_1m/scenes/naip_3708020_sw_5.tif")
    for name in names:
        with rasterio.open(shared_data / name) as dataset:
            assert dataset.colorinterp[3] == rasterio.enums.ColorInterp.alpha
            pixels, transform, crs = dataset.read(), dataset.transform, dataset.crs
            bounds = transform_bounds(crs, 3857, *dataset.bounds)
        pixels[3, 60:160, 60:160] = 0
        href, twin = (
            str(write_scene(tmp_path / f"{tag}_2018.tif", crs=crs, transform=transform,
                            pixels=pixels, **TAGS[tag]))
            for tag in ("alpha", "untagged")
        )  # fmt: skip
        both = {"has_infrared": True, "infrared": True}
        with SceneReader() as reader:
            for window in (Window(20.3, 40.7, 150, 150), Window(20.3, 40.7, 83.33, 83.33)):
                np.testing.assert_array_equal(
                    reader.read_window(href, window, 150, **both),
                    reader.read_window(twin, window, 150, **both),
                )
            np.testing.assert_array_equal(
                reader.read_warped(href, bounds, 3857, 150, **both),
                reader.read_warped(twin, bounds, 3857, 150, **both),
            )
