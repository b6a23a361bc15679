"""Scenes read over HTTP: by range, through throttling, dropped connections and old signatures."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import AccessRules
from aerial_kedro.imagery.remote import read_remote
from aerial_kedro.scenes.headers import read_header
from aerial_kedro.scenes.reader import SceneReader, TileReadError
from tests.builders import ORIGIN, ZONE, write_scene
from tests.unit.imagery.web import SECRET, Web

WINDOW = Window(100, 100, 112, 112)
SIZE = 64


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_scene(tmp_path / "m_2018.tif", tiled=True, blockxsize=128, blockysize=128)


def read(href: str) -> np.ndarray:
    with SceneReader() as reader:
        return reader.read_window(href, WINDOW, SIZE)


def test_a_window_is_the_same_from_the_web_as_from_a_disk(
    web: Web, scene: Path, open_rules: AccessRules
) -> None:
    href = web.host(scene)
    np.testing.assert_array_equal(read(href), read(str(scene)))
    bounds = (ORIGIN[0] + 50, ORIGIN[1] - 300, ORIGIN[0] + 274, ORIGIN[1] - 76)
    with SceneReader() as reader:
        warps = [reader.read_warped(each, bounds, ZONE, SIZE) for each in (href, str(scene))]
    np.testing.assert_array_equal(*warps)


def test_a_window_of_a_big_scene_is_read_by_range(
    web: Web, tmp_path: Path, open_rules: AccessRules
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 2048, 2048), dtype=np.uint8)
    path = write_scene(
        tmp_path / "big_2018.tif", pixels=pixels, gsd=0.6, tiled=True, blockxsize=256,
        blockysize=256,
    )  # fmt: skip
    read(web.host(path))
    assert web.sent < 0.15 * path.stat().st_size
    assert all(asked.range for asked in web.asked if asked.method == "GET")
    assert {asked.path.rsplit("/", 1)[-1] for asked in web.asked} == {"big_2018.tif"}


@pytest.mark.parametrize(
    "faults",
    [
        ["429"],
        ["503", "503"],
        ["drop"],
        ["ok", "503"],
        ["ok", "drop"],
        ["ok", "drop", "drop"],
        ["ok", "500", "429"],
    ],
    ids=str,
)
def test_a_fault_on_the_way_is_got_over(
    web: Web, scene: Path, open_rules: AccessRules, faults: list[str]
) -> None:
    href = web.host(scene)
    web.faults = list(faults)
    np.testing.assert_array_equal(read(href), read(str(scene)))
    assert web.faults == []


@pytest.fixture
def infrared(tmp_path: Path) -> Path:
    """A scene whose fourth band, infrared, is tagged as alpha and 0 over a lake."""
    pixels = np.random.default_rng(0).integers(1, 255, (4, 340, 340), dtype=np.uint8)
    pixels[3, 100:200, 100:200] = 0
    return write_scene(tmp_path / "m_2018.tif", pixels=pixels, photometric="rgb", alpha="yes")


@pytest.mark.parametrize("faults", [[], ["ok", "503"], ["ok", "drop", "drop"], ["drop", "500"]])
def test_infrared_tagged_as_alpha_is_the_same_from_the_web(
    web: Web, infrared: Path, rules: AccessRules, faults: list[str]
) -> None:
    href, both = web.host(infrared), {"has_infrared": True, "infrared": True}
    web.refused, web.faults = set(), list(faults)
    bounds = (ORIGIN[0] + 50, ORIGIN[1] - 500, ORIGIN[0] + 500, ORIGIN[1] - 50)
    with SceneReader() as reader:
        for read, place in (
            (reader.read_window, (WINDOW, SIZE)),
            (reader.read_warped, (bounds, ZONE, SIZE)),
        ):
            found = [read(each, *place, **both) for each in (href, str(infrared))]
            np.testing.assert_array_equal(*found)
            assert found[0][..., :3].any(axis=-1).all()
        assert web.faults == []


def test_a_failed_view_of_a_scene_tells_no_signature(
    web: Web, infrared: Path, rules: AccessRules, caplog: pytest.LogCaptureFixture
) -> None:
    href = web.host(infrared)
    web.refused = set()
    bounds = (ORIGIN[0] + 50, ORIGIN[1] - 500, ORIGIN[0] + 500, ORIGIN[1] - 50)
    with SceneReader() as reader:
        reader.scene(href)
        web.always = "503"
        with pytest.raises(TileReadError, match="scene unreadable") as caught:
            reader.read_warped(href, bounds, ZONE, SIZE, has_infrared=True)
    assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text


def test_infrared_costs_one_request_with_the_header(
    web: Web, infrared: Path, rules: AccessRules
) -> None:
    """And is no reason to take a failing server for a scene without it."""
    href = web.host(infrared)
    web.refused = set()
    web.faults = ["ok", "503", "503", "503"]  # GDAL gives up after two repetitions
    header = read_remote(href, rules, lambda url: read_header(f"/vsicurl/{url}", href, "v"))
    assert header.infrared
    assert web.faults == []
    web.asked.clear()
    read_remote(href, rules, lambda url: read_header(f"/vsicurl/{url}", href, "v"))
    assert len([asked for asked in web.asked if asked.method == "GET"]) == 2


@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_half_an_answer_is_not_kept(
    web: Web, tmp_path: Path, open_rules: AccessRules, interleave: str
) -> None:
    """GDAL takes what has come of a dropped connection for the answer, and would keep it."""
    path = write_scene(tmp_path / "m_2018.tif", compress="deflate", interleave=interleave)
    href = web.host(path)
    for start in (0, 100, 200):
        window = Window(start, start, 100, 100)
        web.faults = ["drop", "drop"]
        with SceneReader() as reader:
            pixels = [reader.read_window(each, window, SIZE) for each in (href, str(path))]
        np.testing.assert_array_equal(*pixels)


def test_a_scene_is_signed_where_its_host_needs_it(
    web: Web, scene: Path, rules: AccessRules
) -> None:
    web.refused = set()
    read(web.host(scene))
    assert web.tokens == 1
    assert all(SECRET in asked.query for asked in web.asked)


def test_scenes_of_one_container_share_a_signature(
    web: Web, scene: Path, rules: AccessRules
) -> None:
    web.refused = set()
    for name in ("a.tif", "b.tif", "c.tif"):
        read(web.host(scene, name))
    assert web.tokens == 1


def test_a_signature_that_runs_out_between_two_tiles_is_renewed_once(
    web: Web, scene: Path, rules: AccessRules
) -> None:
    """Blocks are read for the first time by the second window, so the server is asked."""
    web.refused = set()
    href = web.host(scene)
    with SceneReader() as reader:
        reader.read_window(href, Window(0, 0, 50, 50), SIZE)
        web.refused = {1}
        later = reader.read_window(href, Window(200, 200, 112, 112), SIZE)
        reader.read_window(href, Window(0, 200, 112, 112), SIZE)
        expected = reader.read_window(str(scene), Window(200, 200, 112, 112), SIZE)
    np.testing.assert_array_equal(later, expected)
    assert web.tokens == 2


def test_a_signature_is_renewed_before_it_runs_out(
    web: Web, scene: Path, rules: AccessRules
) -> None:
    web.refused = set()
    web.token_lifetime_s = 0
    href = web.host(scene)
    with SceneReader() as reader:
        reader.read_window(href, Window(0, 0, 50, 50), SIZE)
        reader.read_window(href, Window(200, 200, 50, 50), SIZE)
    assert web.tokens == 2


def test_a_signature_that_stays_refused_is_a_reason_without_it(
    web: Web, scene: Path, rules: AccessRules
) -> None:
    web.refused = set(range(100))
    with SceneReader() as reader, pytest.raises(TileReadError, match="403") as caught:
        reader.read_window(web.host(scene), WINDOW, SIZE)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert web.tokens == 2


def test_a_server_that_stays_down_is_not_asked_for_every_tile(
    web: Web, scene: Path, open_rules: AccessRules
) -> None:
    href = web.host(scene)
    web.always = "503"
    reasons = []
    with SceneReader() as reader:
        for column in range(6):
            if column == 3:
                asked = len(web.asked)
            with pytest.raises(TileReadError) as caught:
                reader.read_window(href, Window(column, 0, 50, 50), SIZE)
            reasons.append(str(caught.value))
    assert len(web.asked) == asked
    assert len(set(reasons)) == 1


def test_nothing_that_is_logged_holds_a_signature(
    web: Web,
    scene: Path,
    rules: AccessRules,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    web.refused = set()
    web.always = "503"
    with pytest.raises(TileReadError):
        read(web.host(scene))
    web.always = "ok"
    href = web.host(scene, "other.tif")
    with SceneReader() as reader:
        reader.read_window(href, Window(0, 0, 50, 50), SIZE)
        # Opened from what is kept of its header, so that GDAL fails within the scene.
        web.always = "drop"
        with pytest.raises(TileReadError, match="scene unreadable") as caught:
            reader.read_window(href, Window(200, 200, 112, 112), SIZE)
    assert SECRET not in str(caught.value)
    assert "Retrying again" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


def test_a_scene_of_another_host_is_not_asked_for(
    web: Web, scene: Path, rules: AccessRules
) -> None:
    href = web.host(scene).replace("127.0.0.1", "localhost")
    with SceneReader() as reader, pytest.raises(AerialError, match=r"localhost.*imagery\.hosts"):
        reader.read_window(href, WINDOW, SIZE)
    assert web.asked == []
    assert web.tokens == 0


def test_a_proxy_is_left_aside_where_no_proxy_says_so(
    web: Web, scene: Path, rules: AccessRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both for GDAL and for the token service."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "localhost,127.0.0.1")
    web.refused = set()
    read(web.host(scene))
    assert web.tokens == 1
