"""Addresses of tiles and scenes: which are allowed, and how each reader opens them."""

import os
import re
import stat
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import fsspec

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.scenes.names import is_utf8, readable

_LOCAL = {"", "file"}
_BLOB = {"abfs", "abfss", "az"}
_WEB = {"http", "https"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://)?")


def check_href(href: str) -> str:
    """Return an address if it may be read, refuse it otherwise.

    Raises
    ------
    AerialError
        If the scheme is not one of file, abfs(s), az, http(s), the path climbs with ``..``, or it
        names one of GDAL's virtual file systems.
    """
    scheme, rest = _split(href)
    if scheme not in _LOCAL | _BLOB | _WEB:
        raise AerialError(
            f"The address {href!r} has the scheme {scheme!r}, which is not read. Use a "
            "local path or abfss://, az://, http(s)://."
        )
    if ".." in PurePosixPath(rest if scheme in _LOCAL else unquote(rest)).parts:
        raise AerialError(f"The address {href!r} climbs out of its folder with '..'.")
    if scheme in _LOCAL and rest.startswith("/vsi"):
        raise AerialError(
            f"The address {href!r} is one of GDAL's virtual file systems, which are not read. Use "
            "the file's own address."
        )
    return href


def gdal_path(href: str) -> str:
    """Translate an address into what GDAL opens.

    Local names are taken as they are, with or without ``file://``: they may hold ``#``, ``?`` and
    ``%``.

    Examples
    --------
    >>> gdal_path("abfss://naip@account.dfs.core.windows.net/md/scene.tif")
    '/vsiaz/naip/md/scene.tif'
    >>> gdal_path("/data/scene.tif")
    '/data/scene.tif'
    """
    scheme, rest = _split(check_href(href))
    if scheme in _LOCAL:
        return rest
    if scheme in _WEB:
        return f"/vsicurl/{href}"
    authority, _, path = rest.partition("/")
    return f"/vsiaz/{authority.split('@', 1)[0]}/{path}"


def is_distant(href: str) -> bool:
    """Return whether reading is waiting for a network: whether an address is no local path.

    Examples
    --------
    >>> is_distant("az://naip/md/scene.tif"), is_distant("/data/az:/scene.tif")
    (True, False)
    """
    return _split(href)[0] not in _LOCAL


def read_bytes(href: str) -> bytes:
    """Read a whole (small) file."""
    if not is_distant(href):
        return Path(gdal_path(href)).read_bytes()
    with fsspec.open(check_href(href), "rb") as file:
        return bytes(file.read())


def _split(href: str) -> tuple[str, str]:
    """Split an address into its scheme, empty for a plain path, and what follows."""
    match = _SCHEME.match(href)
    return (match[1].lower(), href[match.end() :]) if match else ("", href)


def check_root(root: str, parameter: str) -> None:
    """Refuse a root in storage that is not read, with a name not UTF-8, or that may not be opened.

    Parameters
    ----------
    root
        A folder or file that a run parameter names.
    parameter
        The parameter, for the message.

    Raises
    ------
    AerialError
        Saying what is read instead.
    """
    if not is_utf8(root):
        raise AerialError(
            f"{parameter}={readable(root)} is not UTF-8. Rename the folder (convmv -f latin1 -t "
            "utf8 --notest DIR does it for names in Latin-1)."
        )
    # A path may have a colon in it.
    scheme = _split(root)[0] if "://" in root else ""
    if scheme in _WEB:
        raise AerialError(
            f"{parameter}={redact(root)} is on the web, where folders cannot be listed and whole "
            "files are not fetched. Download it and give the local path; scenes may stay there: "
            "give a list of their addresses as scenes_root (docs/imagery.md)."
        )
    if scheme not in _LOCAL | _BLOB:
        raise AerialError(
            f"{parameter}={root} is in storage that is not read ({scheme}://). Read are local "
            "folders, mounted ones too, and Azure's blob storage (abfss://, az://). Copy it, or "
            "mount it (rclone mount), and give the local path."
        )
    if scheme in _LOCAL and _is_closed(_split(root)[1] if scheme else root):
        raise AerialError(
            f"{parameter}={root} may not be read: its permissions, or those of a folder above it, "
            "forbid it (chmod -R u+rX DIR, by its owner)."
        )


def _is_closed(path: str) -> bool:
    try:
        is_folder = stat.S_ISDIR(Path(path).stat().st_mode)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return not os.access(path, os.R_OK | os.X_OK if is_folder else os.R_OK, effective_ids=True)
