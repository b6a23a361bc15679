from __future__ import annotations

from typing import Any

import pytest

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import AccessRules
from aerial_kedro.imagery.scene_list import (
    ListedScene,
    estimate_bytes,
    parse_scene_list,
    scenes_of_items,
)
from aerial_kedro.imagery.search import SearchRequest

REQUEST = SearchRequest(bbox=(-117.8, 34.0, -117.6, 34.2), years=(2018, 2020))
RULES = AccessRules(hosts=("naip.example.org",))
BOX = [-117.7, 34.05, -117.64, 34.12]


def item(name: str, date: str = "2018-07-01", **properties: Any) -> dict[str, Any]:
    return {
        "id": name,
        "bbox": BOX,
        "properties": {"datetime": f"{date}T00:00:00Z", **properties},
        "assets": {"image": {"href": f"https://naip.example.org/naip/{name}.tif"}},
    }


def test_scenes_come_by_year_and_name_and_once() -> None:
    items = [item("b", "2020-06-01"), item("c"), item("a"), item("c")]
    found = scenes_of_items(items, REQUEST, RULES)
    assert [(scene.item_id, scene.year) for scene in found.scenes] == [
        ("a", 2018),
        ("c", 2018),
        ("b", 2020),
    ]
    assert found.by_year == {2018: 2, 2020: 1}


@pytest.mark.parametrize("properties", [{"proj:epsg": 26911}, {"proj:code": "EPSG:26911"}])
def test_what_an_item_tells_is_kept(properties: dict[str, Any]) -> None:
    [scene] = scenes_of_items([item("a", gsd=0.6, **properties)], REQUEST, RULES).scenes
    assert scene == ListedScene(
        href="https://naip.example.org/naip/a.tif", item_id="a", year=2018, bbox=tuple(BOX),
        epsg=26911, gsd_m=0.6,
    )  # fmt: skip


def test_heights_in_a_box_are_left_out() -> None:
    flat = {**item("a"), "bbox": [*BOX[:2], 10, *BOX[2:], 90]}
    assert scenes_of_items([flat], REQUEST, RULES).scenes[0].bbox == tuple(BOX)


def test_signed_addresses_lose_their_signature() -> None:
    signed = item("a")
    signed["assets"]["image"]["href"] += "?se=2026-11-22&sig=SECRET"
    found = scenes_of_items([signed], REQUEST, RULES)
    assert "SECRET" not in found.model_dump_json()
    assert found.scenes[0].href.endswith("/a.tif")


def test_nothing_found_is_an_error_that_says_where_it_looked() -> None:
    with pytest.raises(AerialError, match=r"No scene found.*'naip'.*-117\.8.*2018, 2020.*order"):
        scenes_of_items([], REQUEST, RULES)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"assets": {"thumbnail": {"href": "x"}}}, r"item a has no asset 'image'.*thumbnail"),
        ({"properties": {}}, "item a has no date"),
        ({"assets": {"image": {"href": "https://evil.org/a.tif"}}}, r"evil\.org.*not among"),
        ({"assets": {"image": {"href": "file:///etc/passwd"}}}, "not a plain"),
    ],
)
def test_an_item_that_cannot_be_used_is_named(broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(AerialError, match=reason):
        scenes_of_items([{**item("a"), **broken}], REQUEST, RULES)


def test_bytes_are_estimated_from_the_ground() -> None:
    """0.01 by 0.01 degrees at 60 north: 1113.2 by 556.6 m, at 1 m and four bands."""
    scene = ListedScene(href="a.tif", bbox=(10, 60, 10.01, 60.01), gsd_m=1)
    assert estimate_bytes([scene]) == pytest.approx(1113.2 * 556.6 * 4, rel=1e-3)
    half = scene.model_copy(update={"gsd_m": 0.5})
    assert estimate_bytes([half]) == pytest.approx(4 * estimate_bytes([scene]), rel=1e-3)
    assert estimate_bytes([scene, ListedScene(href="b.tif")]) is None


def test_a_list_survives_its_file() -> None:
    scenes = scenes_of_items([item("a"), item("b")], REQUEST, RULES)
    assert parse_scene_list(scenes.model_dump_json().encode(), "scenes.json") == scenes


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b"{", "is no scene list"),
        ("a.json", b"{}", "scenes"),
        ("a.json", b'{"scenes": [{"href": "https://h/a.tif?se=1&sig=SECRET"}]}', "is signed"),
    ],
)
def test_a_file_that_is_no_list_is_refused(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(AerialError, match=reason) as caught:
        parse_scene_list(content, name)
    assert "SECRET" not in str(caught.value)
    assert name in str(caught.value)
