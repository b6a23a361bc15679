"""Addresses of tiles and scenes: which are allowed, and how each reader opens them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import fsspec

from aerial_kedro.errors import AerialError

_LOCAL = {"", "file"}
_BLOB = {"abfs", "abfss", "az"}
_WEB = {"http", "https"}


def check_href(href: str) -> str:
    """Return an address if it may be read, refuse it otherwise.

    Raises
    ------
    AerialError
        If the scheme is not one of file, abfs(s), az, http(s), or the path climbs with ``..``.
    """
    parts = urlsplit(href)
    if parts.scheme not in _LOCAL | _BLOB | _WEB:
        raise AerialError(
            f"The address {href!r} has the scheme {parts.scheme!r}, which is not read. Use a "
            "local path or abfss://, az://, http(s)://."
        )
    if ".." in PurePosixPath(unquote(href)).parts:
        raise AerialError(f"The address {href!r} climbs out of its folder with '..'.")
    return href


def gdal_path(href: str) -> str:
    """Translate an address into what GDAL opens.

    Examples
    --------
    >>> gdal_path("abfss://naip@account.dfs.core.windows.net/md/scene.tif")
    '/vsiaz/naip/md/scene.tif'
    >>> gdal_path("/data/scene.tif")
    '/data/scene.tif'
    """
    parts = urlsplit(check_href(href))
    if parts.scheme in _LOCAL:
        return unquote(parts.path) if parts.scheme else href
    if parts.scheme in _WEB:
        return f"/vsicurl/{href}"
    return f"/vsiaz/{parts.username or parts.netloc}{parts.path}"


def read_bytes(href: str) -> bytes:
    """Read a whole (small) file."""
    check_href(href)
    if urlsplit(href).scheme in _LOCAL:
        return Path(gdal_path(href)).read_bytes()
    with fsspec.open(href, "rb") as file:
        return bytes(file.read())
