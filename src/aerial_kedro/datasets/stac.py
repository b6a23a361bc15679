"""Searching a STAC API."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pystac
import requests
from pystac_client import Client
from pystac_client.errors import ClientTypeError
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO

from aerial_kedro.datasets.base import ProjectDataset
from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import AccessRules, current_rules
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.imagery.search import SearchRequest, read_request

_TIMEOUT_S = (10, 60)
_SHOWN = 300  # characters of what a server says


class StacSearchDataset(ProjectDataset[None, list[dict[str, Any]]]):
    """A search of a STAC API; loads as the items found, as JSON.

    Kedro's `APIDataset` makes one request: it knows nothing of pages, and follows other hosts.

    Parameters
    ----------
    request
        The parameters ``acquisition``.
    metadata
        As for `ProjectDataset`.
    """

    not_saved = "A STAC API is searched, never written."

    def __init__(self, *, request: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        super().__init__(metadata=metadata)
        self._request = request

    def load(self) -> list[dict[str, Any]]:
        """Search.

        Raises
        ------
        AerialError
            If the parameters make no sense, the API does not answer as one, or it finds too much.
        """
        request = read_request(self._request)
        try:
            return _search(request, current_rules())
        # The second line is what pystac makes of an answer that is no STAC.
        except (
            APIError, ClientTypeError, pystac.STACError, requests.RequestException,
            KeyError, TypeError, ValueError, NotImplementedError,
        ) as error:  # fmt: skip
            status = getattr(error, "status_code", None)
            said = redact(error).strip()[:_SHOWN] or type(error).__name__
            raise AerialError(
                f"The STAC API {request.api_url} cannot be searched "
                f"({f'HTTP {status}: ' if status else ''}{said}). Check the address and the "
                "connection (behind a proxy: HTTPS_PROXY, NO_PROXY), or try again later; another "
                "API is given with --params=acquisition.api_url=…"
            ) from error


def _search(request: SearchRequest, rules: AccessRules) -> list[dict[str, Any]]:
    client = _open(request.api_url, rules)
    found: dict[str, dict[str, Any]] = {}
    for year in request.years:
        search = client.search(
            collections=[request.collection],
            bbox=request.bbox,
            datetime=f"{year}-01-01T00:00:00Z/{year}-12-31T23:59:59Z",
        )
        for item in _new_items(search.pages_as_dicts(), found):
            found[str(item.get("id"))] = item
            if len(found) > request.max_scenes:
                raise AerialError(
                    f"The search finds more than {request.max_scenes} scenes. Give a smaller "
                    "acquisition.bbox or fewer acquisition.years, or allow more with "
                    f"--params=acquisition.max_scenes={request.max_scenes * 4}."
                )
    return list(found.values())


def _new_items(
    pages: Iterator[dict[str, Any]], found: dict[str, dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Go through pages up to one that says nothing new: an API may lead round in a circle."""
    for page in pages:
        new = [item for item in page["features"] if str(item.get("id")) not in found]
        if not new:
            return
        yield from new


def _open(api_url: str, rules: AccessRules) -> Client:
    """Open the API: patient with throttling, and asking this one host only."""
    host = urlsplit(api_url).netloc.lower()

    def check(url: str) -> None:
        if urlsplit(url).netloc.lower() != host:
            raise APIError(f"it points on to another host, {redact(url)}")

    def check_request(request: requests.Request) -> requests.Request:
        check(str(request.url))
        return request

    def check_redirect(answer: requests.Response, *_: Any, **__: Any) -> None:
        if answer.is_redirect:
            check(urljoin(str(answer.url), answer.headers["location"]))

    stac_io = StacApiIO(max_retries=rules.retry_policy())
    stac_io.session.hooks["response"].append(check_redirect)
    # Given to `StacApiIO`, these two would be forgotten here.
    return Client.open(api_url, stac_io=stac_io, timeout=_TIMEOUT_S, request_modifier=check_request)
