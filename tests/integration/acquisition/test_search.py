"""Searching a STAC API, and what becomes of one that does not answer as it should."""

from __future__ import annotations

import re
from typing import Any

import pytest
from kedro.io import DatasetError

from aerial_kedro.datasets.stac import StacSearchDataset
from aerial_kedro.errors import AerialError
from tests.unit.imagery.web import PAGE, Web

BOX = (-117.8, 34.0, -117.6, 34.2)
INSIDE = (-117.71, 34.09, -117.69, 34.11)
ELSEWHERE = (-118.3, 33.7, -118.2, 33.8)


def search(web: Web, **parameters: Any) -> list[str]:
    request = {"api_url": web.api, "bbox": list(BOX), "years": [2018, 2020], **parameters}
    return [item["id"] for item in StacSearchDataset(request=request).load()]


def refusal(web: Web, **parameters: Any) -> str:
    """Search what must be refused; return the message, which Kedro has put into its own error."""
    with pytest.raises(DatasetError) as caught:
        search(web, **parameters)
    assert isinstance(caught.value.__cause__, AerialError)
    return str(caught.value.__cause__)


@pytest.fixture
def filled(web: Web, rules: dict[str, object]) -> Web:
    for year in (2016, 2018, 2020):
        for number in range(2 * PAGE + 1):
            name = f"m_{number}_{year}0701.tif"
            web.add_item(f"{web.base}/naip/{name}", INSIDE, f"{year}-07-01")
        web.add_item(f"{web.base}/naip/far_{year}0701.tif", ELSEWHERE, f"{year}-07-01")
    return web


def test_a_search_finds_what_lies_there_in_those_years_on_all_pages(filled: Web) -> None:
    assert sorted(search(filled)) == sorted(
        f"m_{number}_{year}0701" for year in (2018, 2020) for number in range(2 * PAGE + 1)
    )
    assert len(filled.searches) == 6


def test_finding_too_much_is_an_error_that_says_how_to_allow_it(filled: Web) -> None:
    assert re.search(r"more than 7 scenes.*acquisition\.max_scenes=", refusal(filled, max_scenes=7))
    assert len(search(filled, max_scenes=10)) == 10


def test_a_search_that_finds_nothing_is_empty(filled: Web) -> None:
    assert search(filled, years=[2012]) == []
    assert search(filled, collection="sentinel") == []


@pytest.mark.parametrize("status", [500, 503, 404, 403])
def test_a_broken_api_is_named(filled: Web, status: int) -> None:
    filled.api_fault = status
    assert re.search(rf"{filled.api} cannot be searched \(HTTP {status}: .*later", refusal(filled))


def test_an_api_that_is_not_there_is_named(web: Web, rules: dict[str, object]) -> None:
    assert re.search(
        r"http://127\.0\.0\.1:9/stac cannot be searched.*address",
        refusal(web, api_url="http://127.0.0.1:9/stac"),
    )


def test_an_address_that_is_no_api_is_named(web: Web, rules: dict[str, object]) -> None:
    assert re.search(r"/token/x cannot be searched", refusal(web, api_url=f"{web.base}/token/x"))


def test_a_next_page_on_another_host_is_not_asked_for(filled: Web) -> None:
    filled.next_elsewhere = "https://evil.example.org/search"
    assert re.search(r"another host, https://evil\.example\.org", refusal(filled))


def test_a_proxy_is_left_aside_where_no_proxy_says_so(
    filled: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    assert len(search(filled)) == 10
