"""A small web on this machine: scenes in ranges, a token service, a STAC API; faults on request."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 2  # items on a page of the STAC API
SECRET = "VERY-SECRET"  # part of every signature


@dataclass(frozen=True)
class Asked:
    """A request for a scene.

    Parameters
    ----------
    method, path, query
        Of the request.
    range
        What the header of that name says.
    """

    method: str
    path: str
    query: str
    range: str | None


@dataclass
class Web:
    """What the servers hold, how they misbehave, and what they were asked for.

    Parameters
    ----------
    base
        Address, without a slash at the end.
    files
        Path to the content of each scene.
    faults
        What the next requests for scenes meet, one by one: a status, ``drop`` (half of the
        answer), ``whole`` (the range is ignored) or ``ok``. Requests of the method HEAD are not
        counted.
    always
        What every request for a scene meets when ``faults`` is empty.
    refused
        Signatures that are no longer good, by their number; None for scenes that need none.
    items
        Of the STAC API.
    api_fault
        Status of every answer of the STAC API, if it is broken.
    delay_s
        How long an answer to a request for a scene takes, as over a real network.
    asked, sent
        Requests for scenes, and how many bytes of them were sent.
    at_work, most_at_work
        How many requests for scenes are being answered, and were at most.
    tokens
        How many signatures were given.
    searches
        Bodies of the searches.
    """

    base: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    always: str = "ok"
    refused: set[int] | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    api_fault: int | None = None
    next_elsewhere: str | None = None
    delay_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    sent: int = 0
    at_work: int = 0
    most_at_work: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: int = 0
    token_lifetime_s: float = 3600
    searches: list[dict[str, Any]] = field(default_factory=list)

    @property
    def token_service(self) -> str:
        return f"{self.base}/token"

    @property
    def api(self) -> str:
        return f"{self.base}/stac"

    def host(self, path: Path, name: str | None = None) -> str:
        """Put a file on the web; return its address. GDAL remembers addresses: use new names."""
        where = f"/scenes/{id(self):x}/{name or path.name}"
        self.files[where] = path.read_bytes()
        return self.base + where

    def add_item(self, href: str, bbox: tuple[float, ...], date: str, **properties: Any) -> None:
        """Put a scene into the STAC API."""
        west, south, east, north = bbox
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        self.items.append(
            {
                "type": "Feature",
                "stac_version": "1.0.0",
                "id": urlsplit(href).path.rsplit("/", 1)[-1].removesuffix(".tif"),
                "collection": "naip",
                "bbox": list(bbox),
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"datetime": f"{date}T16:00:00Z", "gsd": 0.6, **properties},
                "assets": {
                    "image": {"href": href, "roles": ["data"]},
                    "metadata": {"href": f"{href}.txt"},
                },
                "links": [],
            }
        )


@contextlib.contextmanager
def running_web() -> Iterator[Web]:
    """Serve on a free port of the loopback interface until the block ends."""
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(web))
    server.daemon_threads = True
    web.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.web = web
    return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    web: Web

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._delayed_scene()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/token/"):
            self._token()
        elif path.startswith("/stac"):
            self._stac({})
        else:
            self._delayed_scene()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._stac(json.loads(body))

    def _answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(ConnectionError):  # a reader may have seen enough
                self.wfile.write(content)

    def _json(self, content: object) -> None:
        self._answer(200, json.dumps(content).encode(), Content_Type="application/json")

    def _token(self) -> None:
        web = self.web
        web.tokens += 1
        expiry = datetime.now(UTC) + timedelta(seconds=web.token_lifetime_s)
        token = f"se={expiry:%Y-%m-%d}&n={web.tokens}&sig={SECRET}%3D{web.tokens}"
        self._json({"token": token, "msft:expiry": expiry.isoformat()})

    def _is_refused(self, query: str) -> bool:
        if self.web.refused is None:
            return False
        number = parse_qs(query).get("n", [""])[0]
        return not number.isdigit() or int(number) in self.web.refused or SECRET not in query

    def _delayed_scene(self) -> None:
        web = self.web
        with web.lock:
            web.at_work += 1
            web.most_at_work = max(web.most_at_work, web.at_work)
        try:
            time.sleep(web.delay_s)
            self._scene()
        finally:
            with web.lock:
                web.at_work -= 1

    def _scene(self) -> None:
        web = self.web
        parts = urlsplit(self.path)
        wanted = self.headers.get("Range")
        web.asked.append(Asked(self.command, parts.path, parts.query, wanted))
        content = web.files.get(parts.path)
        fault = web.always
        if self.command == "GET" and web.faults:
            fault = web.faults.pop(0)
        if content is None:
            self._answer(404)
        elif self._is_refused(parts.query):
            self._answer(403, b"AuthenticationFailed")
        elif fault.isdigit():
            self._answer(int(fault), Retry_After="0")
        else:
            self._send(content, wanted if fault != "whole" else None, drop=fault == "drop")

    def _send(self, content: bytes, wanted: str | None, *, drop: bool) -> None:
        status, headers = 200, {"ETag": '"v1"'}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted or "")
        if match:
            first, last = int(match[1]), min(int(match[2] or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            status, content = 206, content[first : last + 1]
        if drop:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self._answer(status, content, Accept_Ranges="bytes", **headers)
        if self.command != "HEAD":
            self.web.sent += len(content)

    def _stac(self, body: dict[str, Any]) -> None:
        web = self.web
        if web.api_fault is not None:
            self._answer(web.api_fault, b"the database is down")
        elif urlsplit(self.path).path.rstrip("/") == "/stac":
            self._json(_landing_page(web))
        else:
            web.searches.append(body)
            self._json(_search(web, body))


def _landing_page(web: Web) -> dict[str, Any]:
    search = {"rel": "search", "href": f"{web.api}/search", "type": "application/geo+json"}
    links = [
        {"rel": "self", "href": web.api},
        {"rel": "root", "href": web.api},
        {"rel": "data", "href": f"{web.api}/collections"},
        {**search, "method": "GET"},
        {**search, "method": "POST"},
    ]
    return {
        "type": "Catalog", "id": "test", "stac_version": "1.0.0", "description": "A test's API.",
        "conformsTo": [
            "https://api.stacspec.org/v1.0.0/core",
            "https://api.stacspec.org/v1.0.0/item-search",
        ],
        "links": links,
    }  # fmt: skip


def _search(web: Web, body: dict[str, Any]) -> dict[str, Any]:
    west, south, east, north = body["bbox"]
    first, last = (part[:10] for part in body["datetime"].split("/"))
    found = [
        item
        for item in web.items
        if item["collection"] in body["collections"]
        and item["bbox"][0] <= east and item["bbox"][2] >= west
        and item["bbox"][1] <= north and item["bbox"][3] >= south
        and first <= item["properties"]["datetime"][:10] <= last
    ]  # fmt: skip
    start = int(body.get("token", 0))
    links = []
    if start + PAGE < len(found):
        href = web.next_elsewhere or f"{web.api}/search"
        further = {**body, "token": start + PAGE}
        links = [{"rel": "next", "href": href, "method": "POST", "body": further}]
    return {"type": "FeatureCollection", "features": found[start : start + PAGE], "links": links}
