"""How much ground a pixel covers: which input that makes, and what is refused or remarked on."""

from __future__ import annotations

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.features.grain import Grain, describe_pixels, remark_on_pixels


@pytest.mark.parametrize(
    ("tile_size_m", "gsd_m", "own", "pixels"),
    [
        (224, None, 240, 240),
        (224, 2.0, 224, 112),
        (224, 0.6, 224, 371),  # 53 pixels a cell
        (224, 1.75, 224, 128),  # halved evenly five times
        (224, 1.01, 224, 224),
        (224, 0.93, 240, 240),
        (100, 1.0, 224, 98),  # a tile that is not of whole pixels a cell
        (224, 2.0, None, 112),
        (223.0, 1.0, None, 224),
    ],
)
def test_the_nearest_side_that_fits_is_taken(
    tile_size_m: float, gsd_m: float | None, own: int | None, pixels: int
) -> None:
    assert Grain(tile_size_m, gsd_m).choose_input(own) == pixels


@pytest.mark.parametrize(("gsd_m", "pixels"), [(0.05, "4,480"), (5.0, "45")])
def test_too_many_or_too_few_pixels_are_refused(gsd_m: float, pixels: str) -> None:
    with pytest.raises(
        AerialError,
        match=rf"gsd_m={gsd_m:g} makes {pixels} pixels .* 224 m.*56 to 896.*between 0.25 and 4",
    ):
        Grain(224, gsd_m).choose_input(224)


def test_a_tiny_input_of_a_networks_own_is_its_own() -> None:
    assert Grain(32, 1.0).choose_input(32) == 32


@pytest.mark.parametrize(
    ("pixel_m", "scene_m", "remarked"),
    [
        (1.0, 2.0, True),
        (1.0, 1.5, True),
        (0.6, 1.0, True),
        (1.0, 1.0, False),
        (1.0, 0.6, False),
        (2.0, 2.0, False),
        (None, 2.0, False),
        (1.0, None, False),
    ],
)
def test_pixels_finer_than_the_scenes_are_remarked_on(
    pixel_m: float | None, scene_m: float | None, remarked: bool
) -> None:
    found = remark_on_pixels(pixel_m, scene_m)
    assert (found is not None) == remarked
    if found is not None:
        assert f"pixels of {pixel_m:g} m, finer than scenes of {scene_m:g} m" in found
        assert f"gsd_m={scene_m:g}" in found


def test_pixels_are_described_with_and_without_a_place() -> None:
    assert describe_pixels(224 / 371, 371) == "0.604 m a pixel (input 371 px)"
    assert describe_pixels(None, 224) == "tiles without a place (input 224 px)"
