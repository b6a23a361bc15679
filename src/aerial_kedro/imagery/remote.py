"""Scenes on the web: how GDAL asks for them, and what tells one version from the next."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import rasterio
import requests
from rasterio._err import CPLE_BaseError
from urllib3.util.retry import Retry

from aerial_kedro.errors import AerialError
from aerial_kedro.imagery.access import AccessRules, host_of
from aerial_kedro.imagery.redaction import redact
from aerial_kedro.imagery.signing import SigningError, shared_signing

T = TypeVar("T")

# How often a scene on the web is opened for one thing to be read. GDAL repeats what is throttled
# by itself; this is for dropped connections and signatures that have run out.
ATTEMPTS = 3

_WEB = re.compile(r"https?://", re.IGNORECASE)
_CONNECT_S, _SILENCE_S = 10, 30
_LONGEST_WAIT_S = 60
_THROTTLED = (429, 500, 502, 503, 504)
_PARTIAL = 206
# A damaged file read through a warp raises GDAL's own error, which rasterio keeps to itself.
_READ_ERRORS = (rasterio.errors.RasterioError, CPLE_BaseError)


class RemoteReadError(Exception):
    """A scene on the web could not be read; the message holds no signature."""


def is_remote(href: str) -> bool:
    """Say whether an address is read over HTTP."""
    return _WEB.match(href) is not None


def gdal_environment(rules: AccessRules) -> rasterio.Env:
    """Return how GDAL shall ask over HTTP, as a context in which scenes are opened and read.

    No listing of folders and no side files are asked for; what is throttled or fails on the way is
    asked for again, after a pause that doubles.
    """
    return rasterio.Env(
        GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR",
        CPL_VSIL_CURL_ALLOWED_EXTENSIONS=".tif,.tiff",
        # GDAL would keep the half that came of a dropped answer for as long as the process lives.
        CPL_VSIL_CURL_NON_CACHED="/vsicurl/",
        # The header of a COG in one request.
        GDAL_INGESTED_BYTES_AT_OPEN="32768",
        GDAL_HTTP_MERGE_CONSECUTIVE_RANGES="YES",
        GDAL_HTTP_MAX_RETRY=str(rules.retries),
        GDAL_HTTP_RETRY_DELAY=str(rules.retry_delay_s),
        GDAL_HTTP_CONNECTTIMEOUT=str(_CONNECT_S),
        GDAL_HTTP_LOW_SPEED_TIME=str(_SILENCE_S),
        GDAL_HTTP_LOW_SPEED_LIMIT="1000",
    )


def open_remote(url: str) -> rasterio.DatasetReader:
    """Open a (signed) web address as GeoTIFF and nothing else, within `gdal_environment`."""
    return rasterio.open(f"/vsicurl/{url}", driver="GTiff")


def read_remote(href: str, rules: AccessRules, read: Callable[[str], T]) -> T:
    """Do something with a scene on the web; again, with a new signature, if that fails.

    Parameters
    ----------
    href
        The address, unsigned.
    rules
        What may be read, and who signs.
    read
        Takes the signed address.

    Raises
    ------
    AerialError
        If the rules do not let it be read.
    RemoteReadError
        With the reason, without the signature.
    """
    signing, signed = shared_signing(rules), None
    try:
        with gdal_environment(rules):
            for _ in range(ATTEMPTS - 1):
                signed = signing.sign(href, refused=signed)
                try:
                    return read(signed.url)
                except Exception as error:
                    if not _has_failed_on_the_way(error):
                        raise
            return read(signing.sign(href, refused=signed).url)
    except SigningError as error:
        raise RemoteReadError(str(error)) from None
    except Exception as error:
        if _has_failed_on_the_way(error):
            raise RemoteReadError(redact(cause(error))) from None
        if isinstance(error, AerialError):
            raise AerialError(redact(error)) from None
        raise


def _has_failed_on_the_way(error: BaseException | None) -> bool:
    """Tell what another request may mend from what is wrong with the scene itself."""
    if isinstance(error, AerialError):
        error = error.__cause__
    return isinstance(error, (*_READ_ERRORS, requests.RequestException))


def fingerprint(url: str, rules: AccessRules) -> str:
    """Tell the version of a file on the web: size and ETag, or size and time of change.

    Asks for the file's first byte, which also shows whether the server sends ranges.

    Raises
    ------
    AerialError
        If it does not, or points elsewhere.
    requests.RequestException
        If it does not answer, or refuses.
    """
    with http_session(rules) as session:
        answer = session.get(
            url,
            headers={"Range": "bytes=0-0"},
            timeout=(_CONNECT_S, _SILENCE_S),
            stream=True,
            allow_redirects=False,
        )
        with answer:
            shown = redact(url)
            answer.raise_for_status()
            if answer.is_redirect:
                target = redact(answer.headers.get("Location", "elsewhere"))
                raise AerialError(
                    f"The address {shown} points on to {target}. Put that one into the list."
                )
            total = answer.headers.get("Content-Range", "").rpartition("/")[2]
            if answer.status_code != _PARTIAL or not total.isdigit():
                raise AerialError(
                    f"The server {host_of(url)} does not send parts of files (HTTP ranges), so "
                    f"that {shown} can only be had whole. Download the scenes and give their "
                    "folder as scenes_root."
                )
            stamp = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    return f"{total}-" + stamp.strip('"')


def http_session(rules: AccessRules) -> requests.Session:
    """Return a session that asks again where it is throttled; it keeps to `Retry-After`."""
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(
        max_retries=Retry(
            rules.retries,
            connect=min(rules.retries, 2),
            backoff_factor=rules.retry_delay_s,
            status_forcelist=_THROTTLED,
            retry_after_max=_LONGEST_WAIT_S,
            raise_on_status=False,
        )
    )
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def cause(error: Exception) -> BaseException:
    """Find what GDAL said; rasterio's own message often only points to it."""
    return error.__cause__ or error
