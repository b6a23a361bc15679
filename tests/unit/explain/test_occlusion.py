"""Occlusion: the patch that speaks for a class is found, with its sign and its size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerial_kedro.explain import tiles
from aerial_kedro.explain.tiles import explain_tiles, occlusion, overlay

SIZE = 50


def brightness(pictures: np.ndarray) -> np.ndarray:
    """A model that looks at one corner: the brighter its first 10 pixels, the likelier class 0."""
    share = pictures[:, :10, -10:].mean(axis=(1, 2, 3)) / 255
    return np.stack([share, 1 - share], axis=1)


def corner_lit() -> np.ndarray:
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[:10, -10:] = 250
    return pixels


def test_the_patch_that_the_model_looks_at_is_found() -> None:
    drops = occlusion(corner_lit(), brightness, class_index=0, patches=5)
    assert drops.shape == (5, 5)
    # Covered with the mean, which is 10 of 255: the corner's 250 fall to it.
    assert drops[0, 4] == pytest.approx(240 / 255)
    assert np.count_nonzero(drops) == 1


def test_what_speaks_against_a_class_is_negative() -> None:
    drops = occlusion(corner_lit(), brightness, class_index=1, patches=5)
    assert drops[0, 4] == pytest.approx(-240 / 255)


@given(patches=st.integers(1, SIZE))
def test_patches_cover_every_pixel_once(patches: int) -> None:
    """A model that counts what is covered: together, the patches are the whole picture."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[::2] = 200  # so that no pixel has the mean's colour
    mean = pixels.reshape(-1, 3).mean(axis=0).round()

    def covered(pictures: np.ndarray) -> np.ndarray:
        counted = (pictures == mean).all(axis=3).sum(axis=(1, 2)) / SIZE**2
        return -counted[:, None]

    assert occlusion(pixels, covered, 0, patches).sum() == pytest.approx(1)


def test_the_picture_itself_is_left_alone() -> None:
    pixels = corner_lit()
    before = pixels.copy()
    occlusion(pixels, brightness, 0, 5)
    np.testing.assert_array_equal(pixels, before)


def test_overlay_is_red_for_blue_against_and_grey_elsewhere() -> None:
    pixels = np.full((4, 4, 3), (90, 120, 150), np.uint8)
    found = overlay(pixels, np.array([[1.0, -1.0], [0.0, 0.1]]))
    assert found[0, 0, 0] > found[0, 0, 2]
    assert found[0, 3, 2] > found[0, 3, 0]
    assert found[3, 0].tolist() == [120, 120, 120]
    weak, strong = (int(found[at][0]) - int(found[at][2]) for at in ((3, 3), (0, 0)))
    assert 0 < weak < strong


def test_a_task_without_tiles_opens_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(model: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(tiles, "TilePredictor", refuse)
    nothing: Any = {"model": None, "classes": {}, "patches": 2, "picture_px": 8}
    assert not list(explain_tiles(iter([pd.DataFrame({"image_id": []})]), **nothing))
