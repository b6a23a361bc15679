"""Whether a fourth band is near infrared: by what it holds, whatever it is tagged as."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from rasterio.windows import Window

from aerial_kedro.scenes.bands import bands_of, holds_infrared
from aerial_kedro.scenes.reader import SceneReader
from tests.builders import ORIGIN, ZONE, paint_ground, read_scene_header, write_scene

SIDE = 600
RGB = paint_ground(ORIGIN, 2.0, (SIDE, SIDE))
NOISE = np.random.default_rng(0).integers(1, 255, (SIDE, SIDE)).astype(np.uint8)
ROW, COL = np.indices((SIDE, SIDE))


def slanted_mask() -> np.ndarray:
    """A mask as a warp makes it: full, empty, and something between along a slanted edge."""
    return np.clip((ROW - 0.37 * COL) * 90, 0, 255).astype(np.uint8)


def with_lake(share: float) -> np.ndarray:
    band = NOISE.copy()
    band[: int(share * SIDE)] = 0
    return band


def found(path: Path, fourth: np.ndarray, **profile: object) -> bool:
    pixels = np.concatenate([RGB, fourth[None]])
    return read_scene_header(write_scene(path, pixels=pixels, **profile)).infrared


@pytest.mark.parametrize("alpha", ["yes", "unspecified"])
@pytest.mark.parametrize("layout", [{}, {"tiled": True, "blockxsize": 128, "blockysize": 128}])
class TestByWhatItHolds:
    @pytest.mark.parametrize("lake", [0.0, 0.6, 0.85])
    def test_many_values_are_infrared_however_large_the_lake(
        self, tmp_path: Path, alpha: str, layout: dict, lake: float
    ) -> None:
        band = with_lake(lake)
        assert found(tmp_path / "a.tif", band, photometric="rgb", alpha=alpha, **layout)

    @pytest.mark.parametrize(
        "mask",
        [np.zeros_like(NOISE), np.full_like(NOISE, 255), np.where(COL < 200, 0, 255),
         np.full_like(NOISE, 90), slanted_mask(), 255 - NOISE % 9],
        ids=["empty", "full", "half", "grey", "slanted", "compressed"],
    )  # fmt: skip
    def test_few_values_are_a_mask(
        self, tmp_path: Path, alpha: str, layout: dict, mask: np.ndarray
    ) -> None:
        band = mask.astype(np.uint8)
        assert not found(tmp_path / "a.tif", band, photometric="rgb", alpha=alpha, **layout)


def test_the_nodata_value_says_nothing(tmp_path: Path) -> None:
    """Most of every row is empty."""
    band = np.where(COL < 150, NOISE, 255).astype(np.uint8)
    assert found(tmp_path / "a.tif", band, nodata=255)
    assert not found(tmp_path / "a.tif", band)


def test_three_bands_have_none(tmp_path: Path) -> None:
    assert not read_scene_header(write_scene(tmp_path / "a.tif", pixels=RGB)).infrared


def test_five_bands_are_decided_by_the_fourth(tmp_path: Path) -> None:
    for fourth, expected in ((NOISE, True), (slanted_mask(), False)):
        pixels = np.concatenate([RGB, fourth[None], NOISE[None]])
        assert (
            read_scene_header(write_scene(tmp_path / "a.tif", pixels=pixels)).infrared == expected
        )


@given(height=st.integers(1, 700), width=st.integers(1, 700), block=st.sampled_from([16, 64, 512]))
@settings(max_examples=25, deadline=None)
def test_any_shape_can_be_looked_at(height: int, width: int, block: int) -> None:
    pixels = np.zeros((4, height, width), dtype=np.uint8)
    with MemoryFile() as memory:
        layout = {"tiled": True, "blockxsize": block, "blockysize": block}
        with memory.open(
            driver="GTiff", count=4, height=height, width=width, dtype="uint8", **layout
        ) as dataset:
            dataset.write(pixels)
            dataset.build_overviews([each for each in (2, 4) if min(height, width) > each])
        with memory.open() as dataset:
            assert not holds_infrared(dataset)


def test_the_smallest_overview_is_enough(tmp_path: Path) -> None:
    """The scene's own blocks are damaged: they are not touched."""
    path = write_scene(
        tmp_path / "a.tif", pixels=np.concatenate([RGB, NOISE[None]]), compress="deflate"
    )
    cog = tmp_path / "cog.tif"
    rasterio.shutil.copy(path, cog, driver="COG", blocksize=128, compress="deflate")
    size = cog.stat().st_size
    cog.write_bytes(cog.read_bytes()[: size // 2])
    with rasterio.open(cog) as dataset:
        assert max(dataset.overviews(4)) > 1
        with pytest.raises(rasterio.errors.RasterioIOError):
            dataset.read(4)
        assert holds_infrared(dataset)


def test_damaged_blocks_are_passed_over(tmp_path: Path) -> None:
    pixels = np.concatenate([RGB, NOISE[None]])
    layout = {"tiled": True, "blockxsize": 128, "blockysize": 128}
    for share, expected in ((0.4, True), (0.02, False)):
        path = write_scene(tmp_path / "a.tif", pixels=pixels, **layout)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        assert read_scene_header(path).infrared == expected


def test_what_cannot_be_read_elsewhere_is_not_taken_for_no_infrared(tmp_path: Path) -> None:
    """Storage may have failed; and a scene read the other way has other pixels."""
    pixels = np.concatenate([RGB, NOISE[None]])
    path = write_scene(
        tmp_path / "a.tif", pixels=pixels, tiled=True, blockxsize=128, blockysize=128
    )
    content = path.read_bytes()
    with (
        MemoryFile(content[: len(content) // 50]) as memory,
        memory.open() as dataset,
        pytest.raises(rasterio.errors.RasterioIOError),
    ):
        holds_infrared(dataset)


NAMES = {"m_3607801_ne_18_1_20180610.tif": True, "naip_2018.tif": True, "panaipa_2018.tif": False}


@pytest.mark.parametrize(("name", "is_naip"), NAMES.items())
def test_naip_has_infrared_though_it_be_dark_everywhere(
    tmp_path: Path, name: str, is_naip: bool
) -> None:
    """Over deep water it has as few values as a mask, but not those of one."""
    tags = {"photometric": "rgb", "alpha": "yes"}
    for band in (np.zeros_like(NOISE), (NOISE % 3).astype(np.uint8)):
        assert found(tmp_path / name, band, **tags) == is_naip
    for mask in (np.full_like(NOISE, 255), np.where(COL < 200, 0, 255), 255 - NOISE % 9):
        assert not found(tmp_path / name, mask.astype(np.uint8), **tags)


def test_naip_is_known_by_its_description_too(tmp_path: Path) -> None:
    pixels = np.concatenate([RGB, np.zeros_like(NOISE)[None]])
    path = write_scene(tmp_path / "a.tif", pixels=pixels, photometric="rgb", alpha="yes")
    with rasterio.open(path, "r+") as dataset:
        text = "USDA-FSA-APFO National Agriculture Imagery Program"
        dataset.update_tags(TIFFTAG_IMAGEDESCRIPTION=text)
    assert read_scene_header(path).infrared


R, G, B, A = (rasterio.enums.ColorInterp[each] for each in ("red", "green", "blue", "alpha"))
NIR, NONE = (rasterio.enums.ColorInterp[each] for each in ("nir", "undefined"))


@pytest.mark.parametrize(
    ("tags", "descriptions", "expected"),
    [
        ((R, G, B), (), (1, 2, 3)),
        ((R, G, B, A), (), (1, 2, 3, 4)),
        ((B, G, R, A), (), (3, 2, 1, 4)),
        ((B, G, R, NONE), (), (3, 2, 1, 4)),
        ((A, R, G, B), (), (2, 3, 4, 1)),
        ((A, NONE, NONE, NONE), (), (2, 3, 4, 1)),
        ((NIR, R, G, B), (), (2, 3, 4, 1)),
        ((R, G, B, A, NIR), (), (1, 2, 3, 5)),
        ((NONE, NONE, NONE, NONE), (), (1, 2, 3, 4)),
        ((R, G, NONE, NONE), (), (1, 2, 3, 4)),
        ((R, R, G, B), (), (1, 2, 3, 4)),
        ((NONE, NONE, A), (), (1, 2, 3)),
        ((NONE,), (), (1, 1, 1)),
        ((NONE, A), (), (1, 1, 1)),
        ((A, NONE), (), (2, 2, 2)),
        ((A,), (), (1, 1, 1)),
        # rasterio tags whatever has four bands of 8 bits as red, green, blue and alpha.
        ((R, G, B, A), ("Blue", "Green", "Red", "NIR"), (3, 2, 1, 4)),
        ((R, G, B, A), ("N", "R", "G", "B"), (2, 3, 4, 1)),
        ((B, G, R, A), ("Blue", "Green", "near", "x"), (3, 2, 1, 4)),
    ],
)
def test_bands_are_known_by_name_then_by_tag_then_by_order(
    tmp_path: Path, tags: tuple, descriptions: tuple, expected: tuple[int, ...]
) -> None:
    pixels = np.zeros((len(tags), 8, 8), np.uint8)
    path = write_scene(tmp_path / "a.tif", pixels=pixels, photometric="minisblack")
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = tags
        if descriptions:
            dataset.descriptions = descriptions
    with rasterio.open(path) as dataset:
        assert bands_of(dataset) == expected


def test_a_band_tagged_as_infrared_is_it_whatever_it_holds(tmp_path: Path) -> None:
    pixels = np.concatenate([RGB, slanted_mask()[None]])
    path = write_scene(tmp_path / "a.tif", pixels=pixels, photometric="rgb", alpha="unspecified")
    assert not read_scene_header(path).infrared
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = (R, G, B, NIR)
    assert read_scene_header(path).infrared


@pytest.mark.parametrize("name", ["NIR", "near infrared"])
def test_a_band_described_as_infrared_is_it_over_deep_water(tmp_path: Path, name: str) -> None:
    pixels = np.concatenate([RGB, (NOISE % 3)[None]])
    path = write_scene(tmp_path / "a.tif", pixels=pixels, photometric="rgb", alpha="yes")
    assert not read_scene_header(path).infrared
    with rasterio.open(path, "r+") as dataset:
        dataset.descriptions = ("Red", "Green", "Blue", name)
    assert read_scene_header(path).infrared


def test_no_colour_is_a_mask_though_it_be_tagged_as_alpha(tmp_path: Path) -> None:
    """Infrared comes first, and rasterio tags the last of four bands as alpha, which is blue."""
    colours = RGB.copy()
    colours[2, : SIDE // 2] = 0
    read = []
    for alpha in ("yes", "unspecified"):
        path = write_scene(
            tmp_path / f"{alpha}.tif",
            pixels=np.concatenate([NOISE[None], colours]), photometric="rgb", alpha=alpha,
        )  # fmt: skip
        with rasterio.open(path, "r+") as dataset:
            dataset.descriptions = ("NIR", "Red", "Green", "Blue")
        with rasterio.open(path) as dataset:
            assert (dataset.colorinterp[3] == A) == (alpha == "yes")
            bounds = tuple(dataset.bounds)
        with SceneReader() as reader:
            window = Window(0, 0, 400, 400)
            read += [
                reader.read_window(str(path), window, 100, has_infrared=True),
                reader.read_warped(str(path), bounds, ZONE - 1, 100, has_infrared=True),
            ]
    np.testing.assert_array_equal(read[0], read[2])
    np.testing.assert_array_equal(read[1], read[3])


def test_an_earlier_failure_does_not_hide_what_the_bands_are(tmp_path: Path) -> None:
    pixels = np.concatenate([RGB, NOISE[None]])
    layout = {"tiled": True, "blockxsize": 128, "blockysize": 128}
    path = write_scene(tmp_path / "a.tif", pixels=pixels, **layout)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with rasterio.open(path) as dataset:
        with pytest.raises(rasterio.errors.RasterioIOError):
            dataset.read(4)
        assert bands_of(dataset) == (1, 2, 3, 4)


@pytest.mark.shared_data
def test_all_real_scenes_of_four_bands_have_it(shared_data: Path) -> None:
    paths = sorted((shared_data / "naip").rglob("*.tif"))
    assert len(paths) > 150
    for path in paths:
        with rasterio.open(path) as dataset:
            assert holds_infrared(dataset) == (dataset.count == 4), path
